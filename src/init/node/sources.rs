//! The source files of a package.

use super::module::Module;
use crate::init::tree::{Tree, depth, relative, split};

const EXTENSIONS: [&str; 8] = ["js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx"];

/// The source files of a package, without tests and without those of packages in it.
pub(super) fn modules(tree: &Tree, directory: &str) -> Vec<Module> {
    let inner: Vec<&str> = tree.directories_with("package.json");
    let is_own = |path: &str| {
        let owner = inner.iter().filter(|inner| relative(path, inner).is_some()).max_by_key(|inner| depth(inner));
        owner.is_none_or(|owner| *owner == directory || relative(directory, owner).is_some())
    };
    let is_source = |path: &str| {
        let name = split(path).1;
        let is_known = name == "www" || name.rsplit_once('.').is_some_and(|(_, end)| EXTENSIONS.contains(&end));
        let is_test = name.starts_with("test.")
            || name.contains(".test.")
            || name.contains(".spec.")
            || name.contains(".config.");
        let inside = relative(path, directory).unwrap_or(path);
        is_known
            && !is_test
            && !split(inside).0.split('/').any(|part| ["test", "tests", "__tests__", "e2e"].contains(&part))
    };
    let files = tree.below(directory).filter(|(path, _)| is_source(path) && is_own(path));
    files.map(|(path, text)| Module::new(path, text)).collect()
}
