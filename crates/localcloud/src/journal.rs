//! Log streams on disk: a directory a group, a file a stream, a line of JSON an event.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::wire::date::{self, Millis};

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

/// All streams of all groups.
pub(crate) struct Journal {
    root: PathBuf,
}

/// A stream that is being written.
pub(crate) struct Stream {
    file: Option<File>,
    directory: PathBuf,
}

impl Journal {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn group(&self, region: &str, group: &str) -> PathBuf {
        self.root.join(encode(region)).join(encode(group))
    }

    /// A group's directory, made with the group.
    pub(crate) fn make_group(&self, region: &str, group: &str) -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.group(region, group))
    }

    /// Removes a group's streams.
    pub(crate) fn remove_group(&self, region: &str, group: &str) {
        let _ = fs::remove_dir_all(self.group(region, group));
    }

    /// Begins a stream in an existing group.
    pub(crate) fn begin(&self, region: &str, group: &str, stream: &str) -> Stream {
        let directory = self.group(region, group);
        let path = directory.join(encode(stream));
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok();
        Stream { file, directory }
    }

    /// Makes an empty stream in an existing group; there must be none of that name.
    pub(crate) fn create(&self, region: &str, group: &str, stream: &str) -> std::io::Result<()> {
        let path = self.group(region, group).join(encode(stream));
        OpenOptions::new().create_new(true).append(true).mode(0o600).open(path).map(|_| ())
    }

    /// Removes a stream and its events.
    pub(crate) fn remove(&self, region: &str, group: &str, stream: &str) -> std::io::Result<()> {
        fs::remove_file(self.group(region, group).join(encode(stream)))
    }

    /// Appends events to a stream that is there.
    pub(crate) fn put(&self, region: &str, group: &str, stream: &str, events: &[Event]) -> std::io::Result<()> {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        OpenOptions::new().append(true).open(self.group(region, group).join(encode(stream)))?.write_all(&lines)
    }

    /// When a stream was begun.
    pub(crate) fn created(&self, region: &str, group: &str, stream: &str) -> Millis {
        let metadata = fs::metadata(self.group(region, group).join(encode(stream)));
        // Not every file system knows when a file was made.
        let made = metadata.and_then(|metadata| metadata.created().or_else(|_| metadata.modified())).ok();
        made.map_or(0, date::millis)
    }

    /// The names of a group's streams, in order.
    pub(crate) fn streams(&self, region: &str, group: &str) -> Vec<String> {
        let entries = fs::read_dir(self.group(region, group)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| Some(decode(entry.file_name().to_str()?))).collect();
        names.sort();
        names
    }

    /// The events of a stream in the order of their times.
    pub(crate) fn events(&self, region: &str, group: &str, stream: &str) -> Vec<Event> {
        let Ok(file) = File::open(self.group(region, group).join(encode(stream))) else { return Vec::new() };
        // A line cut by a crash is no event.
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        let mut events: Vec<Event> = lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
        events.sort_by_key(|event| event.at);
        events
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
            let _ = file.write_all(&line);
        }
    }
}

fn encode(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

fn decode(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}
