//! What can be wrong with a URL's answer, each with its own words and way out.

use std::time::Duration;

use super::observation::Seen;
use crate::manifest::Expect;

/// Why a URL does not count as deployed. `Display` completes a sentence such as "cannot verify `URL`: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer at all: what stood in between, and its own words.
    Unreachable { obstacle: Obstacle, reason: String },
    /// The time for one request was over; `seen` where the answer had begun.
    Timeout { after: Duration, seen: Option<Seen> },
    /// AWS itself refused, and went on refusing for as long as it was tried.
    Forbidden { words: String, signed: bool, tried_for: Duration, refusal: Refusal, seen: Seen },
    /// The function answered, with a status below 500 that the check does not accept.
    Status { expected: Expect, words: String, seen: Seen },
    /// A status of 500 or above.
    ServerError { words: String, seen: Seen },
    /// The JSON of a buffered handler behind a streaming URL.
    RawJson { seen: Seen },
    /// The runtime's report of a failed handler, written into the body.
    RuntimeErrorText { words: String, seen: Seen },
    /// The answer is right, but came in one piece; `on_the_way` where the function itself was seen to stream.
    Buffered { on_the_way: bool, seen: Seen },
    /// The answer is right, but its first byte came later than the check allows, and not for a cold start alone.
    Late { within: Duration, seen: Seen },
    /// The function ended instead of answering; `log` holds its last lines.
    Crash { cause: Cause, words: String, log: Vec<String> },
    /// The answer broke off.
    Cut { reason: String, seen: Seen },
    /// The request could not be signed.
    Sign(String),
}

/// Why AWS refuses a request to a URL, as far as it can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not looked at.
    Unknown,
    /// These statements are not on the alias, although they should be.
    Missing(Vec<&'static str>),
    /// All statements are there: the account or the organisation overrules them.
    Overruled,
}

/// What ended a function before it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its binary is for another processor.
    Architecture,
    /// Its binary wants a newer glibc than the runtime has.
    Glibc,
    /// There is nothing that Lambda could start.
    Entrypoint,
    /// It failed before it asked for its first request.
    Start,
    /// It failed while it had the request.
    Request,
    /// It had the request for as long as a request may take.
    Time,
}

/// What kept a request from being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The request itself: its URL, method or headers.
    Request,
    /// The host name cannot be resolved.
    Name,
    /// No connection, or one that broke before an answer came.
    Connection,
    /// The certificate or the handshake.
    Tls,
    /// A proxy on the way.
    Proxy,
}

impl Fault {
    /// What to do about it, most likely first; `function` is its name in the manifest.
    pub fn hints(&self, function: &str) -> Vec<String> {
        let hints: &[&str] = match self {
            Fault::Unreachable { obstacle, .. } => obstacle.hints(),
            Fault::Timeout { seen: None, .. } => &["check the function's logs for the request"],
            Fault::Timeout { .. } => {
                &["remove `whole = true` from the check, unless the stream has to be read to its end"]
            }
            Fault::Forbidden { signed: true, .. } => {
                &["these credentials need `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the function"]
            }
            Fault::Forbidden { refusal: Refusal::Missing(_), .. } => {
                &["look for a policy or a tool in the account that removes them, then deploy again"]
            }
            Fault::Forbidden { refusal: Refusal::Overruled, .. } => {
                &["the account's settings or an organisation's policy block public function URLs: allow them, or use \
                 `auth = \"aws-iam\"`"]
            }
            Fault::Forbidden { .. } => &[
                "a public URL needs two statements on its alias: `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`",
                "an account or organisation that blocks public policies refuses in the same way",
            ],
            Fault::Status { seen: Seen { status: 407, .. }, .. } => &["check `HTTPS_PROXY` and `NO_PROXY`"],
            Fault::Status { seen: Seen { status: 429, .. }, .. } => {
                &["the function's or the account's concurrency is used up"]
            }
            Fault::Status { .. } => &["if this answer is right, change `check` in the manifest"],
            Fault::ServerError { .. } => &["check the function's logs"],
            Fault::RawJson { .. } => &[
                "make the handler stream, or set `mode = \"buffered\"`",
                "set `AWS_LWA_INVOKE_MODE=response_stream` for Lambda Web Adapter",
            ],
            Fault::RuntimeErrorText { .. } => {
                &["check the function's logs; a handler's stream must never yield an error"]
            }
            Fault::Buffered { on_the_way: true, .. } => {
                &["try from another network: a proxy, a virus scanner or a CDN on the way buffers the answer"]
            }
            Fault::Buffered { .. } => &[
                "let the function send at least two chunks, at least 50 ms apart",
                "try from another network: a proxy, a virus scanner or a CDN on the way may buffer the answer",
            ],
            Fault::Late { .. } => {
                return vec![format!(
                    "run `lamstream invoke {function} -v` a few times to see whether it is the function or the network"
                )];
            }
            Fault::Crash { cause, .. } => cause.hints(),
            Fault::Cut { .. } => &["check the function's logs for a panic, too little memory or a timeout"],
            Fault::Sign(_) => &["check that the credentials are complete and still valid"],
        };
        hints.iter().map(|hint| (*hint).to_string()).collect()
    }

    /// What of its text are the words of others: AWS's, the function's, or those of a proxy in between.
    pub fn words(&self) -> Option<&str> {
        match self {
            Fault::Unreachable { reason, .. } | Fault::Cut { reason, .. } | Fault::Sign(reason) => Some(reason),
            Fault::Forbidden { refusal: Refusal::Missing(_) | Refusal::Overruled, .. } => None,
            Fault::Forbidden { words, .. }
            | Fault::Status { words, .. }
            | Fault::ServerError { words, .. }
            | Fault::RuntimeErrorText { words, .. }
            | Fault::Crash { words, .. } => Some(words),
            Fault::Timeout { .. } | Fault::RawJson { .. } | Fault::Buffered { .. } | Fault::Late { .. } => None,
        }
    }

    /// What there was of an answer.
    pub fn seen(&self) -> Option<&Seen> {
        match self {
            Fault::Unreachable { .. } | Fault::Sign(_) | Fault::Crash { .. } => None,
            Fault::Timeout { seen, .. } => seen.as_ref(),
            Fault::Forbidden { seen, .. }
            | Fault::Status { seen, .. }
            | Fault::ServerError { seen, .. }
            | Fault::RawJson { seen }
            | Fault::RuntimeErrorText { seen, .. }
            | Fault::Buffered { seen, .. }
            | Fault::Late { seen, .. }
            | Fault::Cut { seen, .. } => Some(seen),
        }
    }

    /// Whether the function or its URL is to blame, and not the way there: then what served before serves better.
    pub fn calls_for_moving_back(&self) -> bool {
        match self {
            Fault::Unreachable { .. } | Fault::Buffered { .. } | Fault::Late { .. } | Fault::Sign(_) => false,
            // What signed the request is at fault, or its clock, or what it may do: no release changes that.
            Fault::Forbidden { signed: true, .. } => false,
            // Asked by a proxy, or refused for lack of concurrency: another release would fare no better.
            Fault::Status { seen, .. } => !matches!(seen.status, 407 | 429),
            Fault::Timeout { .. }
            | Fault::Forbidden { .. }
            | Fault::ServerError { .. }
            | Fault::RawJson { .. }
            | Fault::RuntimeErrorText { .. }
            | Fault::Crash { .. }
            | Fault::Cut { .. } => true,
        }
    }
}

impl Cause {
    fn hints(self) -> &'static [&'static str] {
        match self {
            Cause::Architecture => &["build for the function's `architecture`, or change it in the manifest"],
            Cause::Glibc => {
                &["build against glibc 2.34 or older: zig can (`linker = \"zig\"`), or a `*-musl` target needs none"]
            }
            Cause::Entrypoint => {
                &["the package must hold an executable file `bootstrap` at its root, for this processor"]
            }
            Cause::Start => &[
                "check that it has every variable and permission that it needs to start",
                "a web app has 10 s to listen on the port in `PORT` and to answer `readiness_path`",
            ],
            Cause::Request => &["check the function's logs for a panic, too little memory or a timeout"],
            Cause::Time => &["check what it waits for, or raise `timeout` in the manifest"],
        }
    }
}

impl Obstacle {
    fn hints(self) -> &'static [&'static str] {
        match self {
            Obstacle::Request => &["check the function's `check` in the manifest"],
            Obstacle::Name => {
                &["try again in a moment, because DNS for a new URL takes time to propagate, or use another resolver"]
            }
            Obstacle::Connection => &["check your network, and that a firewall lets HTTPS through"],
            Obstacle::Tls => &["check this machine's clock and its root certificates"],
            Obstacle::Proxy => &["check `HTTPS_PROXY` and `NO_PROXY`"],
        }
    }
}
