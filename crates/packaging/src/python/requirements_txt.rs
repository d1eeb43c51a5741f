//! What a `requirements.txt` reads from this machine: the lists it includes, and its local wheels.
//!
//! All of it belongs to the cache key: a change that the key misses would not be installed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::indexes::Indexes;
use super::messages::UV_EXPORT;
use super::requirement::Requirement;
use crate::error::BuildError;
use crate::tool;

/// The usual name of a list.
pub(super) const FILE: &str = "requirements.txt";
/// Options that include another list, for pip and uv.
const LISTS: [&str; 4] = ["-r", "--requirement", "-c", "--constraint"];
const LINKS: [&str; 2] = ["-f", "--find-links"];
const EDITABLE: [&str; 2] = ["-e", "--editable"];
/// Endings of files that are installed directly.
const ARCHIVES: [&str; 7] = [".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar"];

/// One line, as far as it names something on this machine.
enum Line<'a> {
    List(&'a str),
    Links(&'a str),
    Editable(&'a str),
    Place(&'a str),
    Other,
}

/// Everything that decides what is installed; `None` if local sources do, which are built again each time. `file` is
/// the list, `text` its content, and `start` the directory that the tool runs in.
///
/// # Errors
/// When a file that it names cannot be read, or something is editable, which would be a link to this machine.
pub(super) fn content(file: &Path, text: &str, start: &Path) -> Result<Option<String>, BuildError> {
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
                    Some(place) => content.push_str(&format!("{}\n", tool::digest(&place)?)),
                    None => {}
                },
            }
        }
        content.push_str(&text);
    }
    Ok(Some(content))
}

/// Where a list gets its packages from.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The packages from an index, by name, each with its allowed hashes.
    pub packages: BTreeMap<String, Vec<String>>,
    /// Where these packages are listed: `FILE:LINE`.
    pub places: BTreeMap<String, String>,
    /// Their markers.
    pub conditions: BTreeMap<String, String>,
    pub main: Option<String>,
    pub extra: Vec<String>,
    pub links: Vec<String>,
    pub none: bool,
    /// Local directories to build from.
    pub directories: Vec<PathBuf>,
}

/// Reads a list and those that it includes. `start` is the directory that the tool runs in.
///
/// # Errors
/// When a list cannot be read.
pub(super) fn listed(file: &Path, text: &str, start: &Path) -> Result<Listed, BuildError> {
    let (mut found, mut seen) = (Listed::default(), BTreeSet::new());
    let mut open = vec![(file.to_owned(), text.to_owned(), start.to_owned(), true)];
    while let Some((file, text, directory, is_list)) = open.pop() {
        for (number, line) in numbered(&text) {
            match parse(&line) {
                Line::List(list) if is_remote(list) => {}
                Line::List(list) => {
                    let path = directory.join(list);
                    if seen.insert(path.clone()) {
                        let parent = path.parent().unwrap_or(&directory).to_owned();
                        // A constraint requires nothing.
                        let asks = is_list && !line.starts_with("-c") && !line.starts_with("--constraint");
                        open.push((path.clone(), tool::text(&path)?, parent, asks));
                    }
                }
                Line::Place(place) => {
                    let place = place.strip_prefix("file://").or(place.strip_prefix("file:")).unwrap_or(place);
                    found.directories.extend(self::found(&directory, start, place).filter(|place| place.is_dir()));
                }
                Line::Links(place) => found.links.push(place.to_owned()),
                _ => found.add(&line, &format!("{}:{number}", file.display()), is_list),
            }
        }
    }
    Ok(found)
}

impl Listed {
    /// The only index of all packages, if the list or the project sets it.
    pub(super) fn only_index<'a>(&'a self, indexes: &'a Indexes) -> Option<&'a str> {
        let is_alone = self.extra.is_empty() && self.links.is_empty() && !indexes.are_several();
        self.main.as_deref().or(indexes.main.as_deref()).filter(|_| is_alone)
    }

    fn add(&mut self, line: &str, place: &str, is_list: bool) {
        let first = |names: &[&str]| names.iter().find_map(|name| value(line, name)).map(str::to_owned);
        if let Some(address) = first(&["--extra-index-url"]) {
            self.extra.push(address);
        } else if let Some(address) = first(&["-i", "--index-url", "--pypi-url"]) {
            self.main = Some(address);
        } else if line == "--no-index" {
            self.none = true;
        } else if let Some(found) = Requirement::parse(line.split(" --").next().unwrap_or_default())
            && found.place.is_none()
            && is_list
        {
            let hashes = line.split_whitespace().filter_map(|word| word.strip_prefix("--hash="));
            self.packages.entry(found.name.clone()).or_default().extend(hashes.map(str::to_owned));
            self.conditions.insert(found.name.clone(), found.condition);
            self.places.entry(found.name).or_insert_with(|| place.to_owned());
        }
    }
}

/// The lines of a list and of those that it includes.
///
/// # Errors
/// When a list cannot be read.
pub(super) fn flattened(text: &str, directory: &Path) -> Result<Vec<String>, BuildError> {
    let mut found = Vec::new();
    for line in lines(text) {
        let is_constraint = line.starts_with("-c") || line.starts_with("--constraint");
        match parse(&line) {
            Line::List(list) if is_remote(list) => found.push(line),
            Line::List(list) if is_constraint => found.push(format!("-c {}", directory.join(list).display())),
            Line::List(list) => {
                let file = directory.join(list);
                found.extend(flattened(&tool::text(&file)?, &tool::around(&file))?);
            }
            _ => found.push(line),
        }
    }
    Ok(found)
}

fn refused(file: &Path, what: &str) -> BuildError {
    let error = BuildError::new(format!(
        "cannot install `{what}` of `{}`: it is a local directory; the package would only contain a link to it",
        file.display()
    ));
    if what == "-e ." {
        return error.hint(format!("leave the project itself out of the list; with uv: `{UV_EXPORT}`"));
    }
    error
        .hint("build its wheel, such as with `pip wheel --no-deps --wheel-dir vendor DIR`, and list `vendor/NAME.whl`")
        .hint("or put the directory into the app's own")
}

/// The lines without comments, with continuations joined.
fn lines(text: &str) -> Vec<String> {
    numbered(text).into_iter().map(|(_, line)| line).collect()
}

/// The same, each with its first line number.
fn numbered(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut open, mut start) = (Vec::new(), String::new(), 1);
    for (at, line) in text.lines().enumerate() {
        if open.is_empty() {
            start = at + 1;
        }
        if let Some(begun) = line.strip_suffix('\\') {
            open.push_str(begun);
            open.push(' ');
            continue;
        }
        open.push_str(line);
        let whole = std::mem::take(&mut open);
        found.push((start, whole));
    }
    found.push((start, open));
    let bare = |(number, line): (usize, String)| {
        let line = line.split(" #").next().unwrap_or_default().trim().to_owned();
        Some((number, line)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    };
    found.into_iter().filter_map(bare).collect()
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
    // `name @ place`, or the place alone, followed by markers and hashes.
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

/// pip looks in its working directory, uv also beside the list.
fn found(directory: &Path, start: &Path, place: &str) -> Option<PathBuf> {
    [directory, start].map(|from| from.join(place)).into_iter().find(|place| place.exists())
}

/// A directory of wheels, or a page with links to them.
fn links(directory: &Path, start: &Path, place: &str) -> Result<String, BuildError> {
    let Some(place) = found(directory, start, place).filter(|_| !is_remote(place)) else { return Ok(String::new()) };
    let mut content = String::new();
    for entry in WalkDir::new(place).max_depth(1).follow_links(true).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_file() {
            content.push_str(&format!("{} {}\n", entry.file_name().to_string_lossy(), tool::digest(entry.path())?));
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine_belongs_to_the_key() {
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
        // `uv export` lists the project itself, unless an option leaves it out.
        assert!(
            refused("-e .\nsix==1\n").hints[0].contains("`uv export --no-dev --no-emit-project -o requirements.txt`")
        );
    }

    #[test]
    fn a_list_says_where_its_packages_come_from() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("lib")).unwrap();
        std::fs::write(directory.path().join("more.txt"), "--extra-index-url=https://b\nLeaf\n").unwrap();
        std::fs::write(directory.path().join("bound.txt"), "bound==1\n").unwrap();
        let text = "# list\n-i https://a\n-r more.txt\n-c bound.txt\nSix==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\n./lib\nx @ https://h/x.whl\n-f wheels\n";
        let found = listed(Path::new("list.txt"), text, directory.path()).unwrap();
        assert_eq!((found.main.as_deref(), &found.extra[..]), (Some("https://a"), &["https://b".to_owned()][..]));
        assert_eq!(found.packages["six"], ["sha256:aa", "sha256:bb"]);
        assert_eq!(found.packages.keys().collect::<Vec<_>>(), ["leaf", "six"]);
        assert_eq!(found.places["six"], "list.txt:5");
        assert_eq!((found.directories.len(), &found.links[..]), (1, &["wheels".to_owned()][..]));
    }
}
