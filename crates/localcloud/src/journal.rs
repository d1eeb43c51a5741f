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

    /// The names of a group's streams, in order.
    pub(crate) fn streams(&self, region: &str, group: &str) -> Vec<String> {
        let entries = fs::read_dir(self.group(region, group)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| Some(decode(entry.file_name().to_str()?))).collect();
        names.sort();
        names
    }

    /// The events of a stream in the order they were written.
    pub(crate) fn events(&self, region: &str, group: &str, stream: &str) -> Vec<Event> {
        let Ok(file) = File::open(self.group(region, group).join(encode(stream))) else { return Vec::new() };
        // A line cut by a crash is no event.
        BufReader::new(file).lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }
}

impl Stream {
    /// Appends a message; what a deleted group would have got is lost, as on AWS.
    pub(crate) fn write(&mut self, message: &str) {
        let event = Event { at: date::now(), message: message.to_owned() };
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
