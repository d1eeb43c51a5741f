//! What a command found out, before it is put into text or JSON.

use crate::apply::{Outputs, Step, Verified};
use crate::failure::Failure;
use crate::import::LeftOver;
use crate::plan::Plan;
use crate::stack::{FunctionUrl, Names, Published, Release, Verdict, Weight};
use std::path::PathBuf;

/// The answer of one command.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub command: &'static str,
    pub account: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub stage: Option<String>,
    /// In the manifest's order.
    pub functions: Vec<FunctionAnswer>,
    /// Only for the commands under `local`.
    pub local: Option<LocalAnswer>,
    /// Only for what is put somewhere: a file's path.
    pub path: Option<PathBuf>,
    /// Only for `import`.
    pub import: Option<ImportAnswer>,
    /// Only for `logs`.
    pub events: Option<Vec<LogLine>>,
    /// Only for `invoke`.
    pub response: Option<Response>,
}

/// What there is to say of one function. What a command does not find out is `None`, or empty.
#[derive(Clone, Debug, Default)]
pub struct FunctionAnswer {
    /// The function's name in the manifest.
    pub name: String,
    pub names: Option<Names>,
    pub state: State,
    /// Whether this run changed anything.
    pub changed: bool,
    pub url: Option<FunctionUrl>,
    pub release: Option<Release>,
    /// The part of the traffic that a shift gives to `outputs.shifted`.
    pub shift: Option<Weight>,
    /// Only for `releases`; the newest first.
    pub releases: Vec<Published>,
    pub outputs: Outputs,
    /// What a plan would do, what a deploy did, how a status differs.
    pub plan: Option<Plan>,
    /// What this run saw of the URL.
    pub verified: Option<Verified>,
    /// Whether what is live was ever seen to pass; `None` where there is no URL to ask.
    pub verdict: Option<Verdict>,
    /// Only for `status`: what could not be compared with the manifest.
    pub not_compared: Vec<NotCompared>,
    pub done: Vec<Step>,
    pub left: Vec<Step>,
    pub error: Option<Failure>,
    /// Only for `build`.
    pub zip: Option<Zip>,
    /// Whether the manifest names it.
    pub orphan: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// `live` points to a version.
    Deployed,
    Absent,
    /// This run failed to deploy it.
    Failed,
    /// Nobody asked.
    #[default]
    Unknown,
}

/// A setting whose value in the manifest cannot be read here.
#[derive(Clone, Debug)]
pub struct NotCompared {
    /// As a plan names it: `environment.KEY`.
    pub field: String,
    /// A sentence without its full stop.
    pub why: String,
}

/// A package on disk.
#[derive(Clone, Debug)]
pub struct Zip {
    pub path: String,
    /// Base64, as AWS's `CodeSha256`.
    pub sha256: String,
    /// Bytes.
    pub size: usize,
}

/// The local cloud.
#[derive(Clone, Debug)]
pub struct LocalAnswer {
    pub running: bool,
    pub endpoint: Option<String>,
    pub data: String,
    /// `export` lines, for `local env` alone.
    pub env: Vec<(String, String)>,
}

/// A manifest made of something else.
#[derive(Clone, Debug)]
pub struct ImportAnswer {
    /// Where it was written.
    pub out: Option<String>,
    /// The manifest itself, where it is to be printed.
    pub manifest: Option<String>,
    pub left: Vec<LeftOver>,
}

/// One event of a function's log.
#[derive(Clone, Debug, Default)]
pub struct LogLine {
    pub id: String,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub stream: String,
    pub message: String,
}

/// What a URL answered.
#[derive(Clone, Debug)]
pub struct Response {
    pub seen: Verified,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(command: &'static str) -> Answer {
        Answer { command, ..Answer::default() }
    }

    /// The first failure of a function, which is the command's.
    pub fn failure(&self) -> Option<&Failure> {
        self.functions.iter().find_map(|function| function.error.as_ref())
    }
}
