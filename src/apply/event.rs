//! What happens in a run, told as it happens.

use crate::plan::{Action, Change, Kind};
use crate::stack::Names;
use std::fmt;
use std::time::Duration;

/// `function` is always the function's name in the manifest.
#[derive(Clone, Debug)]
pub enum Event {
    /// Something is being read that takes a while: `what` completes "Reading …".
    Reading {
        what: &'static str,
    },
    Read {
        what: &'static str,
    },
    /// The code is being built; cargo tells the rest.
    Building {
        function: String,
    },
    /// The code cannot be built yet: `for_what` has to end first.
    BuildWaits {
        function: String,
        for_what: String,
    },
    /// It ended.
    BuildGoesOn {
        function: String,
    },
    /// A line that cargo said, where it does not have the terminal to itself.
    BuildLine {
        line: String,
    },
    Packaged {
        function: String,
        architecture: &'static str,
        size: usize,
        sha256: String,
    },
    Started {
        function: String,
        step: Step,
    },
    /// A package is on its way to a bucket: so many of its bytes are sent.
    Uploading {
        function: String,
        sent: usize,
        total: usize,
    },
    /// Something that was there for a while only could not be removed.
    Stays {
        function: String,
        why: String,
    },
    /// Told at least once a second while something is waited for.
    Waiting {
        function: String,
        for_what: String,
        elapsed: Duration,
    },
    Done {
        function: String,
        step: Step,
        took: Duration,
    },
    Failed {
        function: String,
        step: Step,
    },
    /// `what`, such as "version 3", is being asked what the manifest's check says.
    Verifying {
        function: String,
        what: String,
    },
    Verified {
        function: String,
        what: String,
        verified: Verified,
    },
    NotVerified {
        function: String,
        what: String,
    },
    /// `live` points to this version again, because the new one did not pass.
    MovedBack {
        function: String,
        version: String,
    },
    /// Old versions were deleted.
    Pruned {
        function: String,
        versions: Vec<String>,
    },
    /// All of a function's steps are done and verified.
    Finished {
        function: String,
        took: Duration,
        changed: bool,
    },
}

/// A change's name, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: Kind,
    pub action: Action,
    pub name: String,
}

impl Step {
    pub fn of(change: &Change, names: &Names) -> Step {
        Step { kind: change.kind(), action: change.action(), name: change.name(names) }
    }
}

/// Such as "create function `app-chat`".
impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        };
        write!(formatter, "{action} {} `{}`", self.kind.in_words(), self.name)
    }
}

/// What a URL was seen to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pub status: u16,
    pub first_byte: Duration,
    pub chunks: usize,
    pub duration: Duration,
    /// `None` where the whole answer came too fast to tell.
    pub streamed: Option<bool>,
}
