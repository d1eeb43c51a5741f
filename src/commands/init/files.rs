//! The files that `init` reads and writes.

use crate::failure::Failure;
use crate::init::{DEEPEST_FILE, Installed, LARGEST, Tree, is_read, is_searched};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A directory with more files than this is not read to its end.
const MOST: usize = 5000;
/// What a directory may have before there is an app in it.
const BLANK: [&str; 10] = [
    ".git",
    ".gitignore",
    ".gitattributes",
    ".github",
    ".idea",
    ".vscode",
    ".DS_Store",
    "LICENSE",
    "README",
    "LICENCE",
];

/// Whether a directory is missing, or has nothing but what a new repository has.
pub(super) fn is_blank(directory: &Path) -> bool {
    first_of_an_app(directory).is_none()
}

/// The first name in a directory that a new repository does not have.
fn first_of_an_app(directory: &Path) -> Option<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !is_of_repository(name)).min()
}

fn is_of_repository(name: &str) -> bool {
    let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name);
    BLANK.contains(&name) || BLANK.contains(&stem)
}

/// Refuses to write a template into a directory that has other files.
///
/// # Errors
/// If a directory has more than a new repository has.
pub(super) fn refuse_app(directory: &Path) -> Result<(), Failure> {
    let Some(name) = first_of_an_app(directory) else { return Ok(()) };
    let message = format!("`{}` is not empty: it has `{name}`; a template is for a new app", directory.display());
    Err(Failure::usage(message)
        .hint("start it in another directory: `lamstream init DIR --template NAME`")
        .hint("for the app that is there, leave out `--template`"))
}

/// Whether a file of a template stays as it is, because a new repository has it.
pub(super) fn is_kept(directory: &Path, path: &str) -> bool {
    is_of_repository(path) && placed(directory, path).is_file()
}

/// The last name of a directory's path.
pub(super) fn name_of(directory: &Path) -> String {
    let full = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    full.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path in a directory, as the user would type it.
pub(super) fn placed(directory: &Path, path: &str) -> PathBuf {
    if directory == Path::new(".") { PathBuf::from(path) } else { directory.join(path) }
}

/// The versions of Python and Node.js that this machine has, if the app needs them.
pub(super) fn installed(tree: Option<&Tree>) -> Installed {
    let needs = |end: &str| tree.is_none_or(|tree| tree.has_name_with(end));
    Installed {
        python: if needs(".py") { packaging::pythons_here() } else { Vec::new() },
        node: if needs("package.json") { packaging::node_here().into_iter().collect() } else { Vec::new() },
    }
}

/// Reads the files of a directory.
///
/// # Errors
/// When the directory cannot be read.
pub(super) fn gathered(directory: &Path) -> Result<Tree, Failure> {
    let mut tree = Tree::default();
    let mut open = vec![(directory.to_owned(), String::new(), 0)];
    let mut count = 0;
    while let Some((path, name, depth)) = open.pop() {
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => {
                return Err(Failure::usage(format!("cannot read the directory `{}`: {error}", path.display())));
            }
            Err(_) => continue,
        };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // A name that is not text is not that of source code.
            let Ok(file) = entry.file_name().into_string() else { continue };
            let inside = if name.is_empty() { file.clone() } else { format!("{name}/{file}") };
            let Ok(kind) = entry.file_type() else { continue };
            count += 1;
            if kind.is_dir() && depth < DEEPEST_FILE && is_searched(&file) && count < MOST {
                open.insert(0, (entry.path(), inside, depth + 1));
            } else if !kind.is_dir() {
                let text = is_read(&file).then(|| read(&entry.path())).flatten();
                tree.add(inside, text);
            }
        }
    }
    Ok(tree)
}

fn read(path: &Path) -> Option<String> {
    let length = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    let bytes = if length <= LARGEST { fs::read(path).ok()? } else { return None };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// # Errors
/// If one of the files exists.
pub(super) fn refuse_existing(paths: &[PathBuf]) -> Result<(), Failure> {
    let existing: Vec<String> = paths
        .iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| format!("`{}`", path.display()))
        .collect();
    match existing.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::usage(format!("{one} exists and will not be overwritten"))),
        _ => Err(Failure::usage(format!("{} exist and will not be overwritten", existing.join(", ")))),
    }
    .map_err(|failure| failure.hint("name another directory: `lamstream init DIR`"))
}

/// Writes all files, and the directories around them, or none.
///
/// # Errors
/// If a file exists or cannot be written.
pub(super) fn write(directory: &Path, files: &[(PathBuf, String)]) -> Result<Vec<String>, Failure> {
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    refuse_existing(&paths)?;
    let mut made = Made::default();
    made.directories(directory)?;
    for (path, text) in files {
        made.directories(path.parent().unwrap_or(directory))?;
        made.file(path, text)?;
    }
    made.is_complete = true;
    Ok(paths.iter().map(|path| path.display().to_string()).collect())
}

/// What was made; it is removed again unless it is complete.
#[derive(Default)]
struct Made {
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
    is_complete: bool,
}

impl Made {
    fn directories(&mut self, directory: &Path) -> Result<(), Failure> {
        let missing: Vec<&Path> =
            directory.ancestors().filter(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        for directory in missing.into_iter().rev() {
            fs::create_dir(directory)
                .map_err(|error| Failure::usage(format!("cannot create `{}`: {error}", directory.display())))?;
            self.directories.push(directory.to_owned());
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let shown = path.display();
        let mut file = fs::File::create_new(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::usage(format!("`{shown}` exists and will not be overwritten")),
            _ => Failure::usage(format!("cannot write `{shown}`: {error}")),
        })?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes()).map_err(|error| Failure::usage(format!("cannot write `{shown}`: {error}")))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.is_complete {
            self.files.iter().for_each(|path| drop(fs::remove_file(path)));
            self.directories.iter().rev().for_each(|path| drop(fs::remove_dir(path)));
        }
    }
}
