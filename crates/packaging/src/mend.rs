//! Zips that were made elsewhere and that Lambda could not use as they are: they are corrected in a copy.
//!
//! Lambda's user does not own the files, Linux knows no `\` between the parts of a path, and no interpreter whose name ends
//! in a carriage return.

use std::io::{Cursor, Read as _};

use zip::read::ZipArchive;
use zip::result::{ZipError, ZipResult};

use crate::archive::{self, Entry, Source};
use crate::error::BuildError;

const OTHERS_READ: u32 = 0o004;
const OTHERS_ENTER: u32 = 0o005;
const ANY_EXECUTE: u32 = 0o111;
/// How many names a correction shows.
const SHOWN: usize = 3;

/// A corrected copy.
pub(crate) struct Mended {
    pub(crate) zip: Vec<u8>,
    /// What was corrected.
    pub(crate) corrections: Vec<String>,
}

/// An entry of the zip.
struct Found {
    name: String,
    bytes: Vec<u8>,
    executable: bool,
    is_link: bool,
}

impl Found {
    fn entry(&self) -> Entry<'_> {
        let content = match std::str::from_utf8(&self.bytes) {
            Ok(text) if self.is_link => Source::Link(text),
            _ => Source::Bytes(&self.bytes),
        };
        Entry { name: &self.name, content, executable: self.executable }
    }
}

/// Names of what has to be corrected.
#[derive(Default)]
struct Wrong {
    unreadable: Vec<String>,
    closed: Vec<String>,
    backslashes: Vec<String>,
    script: Option<String>,
    started: Option<String>,
}

/// `None` if nothing has to be corrected. `started` is the file that is executed. Messages call the zip `subject`.
///
/// # Errors
/// When it cannot be unpacked, or two of its names would be the same.
pub(crate) fn mend(zip: &[u8], started: Option<&str>, subject: &str) -> Result<Option<Mended>, BuildError> {
    let unreadable = |error: ZipError| BuildError::new(format!("cannot unpack {subject}")).because(error);
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(unreadable)?;
    let wrong = wrong(&mut archive, started).map_err(unreadable)?;
    let corrections = wrong.corrections();
    if corrections.is_empty() {
        return Ok(None);
    }
    let mut found = entries(&mut archive).map_err(unreadable)?;
    for entry in &mut found {
        if wrong.script.as_deref() == Some(&entry.name) {
            entry.bytes = without_carriage_returns(&entry.bytes);
        }
        entry.executable |= wrong.started.as_deref() == Some(&entry.name);
    }
    let entries: Vec<Entry<'_>> = found.iter().map(Found::entry).collect();
    let zip = archive::pack_all(&entries, subject)?;
    Ok(Some(Mended { zip, corrections }))
}

/// What Lambda could not use of a zip that is not corrected, such as a layer's.
pub fn zip_faults(zip: &[u8]) -> Vec<String> {
    let archive = ZipArchive::new(Cursor::new(zip)).ok();
    let wrong = archive.and_then(|mut archive| wrong(&mut archive, None).ok());
    wrong.map(|wrong| wrong.corrections()).unwrap_or_default()
}

fn wrong(archive: &mut ZipArchive<Cursor<&[u8]>>, started: Option<&str>) -> ZipResult<Wrong> {
    let mut wrong = Wrong::default();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        if name.contains('\\') {
            wrong.backslashes.push(name.clone());
        }
        let mode = entry.unix_mode();
        if entry.is_dir() {
            wrong.closed.extend(mode.filter(|mode| mode & OTHERS_ENTER != OTHERS_ENTER).map(|_| name));
            continue;
        }
        let is_link = entry.is_symlink();
        let is_started = started == Some(&*plain(&name));
        if let Some(mode) = mode.filter(|_| !is_link) {
            let is_executable = mode & ANY_EXECUTE != 0;
            if is_started && is_executable && mode & OTHERS_ENTER != OTHERS_ENTER {
                wrong.started = Some(plain(&name));
            } else if mode & OTHERS_READ == 0 {
                wrong.unreadable.push(plain(&name));
            }
        }
        if is_started && !is_link {
            let mut head = Vec::new();
            (&mut entry).take(256).read_to_end(&mut head)?;
            let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
            wrong.script = (first.starts_with(b"#!") && first.ends_with(b"\r")).then(|| plain(&name));
        }
    }
    Ok(wrong)
}

/// Everything but directories, which are made with what is in them.
fn entries(archive: &mut ZipArchive<Cursor<&[u8]>>) -> ZipResult<Vec<Found>> {
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = plain(&entry.name()?);
        if entry.is_dir() || name.ends_with('/') {
            continue;
        }
        let (is_link, mode) = (entry.is_symlink(), entry.unix_mode().unwrap_or(0));
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        found.push(Found { name, bytes, executable: mode & ANY_EXECUTE != 0, is_link });
    }
    Ok(found)
}

/// With `/` between its parts.
fn plain(name: &str) -> String {
    name.replace('\\', "/")
}

fn without_carriage_returns(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            kept.push(*byte);
        }
    }
    kept
}

impl Wrong {
    fn corrections(&self) -> Vec<String> {
        let several = |names: &[String], what: &str| {
            (!names.is_empty()).then(|| {
                let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
                let more = names.len().saturating_sub(SHOWN);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                format!("{what}: {}{more}", shown.join(", "))
            })
        };
        let one = |name: &Option<String>, what: &str| name.as_ref().map(|name| format!("{what}: `{name}`"));
        [
            several(&self.unreadable, "files that Lambda's user could not read"),
            several(&self.closed, "directories that Lambda's user could not enter"),
            several(&self.backslashes, "names with `\\` instead of `/`"),
            one(&self.started, "a program that only its owner could execute"),
            one(&self.script, "a script with Windows line endings"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn zip(files: &[(&str, u32, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode, text) in files {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            match name.strip_suffix('/') {
                Some(directory) => writer.add_directory(directory, options).unwrap(),
                None => {
                    writer.start_file(*name, options).unwrap();
                    writer.write_all(text.as_bytes()).unwrap();
                }
            }
        }
        writer.finish().unwrap().into_inner()
    }

    /// Entries with mode and text, and what was corrected.
    type Corrected = (Vec<(String, u32, String)>, String);

    fn mended(files: &[(&str, u32, &str)]) -> Option<Corrected> {
        let mended = mend(&zip(files), Some("bootstrap"), "the package").unwrap()?;
        let mut archive = ZipArchive::new(Cursor::new(&mended.zip)).unwrap();
        let entries = (0..archive.len()).map(|at| {
            let mut entry = archive.by_index(at).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.name().unwrap().into_owned(), entry.unix_mode().unwrap() & 0o777, text)
        });
        Some((entries.collect(), mended.corrections.join("; ")))
    }

    #[test]
    fn what_lambda_can_use_is_kept() {
        assert!(mended(&[("bootstrap", 0o755, "#!/bin/sh\n"), ("a/", 0o755, ""), ("a/b", 0o644, "x\r\n")]).is_none());
        // Whether it is meant to be executed is for its author to say.
        assert!(mended(&[("bootstrap", 0o644, "#!/bin/sh\n")]).is_none());
    }

    #[test]
    fn what_lambda_could_not_use_is_corrected() {
        let found = |name: &str, mode: u32, text: &str| (name.to_owned(), mode, text.to_owned());
        let (files, told) =
            mended(&[("a.py", 0o600, "1"), ("b/", 0o700, ""), ("b/c", 0o640, "2"), ("d", 0o604, "3")]).unwrap();
        assert_eq!(files, [found("a.py", 0o644, "1"), found("b/c", 0o644, "2"), found("d", 0o644, "3")]);
        assert!(told.contains("could not read: `a.py`, `b/c`; directories") && told.contains("`b/`"), "{told}");
        let (files, told) = mended(&[("app\\main.py", 0o644, "1"), ("x", 0o755, "")]).unwrap();
        assert_eq!(files, [found("app/main.py", 0o644, "1"), found("x", 0o755, "")]);
        assert!(told.contains("`app\\main.py`"), "{told}");
        let (files, told) =
            mended(&[("bootstrap", 0o700, "#!/bin/sh\r\necho a\r\n"), ("data.csv", 0o644, "a\r\n")]).unwrap();
        assert_eq!(files, [found("bootstrap", 0o755, "#!/bin/sh\necho a\n"), found("data.csv", 0o644, "a\r\n")]);
        assert!(told.contains("Windows line endings: `bootstrap`") && told.contains("only its owner"), "{told}");
    }

    #[test]
    fn names_that_become_one_are_refused() {
        let both = zip(&[("a\\b", 0o644, "1"), ("a/b", 0o644, "2")]);
        assert!(mend(&both, None, "the package").is_err_and(|error| error.message.contains("cannot zip the package")));
    }
}
