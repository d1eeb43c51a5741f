//! What a directory holds that goes into a package.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::patterns::Patterns;
use super::unwanted::{self, Unwanted};
use crate::build::archive::Entry;
use crate::build::error::BuildError;

/// Which files go along, by glob patterns. One with a `/` is relative to the directory; one without names files and
/// directories at any depth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What goes along although it would stay behind.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

/// The files of a package by their names in it.
#[derive(Debug, Default)]
pub struct Tree(BTreeMap<String, File>);

#[derive(Debug)]
pub struct File {
    pub content: Content,
    pub executable: bool,
}

#[derive(Debug)]
pub enum Content {
    At(PathBuf),
    Bytes(Vec<u8>),
}

/// What is enough of a file to know an ELF file's machine by.
const HEAD: u64 = 64;

/// The files that go along, and the secrets that do not.
///
/// # Errors
/// When something cannot be read, or is neither file nor directory.
pub fn gather(directory: &Path, selection: &Selection) -> Result<(Tree, Vec<String>), BuildError> {
    let (include, exclude) = (Patterns::of(&selection.include)?, Patterns::of(&selection.exclude)?);
    let (mut tree, mut left_out) = (Tree::default(), Vec::new());
    let mut walk = walk(directory);
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        let name = name_of(&entry, directory)?;
        let named = include.match_path(&name);
        if !named && exclude.match_path(&name) {
            // Something deeper may be named.
            if entry.file_type().is_dir() && include.is_empty() {
                walk.skip_current_dir();
            }
            continue;
        }
        match judge(&entry, directory).filter(|_| !named) {
            Some((why, at)) => {
                // Of a directory of secrets the directory is told, and not each file.
                if why == Unwanted::Secret && at == name {
                    left_out.push(name);
                }
                if entry.file_type().is_dir() && include.is_empty() {
                    walk.skip_current_dir();
                }
            }
            None if entry.file_type().is_dir() => {}
            None => drop(tree.insert(name, file(&entry)?)),
        }
    }
    Ok((tree, left_out))
}

/// All of it: what was installed is there to be used.
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

/// Links are followed: a zip of them would point to what Lambda does not have. A circle of them is an error.
fn walk(directory: &Path) -> walkdir::IntoIter {
    WalkDir::new(directory).min_depth(1).follow_links(true).sort_by_file_name().into_iter()
}

/// Whether the file or a directory around it stays behind; and which of them.
fn judge(entry: &DirEntry, directory: &Path) -> Option<(Unwanted, String)> {
    let inner = entry.path().strip_prefix(directory).ok()?;
    let mut around: Vec<&Path> = inner.ancestors().filter(|path| !path.as_os_str().is_empty()).collect();
    around.reverse();
    around.into_iter().find_map(|path| {
        let name = path.file_name()?.to_string_lossy();
        let why = unwanted::judge(&name, &directory.join(path), path != inner || entry.file_type().is_dir())?;
        Some((why, path.to_string_lossy().into_owned()))
    })
}

fn file(entry: &DirEntry) -> Result<File, BuildError> {
    let path = entry.path();
    let metadata = entry.metadata().map_err(|error| unreadable(path, error))?;
    if !metadata.is_file() {
        let error = BuildError::new(format!("cannot zip `{}`: it is neither a file nor a directory", path.display()));
        return Err(error.hint("remove it, or leave it out with `exclude`"));
    }
    Ok(File { content: Content::At(path.to_owned()), executable: metadata.permissions().mode() & 0o111 != 0 })
}

/// With `/` between its parts, as zips have it.
fn name_of(entry: &DirEntry, directory: &Path) -> Result<String, BuildError> {
    let inner = entry.path().strip_prefix(directory).unwrap_or(entry.path());
    inner.to_str().map(str::to_owned).ok_or_else(|| {
        BuildError::new(format!("cannot zip `{}`: its name is no UTF-8", entry.path().display())).hint("rename it")
    })
}

fn unreadable(path: &Path, error: walkdir::Error) -> BuildError {
    let path = error.path().unwrap_or(path).display().to_string();
    BuildError::new(format!("cannot read `{path}`")).because(error)
}

impl Tree {
    /// Gives what was there before.
    pub fn insert(&mut self, name: String, file: File) -> Option<File> {
        self.0.insert(name, file)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &File)> {
        self.0.iter()
    }

    /// Adds what is not there yet.
    pub fn put_beneath(&mut self, other: Tree) {
        for (name, file) in other.0 {
            self.0.entry(name).or_insert(file);
        }
    }

    /// Sees to it that Lambda can execute a file, whatever mode the checkout gave it.
    pub fn make_executable(&mut self, name: &str, subject: &str) -> Result<(), BuildError> {
        let Some(file) = self.0.get_mut(name) else {
            let error = BuildError::new(format!("cannot use {subject}: there is no `{name}` in it to start it with"));
            return Err(
                error.hint("`run` is a script in that directory, or a command line of several words: `exec NAME`")
            );
        };
        refuse_what_cannot_start(name, &file.bytes()?)?;
        file.executable = true;
        Ok(())
    }

    /// In the order of their names, so that the zip never depends on the file system's.
    pub fn read(&self) -> Result<Vec<Entry>, BuildError> {
        let read = |(name, file): (&String, &File)| {
            Ok(Entry { name: name.clone(), bytes: file.bytes()?, executable: file.executable })
        };
        self.0.iter().map(read).collect()
    }
}

impl File {
    fn bytes(&self) -> Result<Vec<u8>, BuildError> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::At(path) => std::fs::read(path)
                .map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error)),
        }
    }

    /// Its first bytes.
    pub fn head(&self) -> Result<Vec<u8>, BuildError> {
        let Content::At(path) = &self.content else { return self.bytes() };
        let mut head = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        read.map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error))?;
        Ok(head)
    }
}

/// The kernel starts ELF files and scripts that say what runs them.
pub fn refuse_what_cannot_start(name: &str, bytes: &[u8]) -> Result<(), BuildError> {
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if bytes.starts_with(b"\x7fELF") || (first_line.starts_with(b"#!") && !first_line.ends_with(b"\r")) {
        return Ok(());
    }
    if first_line.ends_with(b"\r") {
        let error = BuildError::new(format!(
            "cannot start `{name}`: its lines end as on Windows, so that Linux finds no interpreter"
        ));
        return Err(
            error.hint(format!("convert it: `sed -i 's/\\r$//' {name}`, and `*.sh text eol=lf` in .gitattributes"))
        );
    }
    let error =
        BuildError::new(format!("cannot start `{name}`: it is neither an ELF file nor a script that begins with `#!`"));
    Err(error.hint("begin it with a line such as `#!/bin/bash`"))
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
        let selection = Selection { include: list(include), exclude: list(exclude) };
        let (tree, left_out) = gather(directory.path(), &selection).unwrap();
        (tree.0.into_keys().collect(), left_out)
    }

    const FILES: [&str; 8] =
        ["main.py", "run.sh", ".env", "docs/a.md", "docs/deep/b.md", "static/x.css", ".git/HEAD", "keys/server.key"];

    #[test]
    fn secrets_and_clutter_stay_behind() {
        let (files, left_out) = gathered(&FILES, &[], &[]);
        assert_eq!(files, ["docs/a.md", "docs/deep/b.md", "main.py", "run.sh", "static/x.css"]);
        assert_eq!(left_out, [".env", "keys/server.key"]);
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
    fn links_are_followed_and_what_is_no_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "a").unwrap();
        std::os::unix::fs::symlink("a", directory.path().join("b")).unwrap();
        let (tree, _) = gather(directory.path(), &Selection::default()).unwrap();
        assert_eq!(tree.read().unwrap().iter().map(|file| file.bytes.as_slice()).collect::<Vec<_>>(), [b"a", b"a"]);
        std::os::unix::fs::symlink("nowhere", directory.path().join("c")).unwrap();
        assert!(gather(directory.path(), &Selection::default()).unwrap_err().message.contains("/c`"));
    }

    #[test]
    fn what_cannot_start_is_refused_with_what_helps() {
        let refused = |bytes: &[u8]| refuse_what_cannot_start("run.sh", bytes).unwrap_err();
        assert!(refused(b"python main.py\n").hints[0].contains("#!/bin/bash"));
        assert!(refused(b"#!/bin/bash\r\nexec x\r\n").hints[0].contains("sed -i"));
        refuse_what_cannot_start("run.sh", b"#!/bin/bash\nexec x\n").unwrap();
        refuse_what_cannot_start("server", b"\x7fELF...").unwrap();
    }
}
