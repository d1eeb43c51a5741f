//! The results of a command, before they are rendered as text or JSON.

use super::diagnosis::DoctorAnswer;
use crate::apply::{Outputs, Step, Verified};
use crate::failure::{Failure, FailureKind};
use crate::logs::ReleaseFigures;
use crate::plan::Plan;
use crate::stack::{Address, FunctionUrl, Names, Origin, Published, Release, Verdict, Weight};
use import::LeftOver;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// The results of a command. Renderers depend on these shapes, and not on commands.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The functions that the command is about; none if it is about something else.
    pub found: Functions,
    pub extra: Extra,
    pub aim: Aim,
}

/// What a command does with functions, whether it had results or failed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aim {
    /// It changes them, or shows what would change.
    Change,
    /// It judges what is deployed.
    Judge,
    #[default]
    Other,
}

/// Additional results of some commands; `None` if the command failed first.
#[derive(Clone, Debug, Default)]
pub enum Extra {
    #[default]
    Nothing,
    /// The events of a log; `None` also if they were printed as they arrived.
    Events(Option<Vec<LogLine>>),
    /// A response. Its body was printed as it arrived, unless the answer is a document.
    Response(Option<Response>),
    Import(Option<ImportAnswer>),
    Init(Option<InitAnswer>),
    Policy(Option<PolicyAnswer>),
    /// What `doctor` looked at.
    Checks(Option<DoctorAnswer>),
    /// What is stored for functions, without values.
    Secrets(Option<Vec<SecretAnswer>>),
    /// Templates: their names, and what each is.
    Templates(Vec<(&'static str, &'static str)>),
    Local(LocalAnswer),
    /// What is deployed, by stage.
    Stages(Option<Vec<DeployedStage>>),
    /// A file that was installed.
    Path(Option<PathBuf>),
    /// A script for a shell.
    Script(Option<String>),
    /// A JSON schema.
    Schema(Option<serde_json::Value>),
    /// The paths of files that were written.
    Files(Option<Vec<String>>),
}

/// A stage of the app that is deployed.
#[derive(Clone, Debug)]
pub struct DeployedStage {
    /// `None` for what is deployed without a stage.
    pub stage: Option<String>,
    /// The functions' names in the manifest.
    pub functions: Vec<String>,
    /// When the newest live version of them was published, and where it comes from.
    pub live_since: Option<String>,
    pub origin: Origin,
    /// When it expires.
    pub expires: Option<String>,
    pub is_expired: bool,
}

/// Functions, with their account, region, endpoint and stage. Results that a command does not have are `None` or empty.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    pub account: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub stage: Option<String>,
    /// In the manifest's order.
    pub functions: Vec<FunctionAnswer>,
}

/// The results for one function. Those that a command does not have are `None` or empty.
#[derive(Clone, Debug, Default)]
pub struct FunctionAnswer {
    /// The function's name in the manifest.
    pub name: String,
    /// Its name on AWS.
    pub function_name: Option<String>,
    /// The names that depend on the account.
    pub names: Option<Names>,
    pub state: State,
    /// Whether the function exists although nothing is live: its first release has not passed its checks yet.
    pub is_begun: bool,
    /// Whether this run changed anything.
    pub changed: bool,
    /// Its URL's settings.
    pub url: Option<FunctionUrl>,
    /// Where people reach it. The last one is what they use.
    pub addresses: Vec<Address>,
    pub release: Option<Release>,
    /// The share of the traffic that a shift gives to `outputs.shifted`.
    pub shift: Option<Weight>,
    pub outputs: Outputs,
    /// The changes that a plan contains, that a deploy made, or by which a status differs.
    pub plan: Option<Plan>,
    /// Settings that were made outside lamstream, and that the manifest has no key for.
    pub set_outside: Vec<&'static str>,
    /// The steps of a shift that ends itself, as far as this run held them; `None` if there was none.
    pub rollout: Option<Vec<StepAnswer>>,
    /// The result of this run's checks of the URL.
    pub verified: Option<Verified>,
    /// Whether the live release has ever passed its checks; `None` without a URL to check.
    pub verdict: Option<Verdict>,
    pub done: Vec<Step>,
    pub left: Vec<Step>,
    pub error: Option<Failure>,
    pub detail: Detail,
}

/// A step of a shift.
#[derive(Clone, Debug)]
pub struct StepAnswer {
    /// The new release's share of the traffic.
    pub weight: Weight,
    pub held: Duration,
    /// How many times all checks were asked of the new version, and passed.
    pub checks: usize,
    /// The requests of its traffic and those that failed; `None` if its log could not be read.
    pub requests: Option<usize>,
    pub errors: Option<usize>,
    /// Of 95 of 100 requests; `None` also if the log has no such times.
    pub first_byte: Option<Duration>,
    /// Whether there were enough requests to judge it by.
    pub is_enough: bool,
    pub verdict: StepVerdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepVerdict {
    Passed,
    Failed,
    /// The step ended early, and nothing was found wrong.
    Unknown,
}

/// The part of a function that a command is about.
#[derive(Clone, Debug, Default)]
pub enum Detail {
    /// Its URL.
    #[default]
    Url,
    /// Its plan.
    Changes,
    /// The result of its checks.
    Checks,
    /// Its package on disk.
    Zip(Zip),
    /// Its releases, the newest first.
    Releases(Vec<Published>),
    /// Its state.
    Comparison(Comparison),
    /// The figures of its releases; `None` if they could not be read.
    Stats(Option<Figures>),
}

/// The figures of a function's releases, the newest first.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The time in which requests ended, in milliseconds since 1970.
    pub time: Range<i64>,
    pub releases: Vec<ReleaseFigures>,
}

/// What is deployed, compared with the manifest.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    pub in_manifest: bool,
    pub not_compared: Vec<NotCompared>,
    /// Where the live version comes from.
    pub origin: Origin,
    /// When the live version was published, as Lambda writes it.
    pub published_at: Option<String>,
    /// Of a function that is not deployed here, the regions in which lamstream has created it; `None` if not known.
    pub other_regions: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// `live` points to a version.
    Deployed,
    Absent,
    /// This run failed to deploy it.
    Failed,
    /// The command did not check.
    #[default]
    Unknown,
}

/// A setting whose value in the manifest cannot be read here.
#[derive(Clone, Debug)]
pub struct NotCompared {
    /// The field as a plan names it: `environment.KEY`.
    pub field: String,
    /// A sentence without the full stop.
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
    pub state: LocalState,
    pub data: String,
    /// The variables that point to it; empty unless the command is about them.
    pub env: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalState {
    Running {
        endpoint: String,
    },
    NotRunning,
    /// This command stopped it.
    Ended,
}

/// A manifest that was imported.
#[derive(Clone, Debug)]
pub struct ImportAnswer {
    /// The path that it was written to.
    pub out: Option<String>,
    /// The manifest itself, if it is printed.
    pub manifest: Option<String>,
    pub left: Vec<LeftOver>,
}

/// What `init` wrote.
#[derive(Clone, Debug)]
pub struct InitAnswer {
    pub app: String,
    /// The paths of all files.
    pub files: Vec<String>,
    pub template: Option<&'static str>,
    /// What was found, such as "a FastAPI app, `main:app`".
    pub found: Option<String>,
    /// What to do before a deploy, and what to know.
    pub notes: Vec<String>,
    /// The command to run next.
    pub next: String,
}

/// A policy of IAM.
#[derive(Clone, Debug)]
pub struct PolicyAnswer {
    /// As people write it, with the end of its last line.
    pub text: String,
    pub json: serde_json::Value,
}

/// A value that is stored for functions; never the value itself.
#[derive(Clone, Debug)]
pub struct SecretAnswer {
    pub name: String,
    /// The whole name of the parameter.
    pub parameter: String,
    pub version: Option<u64>,
    /// Milliseconds since 1970; `None` if it was stored by this run.
    pub changed_at: Option<i64>,
    /// The ARN of the caller that stored it.
    pub changed_by: Option<String>,
}

/// One event of a function's log.
#[derive(Clone, Debug, Default)]
pub struct LogLine {
    pub id: String,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub stream: String,
    /// The version whose instance wrote it, such as `3`, if the stream names it.
    pub version: Option<String>,
    /// The request that it belongs to, if it does.
    pub request: Option<String>,
    pub message: String,
}

/// The response of a URL.
#[derive(Clone, Debug)]
pub struct Response {
    pub seen: Verified,
    /// How long the instance took to start; `None` if it is not known, or if it had started before.
    pub init: Option<Duration>,
    /// What Lambda bills; `None` if it is not known.
    pub billed: Option<Duration>,
    /// In the order in which they arrived.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The failures of its functions, in their order, or that of `doctor`.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let found = match &self.extra {
            Extra::Checks(Some(doctor)) => doctor.failure.as_ref(),
            _ => None,
        };
        self.found.functions.iter().filter_map(|function| function.error.as_ref()).chain(found)
    }
}

impl From<Functions> for Answer {
    fn from(found: Functions) -> Answer {
        Answer { found, ..Answer::default() }
    }
}

impl From<Extra> for Answer {
    fn from(extra: Extra) -> Answer {
        Answer { extra, ..Answer::default() }
    }
}

impl LocalAnswer {
    pub fn endpoint(&self) -> Option<&str> {
        match &self.state {
            LocalState::Running { endpoint } => Some(endpoint),
            LocalState::NotRunning | LocalState::Ended => None,
        }
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

    /// The URL at which people reach it.
    pub fn url(&self) -> Option<&String> {
        self.addresses.last().map(|address| &address.url)
    }

    /// The result of a command for this function: if it was refused, what was known of the function, and why.
    ///
    /// # Errors
    /// If the run was interrupted or cancelled, or its command line is at fault: that concerns the run as a whole.
    pub fn or_refused(self, result: Result<FunctionAnswer, Failure>) -> Result<FunctionAnswer, Failure> {
        match result {
            Err(failure) if matches!(failure.kind, FailureKind::Cloud | FailureKind::Conflict) => {
                Ok(FunctionAnswer { error: Some(failure), ..self })
            }
            result => result,
        }
    }

    /// The same answer for a run that failed. The answer and the failure list the same steps; those that only one of them
    /// knows are copied to the other.
    pub fn failed(self, failure: Failure) -> FunctionAnswer {
        let done = if self.done.is_empty() { failure.done } else { self.done };
        let left = if self.left.is_empty() { failure.left } else { self.left };
        let error = Some(Failure { done: done.clone(), left: left.clone(), ..failure });
        FunctionAnswer { state: State::Failed, done, left, error, ..self }
    }
}
