//! Which files of a directory go into a package.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::links::{self, Leads, Links};
use super::rules::{Rules, Selection, Stays};
use super::tree::{Content, File, Tree};
use crate::error::BuildError;

/// The files to package, and notes about those that are left out.
pub(super) struct Gathered {
    pub(super) tree: Tree,
    pub(super) notes: Vec<String>,
    /// Whether links of its `node_modules` lead to packages elsewhere in the project. They are not in the tree.
    pub(super) leads_to_packages: bool,
}

/// The files to package. If `installs` names a directory, lamstream fills it itself, and the app's own directory of that
/// name is left out. What links lead to is packaged if it belongs to `project`, the directory around the app.
///
/// # Errors
/// When a file to package cannot be read, or is neither a file nor a directory.
pub(super) fn gather(
    directory: &Path,
    project: &Path,
    selection: &Selection,
    installs: Option<&str>,
) -> Result<Gathered, BuildError> {
    gather_by(Rules::of(directory, selection, installs)?, project)
}

/// The same with nothing but the files that `include` names and `exclude` does not, wherever links to them lead.
pub(super) fn gather_named(directory: &Path, selection: &Selection) -> Result<(Tree, Vec<String>), BuildError> {
    let Gathered { tree, mut notes, .. } = gather_by(Rules::of_named(directory, selection)?, directory)?;
    let (tree, dangling) = tree.without_dangling();
    notes.extend(dangling.iter().map(|(name, text)| links::note_of_dangling(name, text)));
    Ok((tree, notes))
}

fn gather_by(rules: Rules<'_>, project: &Path) -> Result<Gathered, BuildError> {
    let directory = rules.directory;
    let gathered = Gathered { tree: Tree::default(), notes: Vec::new(), leads_to_packages: false };
    let mut gatherer = Gatherer { rules, links: Links::of(directory, project), gathered, followed: Vec::new() };
    gatherer.add(directory, "")?;
    Ok(gatherer.gathered)
}

struct Gatherer<'a> {
    rules: Rules<'a>,
    links: Links,
    gathered: Gathered,
    /// The directories that links led to and that are being gathered, from the outermost.
    followed: Vec<PathBuf>,
}

impl Gatherer<'_> {
    /// Adds what is in a directory, below a name of the package; the name is empty or ends in `/`.
    fn add(&mut self, directory: &Path, below: &str) -> Result<(), BuildError> {
        let mut walk = WalkDir::new(directory).min_depth(1).sort_by_file_name().into_iter();
        while let Some(found) = walk.next() {
            let path = match &found {
                Ok(entry) => entry.path().to_owned(),
                Err(error) => error.path().unwrap_or(directory).to_owned(),
            };
            let inner = path.strip_prefix(directory).unwrap_or(Path::new(""));
            let name = format!("{below}{}", inner.to_string_lossy());
            let is_link = found.as_ref().is_ok_and(DirEntry::path_is_symlink);
            let is_directory = found.is_ok() && path.is_dir();
            let stays = self.rules.judge(&name, &path, is_directory).filter(|_| !inner.as_os_str().is_empty());
            if let Some(stays) = stays {
                let is_whole = self.leave_out(stays, &name, is_directory);
                if is_whole && is_directory && !is_link {
                    walk.skip_current_dir();
                }
                continue;
            }
            let entry = found.map_err(|error| unreadable(directory, error))?;
            if is_link {
                self.add_link(&path, &name_of(&entry, directory, below)?)?;
            } else if !is_directory {
                self.gathered.tree.insert(name_of(&entry, directory, below)?, file(&entry)?);
            }
        }
        Ok(())
    }

    /// Notes what is left out. False if `include` may match something in it.
    fn leave_out(&mut self, stays: Stays, name: &str, is_directory: bool) -> bool {
        let is_entered = is_directory && self.rules.include.lead_into(name);
        let notes = &mut self.gathered.notes;
        match stays {
            Stays::Excluded => return self.rules.include.is_empty(),
            Stays::Unwanted { .. } | Stays::InstalledAnew if is_entered => return false,
            // A directory of secrets is noted once, not for each of its files.
            Stays::Unwanted { note } => notes.extend(note.map(|note| note(name))),
            // At the root it is replaced; deeper it is missing.
            Stays::InstalledAnew => notes.extend((is_directory && name.contains('/')).then(|| {
                format!(
                    "`{name}` is left out because lamstream installs packages; add it to `include` if the app needs it"
                )
            })),
        }
        true
    }

    fn add_link(&mut self, path: &Path, name: &str) -> Result<(), BuildError> {
        let is_asked = self.rules.include.match_path(name);
        let leads = self.links.judge(path, name, is_asked, self.followed.last().map(PathBuf::as_path));
        match self.unnamed_target(path).filter(|_| matches!(leads, Leads::Within(_))).map_or(leads, Leads::ToPart) {
            Leads::Within(text) => drop(self.gathered.tree.insert(name.to_owned(), File::link(text))),
            Leads::ToPackages => self.gathered.leads_to_packages = true,
            Leads::ToPart(target) if target.is_dir() => {
                if self.followed.contains(&target) {
                    let error =
                        BuildError::new(format!("cannot zip `{}`: it leads to a directory around it", path.display()));
                    return Err(error.hint("delete it, or add it to `exclude`"));
                }
                self.followed.push(target.clone());
                let added = self.add(&target, &format!("{name}/"));
                self.followed.pop();
                added?;
            }
            Leads::ToPart(target) => {
                let entry = WalkDir::new(&target).max_depth(0).into_iter().next();
                if let Some(entry) = entry {
                    let entry = entry.map_err(|error| unreadable(path, error))?;
                    self.gathered.tree.insert(name.to_owned(), file(&entry)?);
                }
            }
            Leads::Out(target) => self.gathered.notes.push(links::note(name, &target)),
        }
        Ok(())
    }

    /// What a link leads to in the directory, if only named files are packaged and it is not one of them: a link to it
    /// would lead to nothing.
    fn unnamed_target(&self, path: &Path) -> Option<PathBuf> {
        let target = path.canonicalize().ok().filter(|_| self.rules.only_named)?;
        let inner = self.links.inner(&target)?;
        self.rules.judge(&inner, &target, target.is_dir()).map(|_| target)
    }
}

/// All files of a directory that was installed. Links are followed.
pub(super) fn gather_all(directory: &Path) -> Result<Tree, BuildError> {
    let mut tree = Tree::default();
    for entry in WalkDir::new(directory).min_depth(1).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        if !entry.file_type().is_dir() {
            tree.insert(name_of(&entry, directory, "")?, file(&entry)?);
        }
    }
    Ok(tree)
}

pub(super) fn file(entry: &DirEntry) -> Result<File, BuildError> {
    let path = entry.path();
    let metadata = entry.metadata().map_err(|error| unreadable(path, error))?;
    if !metadata.is_file() {
        let error = BuildError::new(format!("cannot zip `{}`: it is neither a file nor a directory", path.display()));
        return Err(error.hint("delete it, or add it to `exclude`"));
    }
    Ok(File { content: Content::At(path.to_owned()), executable: metadata.permissions().mode() & 0o111 != 0 })
}

/// Below a name of the package, with `/` between its parts, as in zips.
fn name_of(entry: &DirEntry, directory: &Path, below: &str) -> Result<String, BuildError> {
    let inner = entry.path().strip_prefix(directory).unwrap_or(entry.path());
    inner.to_str().map(|inner| format!("{below}{inner}")).ok_or_else(|| {
        BuildError::new(format!("cannot zip `{}`: its name is not valid UTF-8", entry.path().display()))
            .hint("rename it, or add it to `exclude`")
    })
}

pub(super) fn unreadable(path: &Path, error: walkdir::Error) -> BuildError {
    let path = error.path().unwrap_or(path).display().to_string();
    let is_inside = error.depth() > 0;
    let error = BuildError::new(format!("cannot read `{path}`")).because(error);
    if is_inside { error.hint("delete it, or add it to `exclude`") } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exclude::{self, deployment};

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
        let Gathered { tree, notes, .. } =
            gather(directory.path(), directory.path(), &selection, Some("node_modules")).unwrap();
        (tree.iter().map(|(name, _)| name.clone()).collect(), notes)
    }

    const FILES: [&str; 8] =
        ["main.py", "run.sh", ".env", "docs/a.md", "docs/deep/b.md", "static/x.css", ".git/HEAD", "keys/server.key"];

    #[test]
    fn secrets_and_clutter_are_left_out() {
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
    fn a_cache_is_noted_once_and_can_be_included() {
        let files = ["a.py", "models/CACHEDIR.TAG", "models/big/x.bin", ".venv/pyvenv.cfg", "env/pyvenv.cfg", "env/x"];
        let (names, notes) = gathered(&files, &[], &[]);
        assert_eq!((names, notes), (vec!["a.py".to_owned()], vec![exclude::note_of_cache("models")]));
        let (names, notes) = gathered(&files, &["models"], &[]);
        assert!(names.contains(&"models/big/x.bin".to_owned()) && notes.is_empty(), "{names:?} {notes:?}");
        assert!(gathered(&files, &[], &["models"]).1.is_empty());
    }

    #[test]
    fn what_lamstream_installs_and_writes_is_left_out() {
        let files = ["a.js", "node_modules/dev/x.js", "sub/node_modules/x.js", "target/lamstream/site.zip", "target/b"];
        let (names, notes) = gathered(&files, &[], &[]);
        assert_eq!(names, ["a.js", "target/b"]);
        assert!(notes.len() == 1 && notes[0].contains("`sub/node_modules`"), "{notes:?}");
        assert_eq!(gathered(&files, &["sub/node_modules"], &[]).0, ["a.js", "sub/node_modules/x.js", "target/b"]);
    }

    #[test]
    fn what_the_manifest_is_and_reads_is_left_out_unless_it_is_named() {
        let mut files = vec!["a.py", "shop.conf", "keys/token", "sub/cdk.out/x", "template.yaml"];
        let (names, notes) = gathered(&files, &[], &[]);
        assert_eq!(names, ["a.py"]);
        assert_eq!(notes, [exclude::note_of_value("keys/token"), deployment::note("template.yaml")]);
        let copies =
            ["shop.conf.bak", "#shop.conf#", "keys/token.old", "template.yaml.orig", "cdk.out.bak/x", "a.py.bak"];
        assert_eq!(gathered(&[files.as_slice(), &copies].concat(), &[], &[]).0, ["a.py", "a.py.bak"]);
        files.extend(["keys/token.old"]);
        assert_eq!(gathered(&files, &["token.old"], &[]).0, ["a.py", "keys/token.old"]);
        files.pop();
        let names = |include: &[&str]| gathered(&files, include, &[]).0.join(" ");
        assert_eq!(names(&["keys/token", "*.conf"]), "a.py keys/token shop.conf");
        assert_eq!(names(&["cdk.out", "template.yaml"]), "a.py sub/cdk.out/x template.yaml");
    }

    #[test]
    fn another_name_does_not_save_a_file_that_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("token"), "x").unwrap();
        std::os::unix::fs::symlink("token", path("link")).unwrap();
        std::fs::hard_link(path("token"), path("twin")).unwrap();
        let selection = Selection { values: vec![path("token")], ..Selection::default() };
        let tree = gather(directory.path(), directory.path(), &selection, None).unwrap().tree.without_dangling().0;
        assert_eq!(tree.iter().count(), 0);
    }

    #[test]
    fn what_is_not_a_file_and_what_no_zip_can_name_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &[u8]| directory.path().join("app").join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(directory.path().join("app")).unwrap();
        std::fs::create_dir_all(directory.path().join("common")).unwrap();
        let gathered = |exclude: &[&str]| {
            let exclude = exclude.iter().map(|&pattern| pattern.to_owned()).collect();
            let selection = Selection { exclude, ..Selection::default() };
            gather(&path(b""), directory.path(), &selection, None)
        };
        std::fs::write(path(b"a"), "a").unwrap();
        // Emacs locks a file with such a link.
        symlink("nowhere", path(b".#main.py")).unwrap();
        assert_eq!(gathered(&[]).unwrap().tree.iter().count(), 1);
        std::fs::create_dir_all(directory.path().join("other")).unwrap();
        symlink("../other", directory.path().join("common/again")).unwrap();
        symlink("../common", directory.path().join("other/back")).unwrap();
        for (target, name, pattern, words) in
            [("a", &b"e\xff"[..], "e*", "/e"), ("../common", b"d", "d", "/other/back")]
        {
            symlink(target, path(name)).unwrap();
            let error = gathered(&[]).err().unwrap();
            assert!(error.message.contains(words), "{}", error.message);
            assert!(error.hints.iter().any(|hint| hint.contains("`exclude`")), "{:?}", error.hints);
            gathered(&[pattern]).unwrap();
            std::fs::remove_file(path(name)).unwrap();
        }
    }
}
