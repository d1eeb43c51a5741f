//! Log streams on disk: a directory a group, a file a stream, a line of JSON an event.

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

use crate::cloud::lock;
use crate::disk::{make_directory, remove_tree};
use crate::wire::date::{self, Millis};
use crate::world::World;
use loglines::Index;
pub(crate) use loglines::{Line, Search};

/// One line of a function's output, or of the platform's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "t")]
    pub(crate) at: Millis,
    #[serde(rename = "m")]
    pub(crate) message: String,
    /// When it came, of what a client put there with a time of its own.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) put: Option<Millis>,
}

/// The event of a line that is not damaged.
pub(crate) fn event(line: &Line<'_>) -> Option<Event> {
    serde_json::from_slice(line.text).ok()
}

/// All streams of all groups.
pub(crate) struct Journal {
    root: PathBuf,
    /// Where each time begins in a file, for every stream that was read.
    indexes: Mutex<HashMap<PathBuf, Index>>,
}

/// A stream that is being written.
pub(crate) struct Stream {
    file: Option<File>,
    directory: PathBuf,
}

impl Journal {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, indexes: Mutex::default() }
    }

    fn group(&self, region: &str, group: &str) -> PathBuf {
        self.root.join(encode(region)).join(encode(group))
    }

    fn stream(&self, region: &str, group: &str, stream: &str) -> PathBuf {
        self.group(region, group).join(encode(stream))
    }

    /// Removes what is left of groups that do not exist.
    pub(crate) fn clean(&self, world: &World) {
        let known = |(region, of): (&String, &crate::world::Region)| {
            of.log_groups.keys().map(|group| self.group(region, group)).collect::<Vec<_>>()
        };
        let known: HashSet<PathBuf> = world.regions.iter().flat_map(known).collect();
        for region in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            for group in fs::read_dir(region.path()).into_iter().flatten().flatten() {
                if !known.contains(&group.path()) {
                    // What cannot be removed now is in the way of nothing: a group of this name begins without it.
                    let _ = remove_tree(&group.path());
                }
            }
        }
    }

    /// Makes way for a new group: nothing of an earlier one of its name may show in it.
    pub(crate) fn begin_group(&self, region: &str, group: &str) -> anyhow::Result<()> {
        let path = self.group(region, group);
        remove_tree(&path).with_context(|| format!("cannot delete `{}`", path.display()))?;
        make_directory(&path).with_context(|| format!("cannot create `{}`", path.display()))
    }

    /// Removes the streams of a group that exists no more. What cannot be removed shows nowhere.
    pub(crate) fn remove_group(&self, region: &str, group: &str) {
        let path = self.group(region, group);
        lock(&self.indexes).retain(|stream, _| !stream.starts_with(&path));
        let _ = remove_tree(&path);
    }

    /// Begins a stream in an existing group.
    pub(crate) fn begin(&self, region: &str, group: &str, stream: &str) -> Stream {
        let directory = self.group(region, group);
        let _ = make_directory(&directory);
        let file = options().create(true).open(directory.join(encode(stream))).ok();
        Stream { file, directory }
    }

    /// Makes an empty stream in an existing group; there must be none of that name.
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

    /// Appends events to a stream that is there, all of them or none.
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

    /// When a stream was begun.
    pub(crate) fn created(&self, region: &str, group: &str, stream: &str) -> Millis {
        let metadata = fs::metadata(self.stream(region, group, stream));
        // Not every file system knows when a file was made.
        let made = metadata.and_then(|metadata| metadata.created().or_else(|_| metadata.modified())).ok();
        made.map_or(0, date::millis)
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

    /// Shows the lines of a stream to a search, in the order in which they were written; gives the first and the last
    /// time in it. Memory does not grow with the stream, and parts whose times are not wanted are not even read again.
    ///
    /// # Errors
    /// Those of the disk. A stream that was deleted meanwhile has no events.
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
                loglines::scan(&file, whole, known.unwrap_or_default(), search)
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

impl Stream {
    /// Appends a message; what a deleted group would have got is lost, as on AWS.
    pub(crate) fn write(&mut self, message: &str) {
        let event = Event { at: date::now(), message: message.to_owned(), put: None };
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

/// Appends whole lines, or nothing. Who reads meanwhile sees all or none of them, too.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    flock(&*file, FlockOperation::LockExclusive)?;
    let written = append_alone(file, lines);
    let _ = flock(&*file, FlockOperation::Unlock);
    written
}

fn append_alone(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    let mut last = [b'\n'];
    if before > 0 {
        file.read_exact_at(&mut last, before - 1)?;
    }
    // A cloud that was killed while it wrote may have left half a line, which must not spoil the next one.
    let end = if last == [b'\n'] { Ok(()) } else { file.write_all(b"\n") };
    let written = end.and_then(|()| file.write_all(lines));
    if written.is_err() {
        file.set_len(before)?;
    }
    written
}

/// The size of a stream's file while nothing is being appended.
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
