//! A file of JavaScript or TypeScript, and what its names stand for.

use crate::init::source::{Source, TEXT, WORD};
use crate::init::tokens::Language;
use crate::init::tree::{resolved, split};
use std::ops::Range;

/// Node.js's own modules that servers import without `node:`.
const BUILT_IN: &[&str] = &[
    "http",
    "https",
    "http2",
    "fs",
    "fs/promises",
    "path",
    "url",
    "os",
    "events",
    "stream",
    "util",
    "crypto",
    "zlib",
    "net",
    "timers/promises",
    "querystring",
    "child_process",
    "buffer",
    "assert",
    "process",
    "worker_threads",
    "cluster",
];

pub(super) struct Module {
    pub path: String,
    pub source: Source,
}

impl Module {
    pub(super) fn new(path: &str, text: &str) -> Module {
        Module { path: path.to_owned(), source: Source::new(Language::Script, text) }
    }

    /// The module that a name is imported from, as it is written.
    pub(super) fn origin(&self, name: &str) -> Option<&str> {
        let source = &self.source;
        // `import a, { b } from "c"`
        let imported = source.matches(source.all(), &["from", TEXT]).into_iter().find(|from| {
            let start = (0..*from).rev().find(|at| source.word(*at) == Some("import"));
            start.is_some_and(|start| source.has_word(start..*from, &[name]))
        });
        if let Some(from) = imported {
            return source.text(from + 1);
        }
        // `const a = require("c")`, `const { b } = require("c")`
        source.matches(source.all(), &["require", "(", TEXT]).into_iter().find_map(|at| {
            let start = (at.saturating_sub(12)..at)
                .rev()
                .find(|start| source.word(*start).is_some_and(|word| ["const", "let", "var"].contains(&word)))?;
            source.has_word(start..at, &[name]).then(|| source.text(at + 2)).flatten()
        })
    }

    /// The packages that it imports, except those of Node.js.
    pub(super) fn packages(&self) -> Vec<String> {
        let source = &self.source;
        let imported = source.matches(source.all(), &["from", TEXT]).into_iter().filter_map(|at| source.text(at + 1));
        let required =
            source.matches(source.all(), &["require", "(", TEXT]).into_iter().filter_map(|at| source.text(at + 2));
        let is_package =
            |path: &&str| !path.starts_with(['.', '/']) && !path.starts_with("node:") && !BUILT_IN.contains(path);
        imported.chain(required).filter(is_package).map(str::to_owned).collect()
    }

    /// Whether a module path in this file, such as `./routes`, is that of another file.
    pub(super) fn is_path_of(&self, path: &str, other: &Module) -> bool {
        if !path.starts_with('.') {
            return false;
        }
        let Some(full) = resolved(split(&self.path).0, path) else { return false };
        let without = |path: &str| {
            path.rsplit_once('.')
                .filter(|(_, end)| !end.contains('/'))
                .map_or(path.to_owned(), |(start, _)| start.to_owned())
        };
        let stem = without(&other.path);
        stem == full || stem == without(&full) || stem == format!("{full}/index")
    }

    /// The body of a function of this name: `function name(…) {…}` or `const name = (…) => {…}`.
    pub(super) fn function(&self, name: &str) -> Option<Range<usize>> {
        let source = &self.source;
        let declared = source.matches(source.all(), &["function", name, "("]).into_iter().next().map(|at| at + 1);
        let assigned = || source.matches(source.all(), &[name, "="]).into_iter().next();
        let start = declared.or_else(assigned)?;
        let open = (start..start + 60).find(|at| source.is_sign(*at, '(') || source.is_sign(*at, '{'))?;
        let body = if source.is_sign(open, '(') {
            let after = source.close(open) + 1;
            (after..after + 30).find(|at| source.is_sign(*at, '{'))?
        } else {
            open
        };
        Some(start..source.close(body))
    }

    /// The number that a variable has from its beginning.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let source = &self.source;
        let of = |pattern: &[&str], at: usize| {
            source.matches(source.all(), pattern).into_iter().find_map(|start| source.number(start + at))
        };
        of(&[name, "=", "NUMBER"], 2).or_else(|| of(&[name, ":", WORD, "=", "NUMBER"], 4))
    }
}
