//! Which files of a directory go into a package.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::tree::{Content, File, Tree};
use crate::error::BuildError;
use crate::exclude::{self, Unwanted, deployment};
use crate::patterns::{self, Patterns};

/// Which files are packaged, by glob patterns. One with a `/` is relative to the directory; one without matches files and
/// directories at any depth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Files that are packaged although they would be left out.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// Files and directories of lamstream itself, such as its output and the manifest. They are never packaged.
    pub own: Vec<PathBuf>,
    /// Files that the manifest reads values from, which are usually secrets.
    pub values: Vec<PathBuf>,
}

/// The files to package, and notes about those that are left out. If `installs` names a directory, lamstream fills it
/// itself, and the app's own directory of that name is left out.
///
/// # Errors
/// When a file to package cannot be read, or is neither a file nor a directory.
pub fn gather(
    directory: &Path,
    selection: &Selection,
    installs: Option<&str>,
) -> Result<(Tree, Vec<String>), BuildError> {
    let rules = Rules::of(directory, selection, installs)?;
    let (mut tree, mut notes) = (Tree::default(), Vec::new());
    let mut walk = walk(directory);
    while let Some(found) = walk.next() {
        let path = match &found {
            Ok(entry) => entry.path(),
            Err(error) => error.path().unwrap_or(directory),
        };
        let inner = path.strip_prefix(directory).unwrap_or(Path::new(""));
        let name = inner.to_string_lossy().into_owned();
        let is_directory = found.as_ref().is_ok_and(|entry| entry.file_type().is_dir());
        let is_entered = rules.include.lead_into(&name);
        match rules.judge(&name, path, is_directory).filter(|_| !name.is_empty()) {
            None if is_directory => {}
            None => {
                let entry = found.map_err(|error| unreadable(directory, error))?;
                tree.insert(name_of(&entry, directory)?, file(&entry)?);
            }
            // `include` may match something deeper.
            Some(Stays::Excluded) if is_directory && rules.include.is_empty() => walk.skip_current_dir(),
            Some(Stays::Excluded) => {}
            Some(Stays::Unwanted { .. } | Stays::InstalledAnew) if is_directory && is_entered => {}
            Some(Stays::Unwanted { note }) => {
                // A directory of secrets is noted once, not for each of its files.
                notes.extend(note.map(|note| note(&name)));
                if is_directory {
                    walk.skip_current_dir();
                }
            }
            Some(Stays::InstalledAnew) => {
                if is_directory {
                    // At the root it is replaced; deeper it is missing.
                    notes.extend(name.contains('/').then(|| format!(
                        "`{name}` is left out because lamstream installs packages; add it to `include` if the app needs it"
                    )));
                    walk.skip_current_dir();
                }
            }
        }
    }
    Ok((tree, notes))
}

/// Makes a note about a file from its name.
type Note = fn(&str) -> String;

/// Why something is left out.
enum Stays {
    Excluded,
    Unwanted { note: Option<Note> },
    InstalledAnew,
}

struct Rules<'a> {
    directory: &'a Path,
    include: Patterns,
    exclude: Patterns,
    own: Vec<Identity>,
    values: Vec<Identity>,
    installs: Option<&'a str>,
}

/// Device and inode, which identify a file whatever path leads to it.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl<'a> Rules<'a> {
    fn of(directory: &'a Path, selection: &Selection, installs: Option<&'a str>) -> Result<Rules<'a>, BuildError> {
        let (include, exclude) = (Patterns::of(&selection.include)?, Patterns::of(&selection.exclude)?);
        let identities = |paths: &[PathBuf]| paths.iter().filter_map(|path| identity(path)).collect();
        let (own, values) = (identities(&selection.own), identities(&selection.values));
        Ok(Rules { directory, include, exclude, own, values, installs })
    }

    fn judge(&self, name: &str, path: &Path, is_directory: bool) -> Option<Stays> {
        // What `include` matches is packaged with everything in it, except what is unwanted again deeper down.
        let named = patterns::ends(name).rfind(|end| self.include.name(&name[..*end]));
        let excluded = named.is_none() && self.exclude.match_path(name);
        for end in patterns::ends(name).filter(|end| named.is_none_or(|named| *end > named)) {
            let (part, whole) = (&name[..end], end == name.len());
            let is_directory = is_directory || !whole;
            let path = if whole { path.to_owned() } else { self.directory.join(part) };
            if named.is_none()
                && is_directory
                && self.installs.is_some_and(|installs| part.rsplit('/').next() == Some(installs))
            {
                return Some(Stays::InstalledAnew);
            }
            if let Some(note) = self.unwanted(part, &path, is_directory) {
                // What `exclude` matches needs no note.
                return Some(Stays::Unwanted { note: note.filter(|_| !excluded) });
            }
        }
        excluded.then_some(Stays::Excluded)
    }

    /// Whether it is left out because of what it is, and the note about it.
    fn unwanted(&self, inner: &str, path: &Path, is_directory: bool) -> Option<Option<Note>> {
        let is_one_of = |known: &[Identity]| identity(path).is_some_and(|identity| known.contains(&identity));
        match exclude::judge(path, is_directory) {
            Some(Unwanted::Secret) => Some(Some(exclude::note)),
            Some(Unwanted::Clutter) => Some(None),
            None if is_one_of(&self.own) => Some(None),
            None if is_one_of(&self.values) => Some(Some(exclude::note_of_value)),
            None if deployment::is(inner, path, is_directory) => {
                Some(deployment::is_doubtful(path).then_some(deployment::note))
            }
            None => None,
        }
    }
}

/// All files of a directory that was installed.
pub fn gather_all(directory: &Path) -> Result<Tree, BuildError> {
    let mut tree = Tree::default();
    for entry in walk(directory) {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        if !entry.file_type().is_dir() {
            tree.insert(name_of(&entry, directory)?, file(&entry)?);
        }
    }
    Ok(tree)
}

/// Links are followed, because their targets do not exist on Lambda. A cycle of links is an error.
fn walk(directory: &Path) -> walkdir::IntoIter {
    WalkDir::new(directory).min_depth(1).follow_links(true).sort_by_file_name().into_iter()
}

fn file(entry: &DirEntry) -> Result<File, BuildError> {
    let path = entry.path();
    let metadata = entry.metadata().map_err(|error| unreadable(path, error))?;
    if !metadata.is_file() {
        let error = BuildError::new(format!("cannot zip `{}`: it is neither a file nor a directory", path.display()));
        return Err(error.hint("delete it, or add it to `exclude`"));
    }
    Ok(File { content: Content::At(path.to_owned()), executable: metadata.permissions().mode() & 0o111 != 0 })
}

/// With `/` between its parts, as in zips.
fn name_of(entry: &DirEntry, directory: &Path) -> Result<String, BuildError> {
    let inner = entry.path().strip_prefix(directory).unwrap_or(entry.path());
    inner.to_str().map(str::to_owned).ok_or_else(|| {
        BuildError::new(format!("cannot zip `{}`: its name is not valid UTF-8", entry.path().display()))
            .hint("rename it, or add it to `exclude`")
    })
}

fn unreadable(path: &Path, error: walkdir::Error) -> BuildError {
    let path = error.path().unwrap_or(path).display().to_string();
    let is_inside = error.depth() > 0;
    let error = BuildError::new(format!("cannot read `{path}`")).because(error);
    if is_inside { error.hint("delete it, or add it to `exclude`") } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(files: &[&str], include: &[&str], exclude: &[&str]) -> (Vec<String>, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let list = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let own = vec![directory.path().join("target/lamstream"), directory.path().join("shop.conf")];
        let values = vec![directory.path().join("keys/token")];
        let selection = Selection { include: list(include), exclude: list(exclude), own, values };
        let (tree, notes) = gather(directory.path(), &selection, Some("node_modules")).unwrap();
        (tree.iter().map(|(name, _)| name.clone()).collect(), notes)
    }

    const FILES: [&str; 8] =
        ["main.py", "run.sh", ".env", "docs/a.md", "docs/deep/b.md", "static/x.css", ".git/HEAD", "keys/server.key"];

    #[test]
    fn secrets_and_clutter_stay_behind() {
        let (files, notes) = gathered(&FILES, &[], &[]);
        assert_eq!(files, ["docs/a.md", "docs/deep/b.md", "main.py", "run.sh", "static/x.css"]);
        assert_eq!(notes, [".env", "keys/server.key"].map(exclude::note));
    }

    #[test]
    fn patterns_name_what_goes_and_what_stays() {
        let names = |include: &[&str], exclude: &[&str]| gathered(&FILES, include, exclude).0.join(" ");
        assert_eq!(names(&[".env"], &["docs"]), ".env main.py run.sh static/x.css");
        assert_eq!(names(&["docs/a.md"], &["docs", "*.css"]), "docs/a.md main.py run.sh");
        assert_eq!(names(&[], &["*.md", "static/**"]), "main.py run.sh");
        assert_eq!(
            names(&["keys/server.key"], &["docs/deep"]),
            "docs/a.md keys/server.key main.py run.sh static/x.css"
        );
    }

    #[test]
    fn what_is_in_a_directory_that_is_included_is_judged_again() {
        let files = ["config/a.py", "config/.env", "config/server.key", ".git/config", ".venv/lib/ca.pem", "ca.pem"];
        let names = |include: &[&str]| gathered(&files, include, &[]).0.join(" ");
        assert_eq!(names(&["config"]), "ca.pem config/a.py");
        assert_eq!(gathered(&files, &["config"], &[]).1.len(), 2);
        assert_eq!(names(&["*.pem", "**/*.pem"]), "ca.pem config/a.py");
        assert_eq!(names(&["config/.env"]), "ca.pem config/.env config/a.py");
        assert_eq!(names(&[".venv/**/*.pem"]), ".venv/lib/ca.pem ca.pem config/a.py");
        assert_eq!(names(&[".git"]), ".git/config ca.pem config/a.py");
    }

    #[test]
    fn what_lamstream_installs_and_writes_stays_behind() {
        let files = ["a.js", "node_modules/dev/x.js", "sub/node_modules/x.js", "target/lamstream/site.zip", "target/b"];
        let (names, notes) = gathered(&files, &[], &[]);
        assert_eq!(names, ["a.js", "target/b"]);
        assert!(notes.len() == 1 && notes[0].contains("`sub/node_modules`"), "{notes:?}");
        assert_eq!(gathered(&files, &["sub/node_modules"], &[]).0, ["a.js", "sub/node_modules/x.js", "target/b"]);
    }

    #[test]
    fn what_the_manifest_is_and_reads_stays_behind_unless_it_is_named() {
        let files = ["a.py", "shop.conf", "keys/token", "sub/cdk.out/x", "template.yaml"];
        let (names, notes) = gathered(&files, &[], &[]);
        assert_eq!(names, ["a.py"]);
        assert_eq!(notes, [exclude::note_of_value("keys/token"), deployment::note("template.yaml")]);
        let names = |include: &[&str]| gathered(&files, include, &[]).0.join(" ");
        assert_eq!(names(&["keys/token", "*.conf"]), "a.py keys/token shop.conf");
        assert_eq!(names(&["cdk.out", "template.yaml"]), "a.py sub/cdk.out/x template.yaml");
    }

    #[test]
    fn another_name_of_a_file_that_stays_behind_does_not_help_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("token"), "x").unwrap();
        std::os::unix::fs::symlink("token", path("link")).unwrap();
        std::fs::hard_link(path("token"), path("twin")).unwrap();
        let selection = Selection { values: vec![path("token")], ..Selection::default() };
        assert_eq!(gather(directory.path(), &selection, None).unwrap().0.iter().count(), 0);
    }

    #[test]
    fn links_are_followed_and_what_is_no_file_is_named() {
        use std::os::unix::ffi::OsStrExt as _;
        let directory = tempfile::tempdir().unwrap();
        let link = |target: &str, name: &[u8]| {
            std::os::unix::fs::symlink(target, directory.path().join(std::ffi::OsStr::from_bytes(name))).unwrap();
        };
        let gathered = |exclude: &[&str]| {
            let exclude = exclude.iter().map(|&pattern| pattern.to_owned()).collect();
            gather(directory.path(), &Selection { exclude, ..Selection::default() }, None)
        };
        std::fs::write(directory.path().join("a"), "a").unwrap();
        link("a", b"b");
        link("nowhere", b".#main.py");
        let (tree, _) = gathered(&[]).unwrap();
        assert_eq!(tree.read().unwrap().iter().map(|file| file.bytes.as_slice()).collect::<Vec<_>>(), [b"a", b"a"]);
        for (target, name, pattern) in [("nowhere", &b"c"[..], "c"), (".", b"d", "d"), ("a", b"e\xff", "e*")] {
            link(target, name);
            let error = gathered(&[]).unwrap_err();
            assert!(error.message.contains(&format!("/{}", &pattern[..1])), "{}", error.message);
            assert!(error.hints.iter().any(|hint| hint.contains("`exclude`")), "{:?}", error.hints);
            gathered(&[pattern]).unwrap();
            std::fs::remove_file(directory.path().join(std::ffi::OsStr::from_bytes(name))).unwrap();
        }
    }
}
