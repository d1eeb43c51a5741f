//! What a list of requirements takes from this machine: the lists it includes, and the wheels it names.
//!
//! All of it belongs to the key of the cache. What is missed there is installed once, and stays however it changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::tool;
use crate::build::error::BuildError;

/// Options that name another list, in the forms that pip and uv know.
const LISTS: [&str; 4] = ["-r", "--requirement", "-c", "--constraint"];
const LINKS: [&str; 2] = ["-f", "--find-links"];
const EDITABLE: [&str; 2] = ["-e", "--editable"];
/// What a file ends with that is installed as it is.
const ARCHIVES: [&str; 7] = [".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar"];

/// One line, as far as it names something of this machine.
enum Line<'a> {
    List(&'a str),
    Links(&'a str),
    Editable(&'a str),
    Place(&'a str),
    Other,
}

/// All that decides what is installed; `None` where sources of this machine do, which are built anew each time. `file` is
/// the list, `text` what is in it, and `start` where the tool runs.
///
/// # Errors
/// When something that is named cannot be read, or is editable: that would be a link to this machine.
pub fn content(file: &Path, text: &str, start: &Path) -> Result<Option<String>, BuildError> {
    let (mut content, mut seen) = (String::new(), BTreeSet::new());
    let mut open = vec![(text.to_owned(), start.to_owned())];
    while let Some((text, directory)) = open.pop() {
        for line in lines(&text) {
            match parse(&line) {
                Line::Other => {}
                Line::List(list) if is_remote(list) => {}
                Line::List(list) => {
                    let list = directory.join(list);
                    if seen.insert(list.clone()) {
                        let parent = list.parent().unwrap_or(&directory).to_owned();
                        open.push((tool::text(&list)?, parent));
                    }
                }
                Line::Editable(place) => return Err(refused(file, &format!("-e {place}"))),
                Line::Links(place) | Line::Place(place) if place.contains("${") || place.contains("file:") => {
                    return Ok(None);
                }
                Line::Links(place) => content.push_str(&links(&directory, start, place)?),
                Line::Place(place) => match found(&directory, start, place) {
                    Some(place) if place.is_dir() => return Ok(None),
                    Some(place) => content.push_str(&digest(&place)?),
                    None => {}
                },
            }
        }
        content.push_str(&text);
    }
    Ok(Some(content))
}

/// Refuses what is built from a directory: an exported lock names those by where they lie, and they are no wheels.
pub fn refuse_directories(file: &Path, text: &str) -> Result<(), BuildError> {
    let directory = file.parent().unwrap_or(Path::new("."));
    for line in lines(text) {
        match parse(&line) {
            Line::Editable(place) => return Err(refused(file, place)),
            Line::Place(place) if found(directory, directory, place).is_some_and(|place| place.is_dir()) => {
                return Err(refused(file, place));
            }
            _ => {}
        }
    }
    Ok(())
}

fn refused(file: &Path, what: &str) -> BuildError {
    let error = BuildError::new(format!(
        "cannot install `{what}` of `{}`: it is a directory of this machine, to which the package would only point",
        file.display()
    ));
    error
        .hint("build its wheel, such as with `pip wheel --no-deps --wheel-dir vendor DIR`, and list `vendor/NAME.whl`")
        .hint("or bring the directory along in the app's own")
}

/// Without comments, and with what goes on in the next line.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let bare = |line: &str| {
        let line = line.split(" #").next().unwrap_or_default().trim();
        Some(line.to_owned()).filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    text.lines().filter_map(bare).collect()
}

fn parse(line: &str) -> Line<'_> {
    let of = |names: &[&str]| names.iter().find_map(|name| value(line, name));
    if let Some(list) = of(&LISTS) {
        return Line::List(list);
    }
    if let Some(links) = of(&LINKS) {
        return Line::Links(links);
    }
    if let Some(place) = of(&EDITABLE) {
        return Line::Editable(place);
    }
    // `name @ place`, or the place alone; what follows are conditions and digests.
    let what = line.split_once(" @ ").map_or(line, |(_, place)| place);
    let what = what.split([';', ' ']).next().unwrap_or_default();
    let path = what.split('[').next().unwrap_or_default();
    let is_place = path.starts_with('.') || path.contains('/') || ARCHIVES.iter().any(|end| path.ends_with(end));
    if line.starts_with('-') || is_remote(what) || !is_place {
        return if what.starts_with("file:") { Line::Place(what) } else { Line::Other };
    }
    Line::Place(path)
}

/// `-r FILE`, `-rFILE`, `--requirement FILE`, `--requirement=FILE`.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    let attached = !name.starts_with("--") || rest.starts_with(['=', ' ', '\t']);
    let value = rest.trim_start_matches([' ', '\t', '=']).trim_matches(['"', '\'']);
    (attached && !value.is_empty()).then_some(value)
}

fn is_remote(place: &str) -> bool {
    place.contains("://") && !place.starts_with("file:")
}

/// Pip looks where it runs, uv also beside the list.
fn found(directory: &Path, start: &Path, place: &str) -> Option<PathBuf> {
    [directory, start].map(|from| from.join(place)).into_iter().find(|place| place.exists())
}

/// A directory with wheels, or a page that names them.
fn links(directory: &Path, start: &Path, place: &str) -> Result<String, BuildError> {
    let Some(place) = found(directory, start, place).filter(|_| !is_remote(place)) else { return Ok(String::new()) };
    let mut content = String::new();
    for entry in WalkDir::new(place).max_depth(1).follow_links(true).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_file() {
            content.push_str(&format!("{} {}", entry.file_name().to_string_lossy(), digest(entry.path())?));
        }
    }
    Ok(content)
}

fn digest(file: &Path) -> Result<String, BuildError> {
    let bytes = std::fs::read(file).map_err(|error| tool::unreadable(file, &error))?;
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{digest}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_on_this_machine_belongs_to_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let key = |text: &str| content(Path::new("requirements.txt"), text, directory.path()).unwrap();
        write("base.txt", "flask==3\n");
        write("vendor/foo-1.0-py3-none-any.whl", "one");
        std::fs::create_dir_all(directory.path().join("local")).unwrap();
        let wheel = "vendor/foo-1.0-py3-none-any.whl";
        let texts = [
            wheel.to_owned(),
            format!("foo @ ./{wheel} ; python_version > '3'"),
            format!("foo[extra] @ {wheel} --hash=sha256:aa"),
            "--find-links vendor\nfoo\n".to_owned(),
            "--find-links=vendor\nfoo\n".to_owned(),
            "-fvendor\nfoo\n".to_owned(),
            "-rbase.txt\n".to_owned(),
            "--constraint base.txt # as agreed\n".to_owned(),
            "-cbase.txt\n".to_owned(),
        ];
        let before: Vec<_> = texts.iter().map(|text| key(text).unwrap()).collect();
        write("base.txt", "flask==4\n");
        write(wheel, "two");
        for (text, before) in texts.iter().zip(before) {
            assert_ne!(key(text).unwrap(), before, "{text}");
        }
        assert_eq!(key("fastapi\n").unwrap(), "fastapi\n");
        for text in ["./local\n", "local/\n", "x @ file:///tmp/x\n", "file:///tmp/x\n"] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_to_this_machine_is_refused() {
        let refused = |text: &str| content(Path::new("requirements.txt"), text, Path::new(".")).unwrap_err();
        for text in ["-e ../lib\n", "--editable=../lib\n"] {
            assert!(refused(text).message.contains("`-e ../lib`"), "{text}");
        }
        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("uv.lock");
        std::fs::create_dir(directory.path().join("lib")).unwrap();
        assert!(refuse_directories(&lock, "./lib\n").is_err() && refuse_directories(&lock, "-e ./lib\n").is_err());
        refuse_directories(&lock, "pure==1.0 \\\n    --hash=sha256:aa\n").unwrap();
    }
}
