//! Where the packages of a workspace go: the app's own directory becomes the package's root, and everything around it that
//! the app needs goes below [`AROUND`], arranged as it is in the workspace.
//!
//! Node finds a package by the real path of the file that requires it. So what is around the app keeps its arrangement,
//! and links lead from the app's `node_modules` into it. Nothing is merged: two packages may need different versions of a
//! third one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::files;
use super::links::{normal, relative};
use super::rules::Selection;
use super::tree::{File, Tree};
use crate::error::BuildError;

/// The directory of the package for what is around the app.
const AROUND: &str = "node_modules/.workspace";
const MODULES: &str = "node_modules";
/// Directories of pnpm, bun and Yarn with one directory for each package and what it needs.
const STORES: [&str; 3] = [".pnpm", ".bun", ".store"];

/// A workspace whose packages are installed.
pub(super) struct Layout<'a> {
    /// Its root, with the installed packages. Canonical.
    place: &'a Path,
    /// The same with its members' code.
    project: &'a Path,
    /// The app's directory; empty if it is the root.
    app: &'a str,
    /// Links to members at the root that the app does not need.
    unneeded: BTreeSet<PathBuf>,
    tree: Tree,
    /// What is added next, and what was added.
    open: Vec<PathBuf>,
    added: BTreeSet<PathBuf>,
}

/// All packages that a tool has installed in `place`. `needed` are the names of packages that the app may find at the
/// root of the workspace.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn installed(
    place: &Path,
    project: &Path,
    app: &str,
    needed: &BTreeSet<String>,
) -> Result<Tree, BuildError> {
    let place = canonical(place)?;
    let mut layout = Layout {
        place: &place,
        project,
        app,
        unneeded: BTreeSet::new(),
        tree: Tree::default(),
        open: Vec::new(),
        added: BTreeSet::new(),
    };
    if app.is_empty() {
        for directory in modules_below(&place) {
            layout.add_all(&directory)?;
        }
        return Ok(layout.tree);
    }
    layout.unneeded = unneeded_members(&place.join(MODULES), needed);
    layout.add_all(&place.join(app).join(MODULES))?;
    layout.add_all(&place.join(MODULES))?;
    layout.link_to_root();
    layout.add_open()?;
    Ok(layout.tree)
}

/// The `node_modules` of an app in a workspace, with what its links lead to in the workspace.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn own(root: &Path, app: &str) -> Result<Tree, BuildError> {
    let mut layout = Layout {
        place: root,
        project: root,
        app,
        unneeded: BTreeSet::new(),
        tree: Tree::default(),
        open: Vec::new(),
        added: BTreeSet::new(),
    };
    layout.add_all(&root.join(app).join(MODULES))?;
    layout.add_open()?;
    // Packages of pnpm find here what they need and do not declare.
    for store in STORES {
        layout.add_links(&root.join(MODULES).join(store).join(MODULES))?;
    }
    Ok(layout.tree)
}

impl Layout<'_> {
    /// The name in the package.
    fn name_of(&self, path: &Path) -> Option<String> {
        let inner = path.strip_prefix(self.place).ok()?.to_str()?;
        if self.app.is_empty() {
            return Some(inner.to_owned());
        }
        match inner.strip_prefix(self.app) {
            Some("") => Some(String::new()),
            Some(rest) if rest.starts_with('/') => Some(rest[1..].to_owned()),
            _ if inner.is_empty() => Some(AROUND.to_owned()),
            _ => Some(format!("{AROUND}/{inner}")),
        }
    }

    /// Adds the files and links of a directory, as they are.
    fn add_all(&mut self, directory: &Path) -> Result<(), BuildError> {
        let is_added = directory.ancestors().any(|around| self.added.contains(around));
        if is_added || !self.added.insert(directory.to_owned()) || !directory.is_dir() {
            return Ok(());
        }
        for entry in WalkDir::new(directory).sort_by_file_name() {
            let entry = entry.map_err(|error| files::unreadable(directory, error))?;
            if entry.path_is_symlink() {
                self.add_link(entry.path());
            } else if !entry.file_type().is_dir()
                && let Some(name) = self.name_of(entry.path())
            {
                self.tree.insert(name, files::file(&entry)?);
            }
        }
        Ok(())
    }

    /// Adds the links of a directory, but not what they lead to.
    fn add_links(&mut self, directory: &Path) -> Result<(), BuildError> {
        let open = std::mem::take(&mut self.open);
        let links = WalkDir::new(directory).into_iter().flatten().filter(|entry| entry.path_is_symlink());
        links.for_each(|entry| self.add_link(entry.path()));
        self.open = open;
        Ok(())
    }

    fn add_link(&mut self, path: &Path) {
        if self.unneeded.contains(path) {
            return;
        }
        let (Ok(target), Some(around)) = (std::fs::read_link(path), path.parent()) else { return };
        let Ok(real) = path.canonicalize() else { return };
        // A link to a link stays one.
        let near = normal(&around.join(&target));
        let target = if near.starts_with(self.place) { near } else { real.clone() };
        if let (Some(name), Some(to)) = (self.name_of(path), self.name_of(&target)) {
            self.tree.insert(name.clone(), File::link(relative(&name, &to)));
            self.open.push(real);
        }
    }

    /// The app finds here what is at the root of the workspace.
    fn link_to_root(&mut self) {
        for (name, path) in packages_in(&self.place.join(MODULES)) {
            let inner = format!("{MODULES}/{name}");
            if self.unneeded.contains(&path) || self.tree.has_below(&inner) {
                continue;
            }
            if let Some(to) = self.name_of(&path) {
                self.tree.insert(inner.clone(), File::link(relative(&inner, &to)));
                self.open.push(path.canonicalize().unwrap_or(path));
            }
        }
    }

    /// Adds what links lead to, with what the links in there lead to.
    fn add_open(&mut self) -> Result<(), BuildError> {
        let mut seen = BTreeSet::new();
        while let Some(path) = self.open.pop() {
            if path.starts_with(self.place.join(self.app)) || !seen.insert(path.clone()) {
                continue;
            }
            match self.package_around(&path) {
                Some(Around::Installed(directory)) => self.add_all(&directory)?,
                Some(Around::Member(directory)) => self.add_member(&directory)?,
                None => {}
            }
        }
        Ok(())
    }

    fn package_around(&self, path: &Path) -> Option<Around> {
        let inner: Vec<&str> = path.strip_prefix(self.place).ok()?.to_str()?.split('/').collect();
        let below = |count: usize| self.place.join(inner[..count].iter().collect::<PathBuf>());
        let Some(last) = inner.iter().rposition(|part| *part == MODULES) else {
            let counts = (1..=inner.len()).rev();
            return counts
                .map(below)
                .find(|directory| directory.join("package.json").is_file() || self.is_listed(directory))
                .map(Around::Member);
        };
        // What is beside a package in a store is what the package needs.
        if last >= 2 && STORES.contains(&inner[last - 2]) {
            return Some(Around::Installed(below(last)));
        }
        let is_scoped = inner.get(last + 1).is_some_and(|part| part.starts_with('@'));
        Some(Around::Installed(below(inner.len().min(last + if is_scoped { 3 } else { 2 }))))
    }

    /// The copy of a project has no lists any more.
    fn is_listed(&self, directory: &Path) -> bool {
        let inner = directory.strip_prefix(self.place).ok();
        inner.is_some_and(|inner| self.project.join(inner).join("package.json").is_file())
    }

    /// Adds the code of a member of the workspace, and what is installed for it.
    fn add_member(&mut self, directory: &Path) -> Result<(), BuildError> {
        if self.added.contains(&directory.join(MODULES)) {
            return Ok(());
        }
        let inner = directory.strip_prefix(self.place).unwrap_or(directory);
        let Some(name) = self.name_of(directory) else { return Ok(()) };
        let files::Gathered { tree, .. } =
            files::gather(&self.project.join(inner), self.project, &Selection::default(), Some(MODULES))?;
        self.tree.put_below(&name, tree);
        self.add_all(&directory.join(MODULES))
    }
}

enum Around {
    Installed(PathBuf),
    Member(PathBuf),
}

/// All `node_modules` of a directory, except those within others.
fn modules_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut walk = WalkDir::new(directory).into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_dir() && entry.file_name() == MODULES {
            found.push(entry.path().to_owned());
            walk.skip_current_dir();
        }
    }
    found
}

fn canonical(path: &Path) -> Result<PathBuf, BuildError> {
    path.canonicalize().map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error))
}

/// The packages and programs in a `node_modules`, by their names.
fn packages_in(modules: &Path) -> Vec<(String, PathBuf)> {
    let listed = |directory: &Path| -> Vec<(String, PathBuf)> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.to_owned(), entry.path()))).collect()
    };
    let mut names = Vec::new();
    for (name, path) in listed(modules) {
        if name == ".bin" || name.starts_with('@') {
            names.extend(listed(&path).into_iter().map(|(inner, path)| (format!("{name}/{inner}"), path)));
        } else if !name.starts_with('.') {
            names.push((name, path));
        }
    }
    names
}

/// Tools link every member at the root of a workspace, even those that the app does not need.
fn unneeded_members(modules: &Path, needed: &BTreeSet<String>) -> BTreeSet<PathBuf> {
    let is_member = |path: &Path| path.canonicalize().is_ok_and(|real| !real.starts_with(modules));
    let members = packages_in(modules).into_iter().filter(|(name, path)| !needed.contains(name) && is_member(path));
    members.map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::Content;
    use super::*;

    /// Files end in anything; `a -> b` is a link.
    fn made(files: &[&str]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for file in files {
            let (name, target) = file.split_once(" -> ").map_or((*file, None), |(name, to)| (name, Some(to)));
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match target {
                Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
                None => std::fs::write(path, name).unwrap(),
            }
        }
        place
    }

    fn shown(tree: &Tree) -> Vec<String> {
        let show = |(name, file): (&String, &File)| match &file.content {
            Content::Link(to) => format!("{name} -> {to}"),
            _ => name.clone(),
        };
        tree.iter().map(show).collect()
    }

    #[test]
    fn hoisted_packages_stay_beside_each_other() {
        let place = made(&[
            "node_modules/x/1.js",
            "node_modules/shared -> ../packages/shared",
            "node_modules/app -> ../packages/app",
            "node_modules/other -> ../packages/other",
            "node_modules/@s/y/y.js",
            "node_modules/.bin/x -> ../x/1.js",
            "packages/app/node_modules/x/2.js",
            "packages/shared/node_modules/z/z.js",
            "packages/other/node_modules/never.js",
        ]);
        let project = made(&["packages/shared/package.json", "packages/shared/index.js", "packages/other/never.js"]);
        let needed = ["x", "shared", "@s/y"].map(str::to_owned).into();
        let tree = installed(place.path(), project.path(), "packages/app", &needed).unwrap();
        let found: Vec<String> = shown(&tree).iter().map(|name| name.replace("node_modules", "n")).collect();
        assert_eq!(
            found,
            [
                "n/.bin/x -> ../.workspace/n/.bin/x",
                "n/.workspace/n/.bin/x -> ../x/1.js",
                "n/.workspace/n/@s/y/y.js",
                "n/.workspace/n/shared -> ../packages/shared",
                "n/.workspace/n/x/1.js",
                "n/.workspace/packages/shared/index.js",
                "n/.workspace/packages/shared/n/z/z.js",
                "n/.workspace/packages/shared/package.json",
                "n/@s/y -> ../.workspace/n/@s/y",
                "n/shared -> .workspace/n/shared",
                "n/x/2.js",
            ]
        );
    }

    #[test]
    fn only_what_links_lead_to_is_taken_from_a_store() {
        let place = made(&[
            "package.json",
            "node_modules/.pnpm/a@1/node_modules/a/a.js",
            "node_modules/.pnpm/a@1/node_modules/b -> ../../b@1/node_modules/b",
            "node_modules/.pnpm/b@1/node_modules/b/b.js",
            "node_modules/.pnpm/never@1/node_modules/never/n.js",
            "node_modules/.pnpm/node_modules/b -> ../b@1/node_modules/b",
            "packages/app/node_modules/a -> ../../../node_modules/.pnpm/a@1/node_modules/a",
            "packages/app/node_modules/shared -> ../../shared",
            "packages/shared/package.json",
            "packages/shared/node_modules/b -> ../../../node_modules/.pnpm/b@1/node_modules/b",
        ]);
        let root = place.path().canonicalize().unwrap();
        let found: Vec<String> =
            shown(&own(&root, "packages/app").unwrap()).iter().map(|name| name.replace("node_modules", "n")).collect();
        assert_eq!(
            found,
            [
                "n/.workspace/n/.pnpm/a@1/n/a/a.js",
                "n/.workspace/n/.pnpm/a@1/n/b -> ../../b@1/n/b",
                "n/.workspace/n/.pnpm/b@1/n/b/b.js",
                "n/.workspace/n/.pnpm/n/b -> ../b@1/n/b",
                "n/.workspace/packages/shared/n/b -> ../../../n/.pnpm/b@1/n/b",
                "n/.workspace/packages/shared/package.json",
                "n/a -> .workspace/n/.pnpm/a@1/n/a",
                "n/shared -> .workspace/packages/shared",
            ]
        );
    }
}
