//! The events of a run, reported as they happen.

use crate::plan::{Action, Change, ResourceKind};
use crate::stack::Names;
use std::fmt;
use std::time::Duration;

/// `function` is always the function's name in the manifest.
#[derive(Clone, Debug)]
pub enum Event {
    /// A read that takes a while has started. `what` completes "Reading …".
    Reading {
        what: &'static str,
    },
    Read {
        what: &'static str,
    },
    /// The code is being built. cargo reports its own progress.
    Building {
        function: String,
    },
    /// The code cannot be built until `for_what` has ended.
    BuildWaits {
        function: String,
        for_what: String,
    },
    /// The build no longer waits.
    BuildGoesOn {
        function: String,
    },
    /// A line of cargo's output, if cargo is not using the terminal itself.
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
    /// A package is being uploaded to a bucket. `sent` and `total` are in bytes.
    Uploading {
        function: String,
        sent: usize,
        total: usize,
    },
    /// A temporary resource could not be removed.
    Stays {
        function: String,
        why: String,
    },
    /// Reported at least once a second during a wait.
    Waiting {
        function: String,
        for_what: String,
        elapsed: Duration,
    },
    /// A call waits for this long, because of AWS's rate limit of this service.
    RateLimited {
        service: &'static str,
        wait: Duration,
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
    /// `what` is being verified with the manifest's checks.
    Verifying {
        function: String,
        what: Checked,
    },
    Verified {
        function: String,
        what: Checked,
        verified: Verified,
    },
    NotVerified {
        function: String,
        what: Checked,
    },
    /// A step of a shift begins: part of the traffic stays with a new version for a while. `what` is such as "10% of the
    /// traffic on version 3".
    Holding {
        function: String,
        what: String,
    },
    /// The step has passed. `seen` sums up what was seen meanwhile.
    Held {
        function: String,
        what: String,
        took: Duration,
        seen: String,
    },
    /// The step ended early.
    NotHeld {
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

/// What the checks are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The version of this number.
    Version(String),
    /// What the address belongs to, in words: `URL`.
    Address(&'static str),
}

/// "version 3" or "the URL".
impl fmt::Display for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Checked::Version(number) => write!(formatter, "version {number}"),
            Checked::Address(what) => write!(formatter, "the {what}"),
        }
    }
}

/// A change's name, for users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: ResourceKind,
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

/// The response that a successful check observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pub status: u16,
    pub first_byte: Duration,
    pub chunks: usize,
    pub duration: Duration,
    /// `None` if the whole response came too fast to tell.
    pub streamed: Option<bool>,
    /// Set if an MCP server was asked.
    pub mcp: Option<McpServer>,
}

/// What an MCP server said of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct McpServer {
    /// The revision of the protocol.
    pub protocol: String,
    /// Its name and version.
    pub server: String,
    /// `None` if it offers no tools at all.
    pub tools: Option<usize>,
    pub sessions: McpSessions,
}

/// Where an MCP server keeps what it knows of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McpSessions {
    /// It has no sessions.
    Stateless,
    /// A second instance knows the session.
    Shared,
    /// Another instance does not know the session.
    InMemory,
    /// The same instance may have answered.
    Unknown,
}

impl McpSessions {
    /// The spelling in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            McpSessions::Stateless => "stateless",
            McpSessions::Shared => "shared",
            McpSessions::InMemory => "in-memory",
            McpSessions::Unknown => "unknown",
        }
    }
}
