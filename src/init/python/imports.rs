//! A Python file, and what the names in it stand for.

use crate::init::source::{Source, WORD};
use crate::init::tokens::Language;
use crate::init::tree::split;
use std::collections::BTreeMap;

pub(super) struct Module {
    pub path: String,
    pub source: Source,
    /// Names, with what they stand for: `fa` for `fastapi`, `App` for `fastapi.FastAPI`.
    names: BTreeMap<String, String>,
    /// Modules of which all names were imported.
    all_of: Vec<String>,
}

impl Module {
    pub(super) fn new(path: &str, text: &str) -> Module {
        let source = Source::new(Language::Python, text);
        let mut module = Module { path: path.to_owned(), source, names: BTreeMap::new(), all_of: Vec::new() };
        for at in module.source.all() {
            // Imports in functions count, too.
            if module.source.indent(at).is_some() {
                match module.source.word(at) {
                    Some("import") => module.read_import(at + 1),
                    Some("from") => module.read_from(at + 1),
                    _ => {}
                }
            }
        }
        module
    }

    /// The name of the file without its extension; the directory's for a package.
    pub(super) fn stem(&self) -> &str {
        let (directory, name) = split(&self.path);
        let stem = name.trim_end_matches(".py");
        if stem == "__init__" { split(directory).1 } else { stem }
    }

    /// `import a.b as c, d`
    fn read_import(&mut self, mut at: usize) {
        while let Some((name, end)) = self.source.dotted(at) {
            at = end;
            if let (true, Some(alias)) = (self.source.is_at(at, &["as", WORD]), self.source.word(at + 1)) {
                self.names.insert(alias.to_owned(), name);
                at += 2;
            } else {
                let first = name.split('.').next().unwrap_or_default().to_owned();
                self.names.insert(first.clone(), first);
            }
            if !self.source.is_sign(at, ',') {
                break;
            }
            at += 1;
        }
    }

    /// `from a.b import c as d, e`. Dots at the beginning are left out.
    fn read_from(&mut self, mut at: usize) {
        while self.source.is_sign(at, '.') {
            at += 1;
        }
        let module = match self.source.word(at) {
            Some("import") | None => String::new(),
            Some(_) => {
                let Some((name, end)) = self.source.dotted(at) else { return };
                at = end;
                name
            }
        };
        if self.source.word(at) != Some("import") {
            return;
        }
        at += 1;
        if self.source.is_sign(at, '*') {
            self.all_of.push(module);
            return;
        }
        if self.source.is_sign(at, '(') {
            at += 1;
        }
        while let Some(name) = self.source.word(at).map(str::to_owned) {
            let full = if module.is_empty() { name.clone() } else { format!("{module}.{name}") };
            at += 1;
            let alias = self.source.is_at(at, &["as", WORD]).then(|| self.source.word(at + 1)).flatten();
            let alias = alias.map(str::to_owned);
            if alias.is_some() {
                at += 2;
            }
            self.names.insert(alias.unwrap_or(name), full);
            if !self.source.is_sign(at, ',') {
                break;
            }
            at += 1;
        }
    }

    /// The full names that a dotted name may stand for.
    pub(super) fn full(&self, dotted: &str) -> Vec<String> {
        let (first, rest) = dotted.split_once('.').map_or((dotted, None), |(first, rest)| (first, Some(rest)));
        let whole = |start: &str| rest.map_or_else(|| start.to_owned(), |rest| format!("{start}.{rest}"));
        match self.names.get(first) {
            Some(known) => vec![whole(known)],
            None => self.all_of.iter().map(|module| format!("{module}.{dotted}")).chain([dotted.to_owned()]).collect(),
        }
    }

    /// All that is imported.
    pub(super) fn imported(&self) -> impl Iterator<Item = String> {
        self.names.values().chain(&self.all_of).cloned()
    }

    /// Where a function or a class is defined: `def name(` or `class name`, at this indent if one is given.
    pub(super) fn definition(&self, keyword: &str, name: &str) -> Option<usize> {
        let at = self.source.matches(self.source.all(), &[keyword, name]).into_iter().next()?;
        Some(if at > 0 && self.source.word(at - 1) == Some("async") { at - 1 } else { at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_followed_through_imports() {
        let text = "import fastapi as fa, os.path\nfrom a.b import (C as D,\n E)\nfrom . import views\nfrom .x import y\n\
                    from z import *\n# from no import F\nt = 'from no import G'\n";
        let module = Module::new("app/__init__.py", text);
        for (name, full) in [
            ("fa.FastAPI", "fastapi.FastAPI"),
            ("D", "a.b.C"),
            ("E.f", "a.b.E.f"),
            ("views.v", "views.v"),
            ("y", "x.y"),
            ("os.path", "os.path"),
            ("F", "z.F"),
        ] {
            assert_eq!(module.full(name)[0], full, "{name}");
        }
        assert_eq!(module.stem(), "app");
        assert!(!module.imported().any(|name| name.starts_with("no")));
    }
}
