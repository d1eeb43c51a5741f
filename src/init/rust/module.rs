//! A crate's files as tokens.

use crate::init::source::Source;
use crate::init::tokens::Language;
use crate::init::tree::{Tree, join, relative};

/// A file of Rust, without its tests.
pub(super) struct Module {
    pub path: String,
    pub source: Source,
}

/// The files of a crate's `src`, without those of crates below it.
pub(super) fn modules(tree: &Tree, directory: &str) -> Vec<Module> {
    let inner = tree.directories_with("Cargo.toml");
    let is_own = |path: &str| {
        !inner
            .iter()
            .any(|inner| *inner != directory && relative(inner, directory).is_some() && relative(path, inner).is_some())
    };
    let places = ["src", "bin"].map(|place| join(directory, place));
    let root = join(directory, "main.rs");
    let files = tree.below(directory).filter(|(path, _)| path.ends_with(".rs") && is_own(path));
    let files = files.filter(|(path, _)| *path == root || places.iter().any(|place| relative(path, place).is_some()));
    files
        .map(|(path, text)| Module { path: path.to_owned(), source: Source::new(Language::Rust, without_tests(text)) })
        .collect()
}

/// The text before a module of tests. `mod tests;`, whose tests are in another file, ends nothing.
fn without_tests(text: &str) -> &str {
    let begins = |at: usize| {
        let rest = text[at + "#[cfg(test)]".len()..].trim_start();
        rest.starts_with("mod") && rest.find('{').unwrap_or(usize::MAX) < rest.find(';').unwrap_or(usize::MAX)
    };
    let end = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| begins(*at));
    &text[..end.unwrap_or(text.len())]
}
