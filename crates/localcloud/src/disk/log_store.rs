//! Log streams on disk: one directory per group, one file per stream, one line of JSON per event.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Context;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::files::{make_directory, remove_tree};
use super::log_file::{self, Index, Line, Search};
use crate::clock::{self, Millis};
use crate::sync::lock;
use crate::world::{Region, World};

/// One event of a log stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "t")]
    pub(crate) at: Millis,
    #[serde(rename = "m")]
    pub(crate) message: String,
    /// When it arrived, if a client put it there with a time of its own.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) put: Option<Millis>,
}

/// Parses a line; `None` if it is damaged.
pub(crate) fn parse(line: &Line<'_>) -> Option<Event> {
    serde_json::from_slice(line.text).ok()
}

/// All streams of all groups.
pub(crate) struct LogStore {
    root: PathBuf,
    /// The times in the files of the streams that were read.
    indexes: Mutex<HashMap<PathBuf, Index>>,
}

/// A stream that is being written.
pub(crate) struct LogStream {
    file: Option<File>,
    directory: PathBuf,
}

impl LogStore {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, indexes: Mutex::default() }
    }

    fn group(&self, region: &str, group: &str) -> PathBuf {
        self.root.join(encode(region)).join(encode(group))
    }

    fn stream(&self, region: &str, group: &str, stream: &str) -> PathBuf {
        self.group(region, group).join(encode(stream))
    }

    /// Removes the files of groups that no longer exist.
    pub(crate) fn clean(&self, world: &World) {
        let known = |(region, of): (&String, &Region)| {
            of.log_groups.keys().map(|group| self.group(region, group)).collect::<Vec<_>>()
        };
        let known: HashSet<PathBuf> = world.regions.iter().flat_map(known).collect();
        for region in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            for group in fs::read_dir(region.path()).into_iter().flatten().flatten() {
                if !known.contains(&group.path()) {
                    // What cannot be removed now does no harm: `begin_group` removes it before the name is used again.
                    let _ = remove_tree(&group.path());
                }
            }
        }
    }

    /// Creates the directory of a new group, without anything of an earlier group of that name.
    pub(crate) fn begin_group(&self, region: &str, group: &str) -> anyhow::Result<()> {
        let path = self.group(region, group);
        remove_tree(&path).with_context(|| format!("cannot delete `{}`", path.display()))?;
        make_directory(&path).with_context(|| format!("cannot create `{}`", path.display()))
    }

    /// Removes the streams of a group that no longer exists. What cannot be removed is never shown.
    pub(crate) fn remove_group(&self, region: &str, group: &str) {
        let path = self.group(region, group);
        lock(&self.indexes).retain(|stream, _| !stream.starts_with(&path));
        let _ = remove_tree(&path);
    }

    /// Opens a stream in an existing group; it is created if it does not exist.
    pub(crate) fn begin(&self, region: &str, group: &str, stream: &str) -> LogStream {
        let directory = self.group(region, group);
        let _ = make_directory(&directory);
        let file = options().create(true).open(directory.join(encode(stream))).ok();
        LogStream { file, directory }
    }

    /// Creates an empty stream in an existing group.
    ///
    /// # Errors
    /// Those of the disk; `AlreadyExists` if the group has a stream of that name.
    pub(crate) fn create(&self, region: &str, group: &str, stream: &str) -> io::Result<()> {
        make_directory(&self.group(region, group))?;
        options().create_new(true).open(self.stream(region, group, stream)).map(|_| ())
    }

    /// Removes a stream and its events.
    pub(crate) fn remove(&self, region: &str, group: &str, stream: &str) -> io::Result<()> {
        let path = self.stream(region, group, stream);
        lock(&self.indexes).remove(&path);
        fs::remove_file(path)
    }

    /// Appends events to an existing stream, all of them or none.
    pub(crate) fn put(&self, region: &str, group: &str, stream: &str, events: &[Event]) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        let path = self.stream(region, group, stream);
        let written = options().open(&path).and_then(|mut file| append(&mut file, &lines));
        written.with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// When a stream was created.
    pub(crate) fn created(&self, region: &str, group: &str, stream: &str) -> Millis {
        let metadata = fs::metadata(self.stream(region, group, stream));
        // Not every file system keeps the time of creation.
        let made = metadata.and_then(|metadata| metadata.created().or_else(|_| metadata.modified())).ok();
        made.map_or(0, clock::at)
    }

    /// Whether a group has a stream of this name.
    pub(crate) fn has(&self, region: &str, group: &str, stream: &str) -> bool {
        self.stream(region, group, stream).is_file()
    }

    /// The names of a group's streams, in order.
    pub(crate) fn streams(&self, region: &str, group: &str) -> Vec<String> {
        let entries = fs::read_dir(self.group(region, group)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| Some(decode(entry.file_name().to_str()?))).collect();
        names.sort();
        names
    }

    /// Shows the lines of a stream to a search, in the order in which they were written; returns the first and the last
    /// time in it. Memory does not grow with the stream, and parts whose times are not wanted are not read again.
    ///
    /// # Errors
    /// Those of the disk. A stream that was deleted in the meantime has no events.
    pub(crate) fn search(
        &self,
        region: &str,
        group: &str,
        stream: &str,
        search: &mut dyn Search,
    ) -> anyhow::Result<Option<(Millis, Millis)>> {
        let path = self.stream(region, group, stream);
        let known = lock(&self.indexes).get(&path).cloned();
        let scanned = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.and_then(|file| {
                let whole = committed(&file)?;
                log_file::scan(&file, &whole, known.unwrap_or_default(), search)
            }),
        };
        let index = scanned.with_context(|| format!("cannot read `{}`", path.display()))?;
        let times = index.times();
        if path.exists() {
            lock(&self.indexes).insert(path, index);
        }
        Ok(times)
    }
}

impl LogStream {
    /// Appends a message. If the group was deleted, the message is lost, as on AWS.
    pub(crate) fn write(&mut self, message: &str) {
        let event = Event { at: clock::now(), message: message.to_owned(), put: None };
        if let (Some(file), Ok(mut line)) = (&mut self.file, serde_json::to_vec(&event))
            && self.directory.exists()
        {
            line.push(b'\n');
            let _ = append(file, &line);
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    options
}

/// Appends whole lines, or nothing. A concurrent reader sees all or none of them, too.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    flock(&*file, FlockOperation::LockExclusive)?;
    let written = append_locked(file, lines);
    let _ = flock(&*file, FlockOperation::Unlock);
    written
}

fn append_locked(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    let mut last = [b'\n'];
    if before > 0 {
        file.read_exact_at(&mut last, before - 1)?;
    }
    // A cloud that was killed while writing may have left half a line, which must not become part of the next one.
    let end = if last == [b'\n'] { Ok(()) } else { file.write_all(b"\n") };
    let written = end.and_then(|()| file.write_all(lines));
    if written.is_err() {
        file.set_len(before)?;
    }
    written
}

/// The metadata of a stream's file at a moment when nothing is being appended.
fn committed(file: &File) -> io::Result<fs::Metadata> {
    flock(file, FlockOperation::LockShared)?;
    let metadata = file.metadata();
    let _ = flock(file, FlockOperation::Unlock);
    metadata
}

fn encode(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

fn decode(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_spoils_neither_the_next_one_nor_what_is_read() {
        let outer = tempfile::tempdir().expect("a directory");
        let path = &outer.path().join("stream");
        fs::write(path, "{\"t\":1,\"m\":\"a\"}\n{\"t\":2,\"m\":\"b").expect("a torn line");
        let mut file = options().open(path).expect("the file");
        append(&mut file, b"{\"t\":3,\"m\":\"c\"}\n").expect("appended");
        assert_eq!(fs::read_to_string(path).expect("text").lines().count(), 3);
    }
}
