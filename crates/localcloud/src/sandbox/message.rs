//! Messages that an instance receives from its processes.

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A message to the instance, from the Runtime API or from a task that watches a process.
pub(super) enum RuntimeMessage {
    /// The process asks for a request.
    Next(oneshot::Sender<Delivery>),
    /// Another program has a port of the app: the answer may be that program's.
    PortTaken(String),
    /// The answer has begun.
    Answering { at: Instant },
    /// The answer has ended, in one way or another.
    Answered(AnswerEnd),
    /// An answer to an invocation that is over.
    Stale { id: String },
    /// The body contains the text of an error.
    ErrorInBody(String),
    /// The answer is longer than it may be.
    TooLong(String),
    /// The function reports that it failed.
    Failed { text: String },
    /// The process reports that it cannot start.
    InitFailed { payload: Bytes },
    /// An extension asks for its next event.
    ExtensionWaits,
    /// An extension reports that it cannot continue, or has ended without reporting it.
    ExtensionFailed { name: String, kind: String, how: String },
}

/// The end of an answer.
pub(super) struct AnswerEnd {
    pub(super) end: BodyEnd,
    /// The size of its body.
    pub(super) bytes: u64,
    pub(super) at: Instant,
}

/// How a body ended.
pub(super) enum BodyEnd {
    Complete,
    Cut,
    /// The client left before the end.
    Unread,
    /// With error trailers.
    Trailers {
        kind: String,
        body: String,
    },
}

/// A request as the process gets it.
pub(super) struct Delivery {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) event: Bytes,
}
