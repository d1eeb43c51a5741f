//! Which files matter, and when one of them changes.

use crate::failure::{Failure, FailureKind};
use ignore::WalkBuilder;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// An editor may write several files, or one file in several steps: a change ends when nothing happens for this time.
const QUIET: Duration = Duration::from_millis(40);
/// A change that goes on ends after this time.
const LONGEST: Duration = Duration::from_millis(500);
/// Directories that tools make of other files.
const MADE: [&str; 12] = [
    ".git",
    ".hg",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    "__pycache__",
    "node_modules",
    "target",
    "venv",
    ".terraform",
];
/// The ends of the names of files that editors write beside those that they edit.
const OF_EDITORS: [&str; 7] = ["~", ".swp", ".swo", ".swx", ".tmp", ".crswap", ".bak"];

/// The files that matter. All paths are absolute.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    /// The manifest's directory.
    pub directory: PathBuf,
    /// Directories whose files matter, except those that Git ignores and those that tools make.
    pub trees: BTreeSet<PathBuf>,
    /// Files that matter in any case, such as those that Git ignores because they contain secrets.
    pub files: BTreeSet<PathBuf>,
}

impl Roots {
    pub(super) fn new(directory: &Path, manifest: &Path) -> Roots {
        Roots { directory: absolute(directory), trees: BTreeSet::new(), files: [absolute(manifest)].into() }
    }

    fn has(&self, path: &Path) -> bool {
        if self.files.contains(path) {
            return true;
        }
        let is_made = |tree: &PathBuf| {
            let inside = path.strip_prefix(tree).unwrap_or(path);
            inside.components().any(|part| MADE.iter().any(|made| part.as_os_str() == *made))
        };
        let is_left_out = |tree: &PathBuf| {
            let inside = path.ancestors().take_while(|above| above.starts_with(tree) && above != tree);
            is_made(tree) || inside.into_iter().any(is_ignored)
        };
        let mut trees = self.trees.iter().filter(|tree| path.starts_with(tree));
        trees.any(|tree| !is_left_out(tree)) && !is_of_editor(path)
    }

    /// Every directory that must be watched.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let parents = self.files.iter().chain(self.trees.iter().filter(|tree| tree.is_file()));
        let parents = parents.filter_map(|file| file.parent()).map(Path::to_owned);
        let trees = self.trees.iter().filter(|tree| tree.is_dir());
        let beneath = trees.flat_map(|tree| {
            let found =
                WalkBuilder::new(tree).hidden(false).follow_links(true).filter_entry(|entry| !is_made(entry)).build();
            found
                .flatten()
                .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_dir()))
                .map(|entry| entry.into_path())
        });
        // The directory that Git ignores, such as the output of a build, is watched by itself.
        parents.chain(beneath).chain(self.trees.iter().filter(|tree| tree.is_dir()).cloned()).collect()
    }
}

fn is_made(entry: &ignore::DirEntry) -> bool {
    entry.depth() > 0 && MADE.iter().any(|made| entry.file_name() == *made)
}

fn is_of_editor(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    // Vim looks with the last one whether it can write to a directory.
    OF_EDITORS.iter().any(|end| name.ends_with(end))
        || name.starts_with(".#")
        || name.starts_with('#')
        || name == "4913"
}

/// Whether Git ignores an existing file.
fn is_ignored(path: &Path) -> bool {
    let Some(parent) = path.parent().filter(|_| path.exists()) else { return false };
    let beside = WalkBuilder::new(parent).hidden(false).max_depth(Some(1)).build();
    !beside.flatten().any(|entry| entry.path() == path)
}

/// The path from the root, without `.` and `..`, as the watcher names it.
pub(super) fn absolute(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    // The file may come later.
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => absolute(parent).join(name),
        (_, Some(name)) => absolute(Path::new(".")).join(name),
        _ => path.to_owned(),
    }
}

/// Watches directories.
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<PathBuf>,
    watched: BTreeSet<PathBuf>,
    /// The changed files that [`Watch::changed`] has not returned yet.
    seen: BTreeSet<PathBuf>,
}

impl Watch {
    /// # Errors
    /// If the system has no more watches.
    pub(super) fn new() -> Result<Watch, Failure> {
        let (sender, changes) = mpsc::unbounded_channel();
        let on = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !matches!(event.kind, EventKind::Access(_) | EventKind::Other) {
                // `dev` is ending if nothing receives it.
                event.paths.into_iter().for_each(|path| drop(sender.send(path)));
            }
        };
        let watcher = notify::recommended_watcher(on).map_err(|error| unwatched(&error))?;
        Ok(Watch { watcher, changes, watched: BTreeSet::new(), seen: BTreeSet::new() })
    }

    /// Watches all directories of `roots`, and no others.
    ///
    /// # Errors
    /// If the system has no more watches.
    pub(super) fn follow(&mut self, roots: &Roots) -> Result<(), Failure> {
        let wanted = roots.directories();
        for gone in self.watched.difference(&wanted) {
            // A directory that was deleted is not watched any more.
            let _ = self.watcher.unwatch(gone);
        }
        let mut watched: BTreeSet<PathBuf> = self.watched.intersection(&wanted).cloned().collect();
        for new in wanted.difference(&self.watched) {
            match self.watcher.watch(new, RecursiveMode::NonRecursive) {
                Ok(()) => drop(watched.insert(new.clone())),
                Err(error) if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => return Err(unwatched(&error)),
                // It was deleted in the meantime, or cannot be read.
                Err(_) => {}
            }
        }
        self.watched = watched;
        Ok(())
    }

    /// Waits until files of `roots` have changed, and returns them.
    ///
    /// # Errors
    /// If the watcher has ended.
    pub(super) async fn changed(&mut self, roots: &Roots) -> Result<Vec<PathBuf>, Failure> {
        self.change_begins(roots).await?;
        let more = async {
            while let Ok(Some(path)) = timeout(QUIET, self.changes.recv()).await {
                self.add(path, roots);
            }
        };
        // What goes on for longer is the next change.
        let _ = timeout(LONGEST, more).await;
        Ok(std::mem::take(&mut self.seen).into_iter().collect())
    }

    /// Waits until a file of `roots` has changed. It is still returned by [`Watch::changed`], also if this is dropped.
    ///
    /// # Errors
    /// If the watcher has ended.
    pub(super) async fn change_begins(&mut self, roots: &Roots) -> Result<(), Failure> {
        while self.seen.is_empty() {
            let first = self.changes.recv().await.ok_or_else(stopped)?;
            self.add(first, roots);
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, roots: &Roots) {
        // A directory that was replaced has to be watched again.
        self.watched.remove(&path);
        if roots.has(&path) {
            self.seen.insert(path);
        }
    }
}

fn unwatched(error: &notify::Error) -> Failure {
    Failure::new(FailureKind::Usage, format!("cannot watch the project's files: {error}"))
        .hint("raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`")
}

fn stopped() -> Failure {
    Failure::new(FailureKind::Bug, "the watcher of the project's files has ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn project() -> (tempfile::TempDir, Roots) {
        let directory = tempfile::tempdir().unwrap();
        for file in [
            ".git/HEAD",
            ".gitignore",
            "deploy.toml",
            ".env",
            "app/main.py",
            "app/deep/a.py",
            "app/node_modules/x/y.js",
        ] {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::write(directory.path().join(".gitignore"), ".env\n*.log\n/app/made/\n").unwrap();
        let mut roots = Roots::new(directory.path(), &directory.path().join("deploy.toml"));
        roots.trees.insert(absolute(&directory.path().join("app")));
        roots.files.insert(absolute(&directory.path().join(".env")));
        (directory, roots)
    }

    #[test]
    fn what_is_packaged_matters_and_what_tools_make_does_not() {
        let (_directory, roots) = project();
        let has = |path: &str| roots.has(&roots.directory.join(path));
        for log in ["app/a.log", "app/made/x.py"] {
            let path = roots.directory.join(log);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        for path in ["deploy.toml", ".env", "app/main.py", "app/deep/a.py", "app/gone.py", "app/.hidden"] {
            assert!(has(path), "{path}");
        }
        for path in [
            "other/main.py",
            "app/node_modules/x/y.js",
            "app/__pycache__/main.pyc",
            "app/main.py~",
            "app/.main.py.swp",
            "app/.#main.py",
            "app/4913",
            "app/a.log",
            "app/made/x.py",
        ] {
            assert!(!has(path), "{path}");
        }
        let watched = roots.directories();
        let is_watched = |path: &str| watched.contains(&roots.directory.join(path));
        assert!(is_watched("app") && is_watched("app/deep") && watched.contains(&roots.directory));
        assert!(!is_watched("app/node_modules") && !is_watched("app/made") && !is_watched(".git"));
    }

    #[tokio::test]
    async fn a_change_ends_when_nothing_more_happens() {
        let (_directory, roots) = project();
        let mut watch = Watch::new().unwrap();
        watch.follow(&roots).unwrap();
        fs::write(roots.directory.join("app/main.py.tmp"), "new").unwrap();
        fs::rename(roots.directory.join("app/main.py.tmp"), roots.directory.join("app/main.py")).unwrap();
        fs::write(roots.directory.join("app/deep/a.py"), "new").unwrap();
        let changed = watch.changed(&roots).await.unwrap();
        assert_eq!(changed, ["app/deep/a.py", "app/main.py"].map(|file| roots.directory.join(file)));
        fs::create_dir(roots.directory.join("app/new")).unwrap();
        assert_eq!(watch.changed(&roots).await.unwrap(), [roots.directory.join("app/new")]);
        watch.follow(&roots).unwrap();
        fs::write(roots.directory.join("app/new/b.py"), "").unwrap();
        assert_eq!(watch.changed(&roots).await.unwrap(), [roots.directory.join("app/new/b.py")]);
    }
}
