//! Requests to functions, and how they are answered.

use bytes::Bytes;
use tokio::sync::oneshot;

use super::answer::Answer;
use crate::clock;
use crate::limits::concurrency::ConcurrencyPermit;
use crate::random;

/// One event to be handled.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) event: Bytes,
    pub(crate) trace: String,
    pub(crate) client_context: Option<String>,
    /// Whether an instance is started for it, even if another one is idle.
    pub(crate) new_instance: bool,
    /// Whether another instance is started beside its own, so that the next request finds one that is idle.
    pub(crate) with_spare: bool,
}

/// The header by which a request asks for a new instance, and by which its answer says that it got one. It is not passed
/// to the function.
pub(crate) const INSTANCE: &str = "x-localcloud-instance";
/// The value for a new instance. It is also that of the answer.
pub(crate) const NEW: &str = "new";
/// The value for an instance that is started for the next request. Only invocations have it.
pub(crate) const SPARE: &str = "spare";

impl Request {
    pub(crate) fn new(id: String, event: Bytes) -> Self {
        Self { id, event, trace: trace(), client_context: None, new_instance: false, with_spare: false }
    }
}

/// A new X-Ray trace header.
pub(crate) fn trace() -> String {
    let seconds = clock::now() / 1000;
    let id = random::token();
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &id[..24], &id[16..])
}

/// A request on its way to an instance, with the permit that it holds until it is done.
pub(super) struct QueuedRequest {
    pub(super) request: Request,
    pub(super) arn: String,
    /// How an instance is to be started for it.
    pub(super) start: Start,
    pub(super) reply: Reply,
    pub(super) finished: oneshot::Sender<Vec<u8>>,
    pub(super) permit: ConcurrencyPermit,
}

/// Where the outcome is expected; an error asks for another start.
pub(super) type Reply = oneshot::Sender<Result<Outcome, Start>>;

/// How an instance is started; the default is for a first attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// It may take as long as an invocation: AWS repeats a start that took too long within the first invocation.
    pub(super) patient: bool,
    /// Which port its app gets.
    pub(super) port: PortChoice,
    /// Whether it is started for the next request.
    pub(super) is_spare: bool,
}

/// Which port an app gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PortChoice {
    /// The one that it asks for, if it is free, or another one.
    #[default]
    Preferred,
    /// Another one: a program was faster on the one that it asks for.
    Another,
    /// The one that it asks for: it did not start with another one.
    Asked,
}

/// How a function answered.
pub(crate) enum Outcome {
    Answer(Answer),
    Error {
        payload: Bytes,
        /// What the function printed last.
        last: String,
    },
}

impl Outcome {
    /// An error in the platform's words.
    pub(super) fn failed(kind: &str, message: &str) -> Self {
        let payload = serde_json::json!({"errorType": kind, "errorMessage": message});
        Self::Error { payload: payload.to_string().into(), last: String::new() }
    }
}

/// An invocation whose answer has begun.
pub(crate) struct Invocation {
    pub(crate) outcome: Outcome,
    /// The last lines of its log, once it is over.
    pub(crate) finished: oneshot::Receiver<Vec<u8>>,
}
