//! How Python projects are laid out: where a project is, and the name by which Python finds a module.

use super::imports::Module;
use crate::init::tree::{Tree, join, relative, split};

/// Files that list what is installed. A directory with one of them is a project.
const LISTS: [&str; 6] = ["requirements.txt", "pyproject.toml", "Pipfile", "pylock.toml", "setup.py", "setup.cfg"];

pub(super) fn is_test(path: &str) -> bool {
    let (directory, name) = split(path);
    let is_test =
        name.starts_with("test_") || name.ends_with("_test.py") || ["conftest.py", "setup.py"].contains(&name);
    is_test || directory.split('/').any(|part| ["tests", "test"].contains(&part))
}

/// The deepest directory around a file that lists packages; without one, the directory above the file's package.
pub(super) fn project_of(tree: &Tree, path: &str) -> String {
    let mut directory = split(path).0;
    loop {
        let has_lists = tree.below(&join(directory, "requirements")).next().is_some();
        if has_lists || LISTS.iter().any(|list| tree.has(&join(directory, list))) {
            return directory.to_owned();
        }
        if directory.is_empty() {
            return above_package(tree, split(path).0).to_owned();
        }
        directory = split(directory).0;
    }
}

/// The directory in which a package's top-level name is found.
fn above_package<'a>(tree: &Tree, mut directory: &'a str) -> &'a str {
    while !directory.is_empty() && tree.has(&join(directory, "__init__.py")) {
        directory = split(directory).0;
    }
    directory
}

/// Where Python finds a module: the directory, relative to the project, and its dotted name there.
pub(super) fn import_name(tree: &Tree, module: &Module, project: &str) -> (String, String) {
    let directory = split(&module.path).0;
    let above = above_package(tree, directory);
    // A directory without `__init__.py` is a package, too, unless its files import each other without its name.
    let is_sibling = |name: &String| {
        let name = name.split('.').next().unwrap_or_default();
        let exists = |directory: &str| {
            tree.has(&join(directory, &format!("{name}.py"))) || tree.below(&join(directory, name)).next().is_some()
        };
        exists(above) && !exists(project)
    };
    let stays = above == directory && module.imported().any(|name| is_sibling(&name));
    let in_project = relative(&module.path, project).unwrap_or(&module.path);
    let root = if stays || in_project.starts_with("src/") { above } else { project };
    let root = if relative(&module.path, root).is_some() { root } else { project };
    let name = relative(&module.path, root).unwrap_or(&module.path).trim_end_matches(".py");
    let name = name.trim_end_matches("/__init__").replace('/', ".");
    (relative(root, project).filter(|_| root != project).unwrap_or_default().to_owned(), name)
}
