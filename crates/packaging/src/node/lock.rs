//! Which lock decides what is installed for a `package.json`, and which tool owns it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::members::{Members, json};
use super::registries;
use crate::tool;

/// A tool that installs packages of Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Npm,
    Pnpm,
    /// Yarn 1.
    Classic,
    /// Yarn 2 and later.
    Berry,
    Bun,
}

/// Files that lock packages. If several are in one directory and nothing names a tool, the first counts.
const FILES: [(&str, Tool); 6] = [
    ("npm-shrinkwrap.json", Tool::Npm),
    ("package-lock.json", Tool::Npm),
    ("pnpm-lock.yaml", Tool::Pnpm),
    ("yarn.lock", Tool::Classic),
    ("bun.lock", Tool::Bun),
    ("bun.lockb", Tool::Bun),
];
/// What only the locks of Yarn 2 and later have.
const OF_BERRY: &str = "__metadata:";

/// The lock of a `package.json`.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub(crate) tool: Tool,
    pub(crate) file: PathBuf,
    /// The directory of the lock: the app's own, or its workspace's root. Canonical.
    pub(crate) root: PathBuf,
    /// The app's directory, relative to the root; empty if it is the root.
    pub(crate) app: String,
    /// Other locks beside it, which are not used.
    pub(crate) unused: Vec<PathBuf>,
}

impl Lock {
    /// The lock beside the list, or at the root of the workspace that it belongs to.
    pub(crate) fn of(list: &Path) -> Option<Lock> {
        let own = tool::around(&list.canonicalize().ok()?);
        registries::directories(list).into_iter().find_map(|root| {
            let app = own.strip_prefix(&root).ok()?.to_str()?.to_owned();
            let mut found = locks_in(&root);
            if found.is_empty() || !(app.is_empty() || Members::of(&root).has(&app)) {
                return None;
            }
            let named = named_tool(&root).or_else(|| named_tool(&own));
            let first = found.iter().position(|(_, tool)| named.as_deref() == Some(tool.name())).unwrap_or(0);
            let (file, tool) = found.remove(first);
            // npm writes both of its locks alike.
            let unused = found.into_iter().filter(|(_, other)| *other != tool).map(|(file, _)| file).collect();
            Some(Lock { tool, file, root, app, unused })
        })
    }
}

/// Whether a file of this name locks packages.
pub(crate) fn is_lock(name: &str) -> bool {
    FILES.iter().any(|(known, _)| *known == name)
}

impl Tool {
    /// The program's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::Npm => "npm",
            Tool::Pnpm => "pnpm",
            Tool::Classic | Tool::Berry => "yarn",
            Tool::Bun => "bun",
        }
    }

    /// The names of the files that it keeps beside a `package.json`.
    pub(crate) fn locks(self) -> impl Iterator<Item = &'static str> {
        FILES.into_iter().filter(move |(_, tool)| tool.name() == self.name()).map(|(name, _)| name)
    }

    /// A version that can read the lock, as npm would install it.
    pub(crate) fn fitting(self, lock: &Path) -> String {
        let root = tool::around(lock);
        let named = named_package(&root).filter(|named| named.split('@').next() == Some(self.name()));
        named.unwrap_or_else(|| match self {
            Tool::Pnpm => format!("pnpm@{}", pnpm_version(&tool::text(lock).unwrap_or_default())),
            Tool::Classic => "yarn@1".to_owned(),
            Tool::Berry => "@yarnpkg/cli-dist".to_owned(),
            Tool::Npm | Tool::Bun => self.name().to_owned(),
        })
    }
}

impl Lock {
    /// Whether the lock has the digest of each package: then settings of registries do not decide what is installed.
    pub(crate) fn has_digests(&self) -> bool {
        if self.tool != Tool::Npm {
            return true;
        }
        let Some(lock) = json(&self.file) else { return false };
        let packages = lock.get("packages").and_then(Value::as_object);
        packages.is_some_and(|all| {
            all.iter().filter(|(place, _)| place.contains("node_modules/")).all(|(_, package)| {
                package.get("integrity").is_some() || package["link"] == true || package["inBundle"] == true
            })
        })
    }
}

fn locks_in(directory: &Path) -> Vec<(PathBuf, Tool)> {
    let all = FILES.into_iter().map(|(name, tool)| (directory.join(name), tool)).filter(|(file, _)| file.is_file());
    let exact = |(file, tool): (PathBuf, Tool)| match tool {
        Tool::Classic if tool::text(&file).is_ok_and(|text| text.lines().any(|line| line == OF_BERRY)) => {
            (file, Tool::Berry)
        }
        _ => (file, tool),
    };
    all.map(exact).collect()
}

/// The version of pnpm that writes locks of this version.
fn pnpm_version(lock: &str) -> &'static str {
    let line = lock.lines().find_map(|line| line.strip_prefix("lockfileVersion:")).unwrap_or_default();
    match line.trim().trim_matches(['\'', '"']).split('.').next() {
        Some("5") => "7",
        Some("6") => "8",
        _ => "10",
    }
}

/// `pnpm` of `"packageManager": "pnpm@9.1.0+sha512.…"`.
fn named_tool(directory: &Path) -> Option<String> {
    named_package(directory)?.split('@').next().map(str::to_owned)
}

/// `pnpm@9.1.0` of the same.
fn named_package(directory: &Path) -> Option<String> {
    let package = json(&directory.join("package.json"))?;
    let named = package.get("packageManager").and_then(Value::as_str)?;
    named.split('+').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)], list: &str) -> Option<(Tool, String, Vec<String>)> {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let lock = Lock::of(&place.path().join(list))?;
        let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
        Some((lock.tool, lock.app, lock.unused.iter().map(name).collect()))
    }

    #[test]
    fn a_lock_is_beside_the_list_or_at_the_root_of_its_workspace() {
        let list = ("a/b/package.json", "{}");
        let lock = ("pnpm-lock.yaml", "");
        let root = ("package.json", "{}");
        assert_eq!(found(&[list, root, lock], "a/b/package.json"), None);
        let workspace = ("pnpm-workspace.yaml", "packages:\n  - 'a/*'\n  - '!a/c'\n");
        let of_root = Some((Tool::Pnpm, "a/b".to_owned(), vec![]));
        assert_eq!(found(&[list, root, lock, workspace], "a/b/package.json"), of_root);
        let left_out = ("a/c/package.json", "{}");
        assert_eq!(found(&[left_out, root, lock, workspace], "a/c/package.json"), None);
        let of_yarn = ("package.json", r#"{"workspaces": {"packages": ["a/*"]}}"#);
        let berry = ("yarn.lock", "# x\n\n__metadata:\n  version: 8\n");
        assert_eq!(found(&[list, of_yarn, berry], "a/b/package.json").unwrap().0, Tool::Berry);
        let own = ("a/b/package-lock.json", "{}");
        assert_eq!(found(&[list, of_yarn, berry, own], "a/b/package.json"), Some((Tool::Npm, String::new(), vec![])));
    }

    #[test]
    fn of_several_locks_the_one_of_the_named_tool_counts() {
        let both = [("package-lock.json", "{}"), ("yarn.lock", ""), ("package.json", "{}")];
        assert_eq!(found(&both, "package.json"), Some((Tool::Npm, String::new(), vec!["yarn.lock".to_owned()])));
        let named = ("package.json", r#"{"packageManager": "yarn@1.22.22+sha1.aa"}"#);
        let found = found(&[both[0], both[1], named], "package.json");
        assert_eq!(found, Some((Tool::Classic, String::new(), vec!["package-lock.json".to_owned()])));
    }

    #[test]
    fn the_version_in_a_hint_can_read_the_lock() {
        let place = tempfile::tempdir().unwrap();
        let lock = place.path().join("pnpm-lock.yaml");
        std::fs::write(&lock, "lockfileVersion: '6.0'\n").unwrap();
        assert_eq!(Tool::Pnpm.fitting(&lock), "pnpm@8");
        std::fs::write(place.path().join("package.json"), r#"{"packageManager": "pnpm@9.1.0+sha512.aa"}"#).unwrap();
        assert_eq!(Tool::Pnpm.fitting(&lock), "pnpm@9.1.0");
    }
}
