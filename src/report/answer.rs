//! What a command found out, before it is put into text or JSON.

use crate::apply::{Outputs, Step, Verified};
use crate::cli::{AdapterCommand, Command, LayerCommand, LocalCommand};
use crate::failure::Failure;
use crate::plan::Plan;
use crate::stack::{FunctionUrl, Names, Published, Release, Verdict, Weight};
use import::LeftOver;
use std::path::PathBuf;

/// What a command found out, each command in its own way. Where it failed before it found anything out, there is
/// nothing in it.
#[derive(Clone, Debug)]
pub enum Answer {
    Deploy(Functions),
    Plan(Functions),
    Url(Functions),
    Status(Functions),
    Releases(Functions),
    Rollback(Functions),
    Promote(Functions),
    Abort(Functions),
    Destroy(Functions),
    /// The events that were not printed as they came.
    Logs(Functions, Option<Vec<LogLine>>),
    Invoke(Functions, Option<Response>),
    Build(Functions),
    Import(Option<ImportAnswer>),
    LocalRun(Option<LocalAnswer>),
    LocalStart(Option<LocalAnswer>),
    LocalStatus(Option<LocalAnswer>),
    LocalStop(Option<LocalAnswer>),
    LocalReset(Option<LocalAnswer>),
    LocalEnv(Option<LocalAnswer>),
    /// Where the program is.
    AdapterInstall(Option<PathBuf>),
    /// Where the copy is.
    LayerAdd(Option<PathBuf>),
}

/// Functions, and where they are. What a command does not find out is `None`, or empty.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    pub account: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub stage: Option<String>,
    /// In the manifest's order.
    pub functions: Vec<FunctionAnswer>,
}

/// What there is to say of one function. What a command does not find out is `None`, or empty.
#[derive(Clone, Debug, Default)]
pub struct FunctionAnswer {
    /// The function's name in the manifest.
    pub name: String,
    /// Its name on AWS.
    pub function_name: Option<String>,
    /// Everything that follows from the account.
    pub names: Option<Names>,
    pub state: State,
    /// Whether this run changed anything.
    pub changed: bool,
    pub url: Option<FunctionUrl>,
    pub release: Option<Release>,
    /// The part of the traffic that a shift gives to `outputs.shifted`.
    pub shift: Option<Weight>,
    pub outputs: Outputs,
    /// What a plan would do, what a deploy did, how a status differs.
    pub plan: Option<Plan>,
    /// What this run saw of the URL.
    pub verified: Option<Verified>,
    /// Whether what is live was ever seen to pass; `None` where there is no URL to ask.
    pub verdict: Option<Verdict>,
    pub done: Vec<Step>,
    pub left: Vec<Step>,
    pub error: Option<Failure>,
    pub detail: Detail,
}

/// What only one command says of a function.
#[derive(Clone, Debug, Default)]
pub enum Detail {
    #[default]
    None,
    /// `build`: the package on disk.
    Zip(Zip),
    /// `releases`: the newest first.
    Releases(Vec<Published>),
    /// `status`: whether the manifest has the function, and what could not be compared with it.
    Comparison { in_manifest: bool, not_compared: Vec<NotCompared> },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// `live` points to a version.
    Deployed,
    Absent,
    /// This run failed to deploy it.
    Failed,
    /// The command did not look.
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
    /// `None` where it is not running.
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
    /// What a command says that failed before it found anything out.
    pub fn nothing(command: &Command) -> Answer {
        match command {
            Command::Deploy(_) => Answer::Deploy(Functions::default()),
            Command::Plan(_) => Answer::Plan(Functions::default()),
            Command::Url(_) => Answer::Url(Functions::default()),
            Command::Status(_) => Answer::Status(Functions::default()),
            Command::Releases(_) => Answer::Releases(Functions::default()),
            Command::Rollback(_) => Answer::Rollback(Functions::default()),
            Command::Promote(_) => Answer::Promote(Functions::default()),
            Command::Abort(_) => Answer::Abort(Functions::default()),
            Command::Destroy(_) => Answer::Destroy(Functions::default()),
            Command::Logs(_) => Answer::Logs(Functions::default(), None),
            Command::Invoke(_) => Answer::Invoke(Functions::default(), None),
            Command::Build(_) => Answer::Build(Functions::default()),
            Command::Import(_) => Answer::Import(None),
            Command::Local(local) => match &local.command {
                LocalCommand::Run { .. } => Answer::LocalRun(None),
                LocalCommand::Start { .. } => Answer::LocalStart(None),
                LocalCommand::Status => Answer::LocalStatus(None),
                LocalCommand::Stop => Answer::LocalStop(None),
                LocalCommand::Reset => Answer::LocalReset(None),
                LocalCommand::Env => Answer::LocalEnv(None),
                LocalCommand::Adapter(AdapterCommand::Install { .. }) => Answer::AdapterInstall(None),
                LocalCommand::Layer(LayerCommand::Add { .. }) => Answer::LayerAdd(None),
            },
        }
    }

    /// The functions that it is about; none for commands about something else.
    pub fn functions(&self) -> Option<&Functions> {
        match self {
            Answer::Deploy(functions)
            | Answer::Plan(functions)
            | Answer::Url(functions)
            | Answer::Status(functions)
            | Answer::Releases(functions)
            | Answer::Rollback(functions)
            | Answer::Promote(functions)
            | Answer::Abort(functions)
            | Answer::Destroy(functions)
            | Answer::Logs(functions, _)
            | Answer::Invoke(functions, _)
            | Answer::Build(functions) => Some(functions),
            _ => None,
        }
    }

    pub fn functions_mut(&mut self) -> Option<&mut Functions> {
        match self {
            Answer::Deploy(functions)
            | Answer::Plan(functions)
            | Answer::Url(functions)
            | Answer::Status(functions)
            | Answer::Releases(functions)
            | Answer::Rollback(functions)
            | Answer::Promote(functions)
            | Answer::Abort(functions)
            | Answer::Destroy(functions)
            | Answer::Logs(functions, _)
            | Answer::Invoke(functions, _)
            | Answer::Build(functions) => Some(functions),
            _ => None,
        }
    }

    /// The failures of its functions, in their order.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.functions().into_iter().flat_map(|functions| &functions.functions).filter_map(|one| one.error.as_ref())
    }
}

impl Functions {
    /// Whether any plan has changes.
    pub fn have_changes(&self) -> bool {
        self.functions.iter().filter_map(|function| function.plan.as_ref()).any(|plan| !plan.is_empty())
    }
}

impl FunctionAnswer {
    pub fn of(names: Names) -> FunctionAnswer {
        FunctionAnswer {
            name: names.function.clone(),
            function_name: Some(names.function_name()),
            names: Some(names),
            ..FunctionAnswer::default()
        }
    }
}
