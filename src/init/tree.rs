//! The files of a directory, as they were gathered: names, and the text of those that init reads.

use std::collections::BTreeMap;

/// Directories of installed packages and of build output, in which `init` looks for no app.
const FOREIGN: &[&str] = &[
    "target",
    "node_modules",
    "bower_components",
    "vendor",
    "venv",
    "env",
    "site-packages",
    "__pycache__",
    "dist",
    "build",
    "out",
    "coverage",
    "htmlcov",
    "cdk.out",
    "htmldocs",
];
/// Directories whose apps are not what a repository is about.
const ASIDE: &[&str] =
    &["tests", "test", "docs", "doc", "examples", "example", "e2e", "fixtures", "benchmarks", "scripts", "migrations"];
/// Files without these extensions are not read, except for those of `NAMES`.
const EXTENSIONS: &[&str] =
    &["py", "js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx", "rs", "go", "toml", "json", "jsonc"];
const NAMES: &[&str] = &[
    "Pipfile",
    "Dockerfile",
    "Procfile",
    "runtime.txt",
    ".python-version",
    ".nvmrc",
    ".node-version",
    "go.mod",
    "production.yaml",
    "www",
    "template.yaml",
    "template.yml",
    "template.json",
];
/// Larger files are generated.
pub const LARGEST: u64 = 512 * 1024;
/// How many levels down apps are searched for.
pub(super) const DEEPEST: usize = 3;
/// How deep files are read: the source of an app is below it.
pub const DEEPEST_FILE: usize = 5;

/// Paths are relative to the directory, with `/` between names.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

/// Whether to look into a directory of this name.
pub fn is_searched(directory: &str) -> bool {
    !directory.starts_with('.') && !FOREIGN.contains(&directory)
}

/// Whether to read a file of this name.
pub fn is_read(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let is_list = name.ends_with(".txt") && name.contains("requirements");
    let is_lock = name.ends_with("-lock.json") || name.ends_with(".min.js") || name.ends_with(".d.ts");
    !is_lock && (NAMES.contains(&name) || is_list || extension.is_some_and(|extension| EXTENSIONS.contains(&extension)))
}

impl Tree {
    /// Adds a file, with its text if it was read.
    pub fn add(&mut self, path: impl Into<String>, text: Option<String>) {
        self.files.insert(path.into(), text.unwrap_or_default());
    }

    /// Whether the name of a file ends like this.
    pub fn has_name_with(&self, end: &str) -> bool {
        self.files.keys().any(|path| path.ends_with(end))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files at or below a directory, with their paths from the top.
    pub(super) fn below<'a>(&'a self, directory: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_below = move |path: &&str| relative(path, directory).is_some();
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).filter(move |(path, _)| is_below(path))
    }

    /// The directories that have a file of this name, shallow ones first.
    pub(super) fn directories_with(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .files
            .keys()
            .map(|path| split(path))
            .filter(|(_, file)| *file == name)
            .map(|(parent, _)| parent)
            .collect();
        found.sort_by_key(|directory| (depth(directory), *directory));
        found
    }
}

/// Whether a directory is one that a repository has beside its apps.
pub(super) fn is_aside(directory: &str) -> bool {
    directory.split('/').any(|part| ASIDE.contains(&part))
}

/// A path's directory and its name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

pub(super) fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{directory}/{name}"),
    }
}

/// The path from a directory to a file below it.
pub(super) fn relative<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory.is_empty() { Some(path) } else { path.strip_prefix(directory)?.strip_prefix('/') }
}

pub(super) fn depth(directory: &str) -> usize {
    if directory.is_empty() { 0 } else { directory.matches('/').count() + 1 }
}

/// A path that a file names, such as `./lib/../app.js`, from the top of the tree; `None` if it leads out of it.
pub(super) fn resolved(directory: &str, path: &str) -> Option<String> {
    let mut names: Vec<&str> = directory.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
impl Tree {
    pub(super) fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, text)| tree.add(*path, Some((*text).to_owned())));
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_and_put_together() {
        assert_eq!((split("a/b.py"), split("b.py")), (("a", "b.py"), ("", "b.py")));
        assert_eq!(
            (relative("a/b.py", "a"), relative("ab/c", "a"), relative("c", "")),
            (Some("b.py"), None, Some("c"))
        );
        assert_eq!(resolved("a/b", "../c/./d.js").as_deref(), Some("a/c/d.js"));
        assert_eq!(resolved("a", "../../c"), None);
    }

    #[test]
    fn only_source_and_lists_are_read() {
        for name in ["main.py", "package.json", "requirements-dev.txt", "go.mod", ".nvmrc", "template.yaml"] {
            assert!(is_read(name), "{name}");
        }
        for name in ["package-lock.json", "jquery.min.js", "types.d.ts", "notes.txt", "photo.jpg", ".env"] {
            assert!(!is_read(name), "{name}");
        }
        assert!(is_searched("src") && !is_searched("node_modules") && !is_searched(".venv"));
    }
}
