//! What can be wrong with a URL's response. Each fault has its wording and its hints.

use std::time::Duration;

use super::cause::Cause;
use super::mcp::McpProblem;
use super::observation::Seen;
use super::obstacle::Obstacle;
use super::shortcoming::Shortcoming;
use super::signs;
use super::subject::Subject;
use crate::manifest::Expect;

/// Why a URL failed its check. `Display` completes sentences such as "cannot verify `URL`: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No response: which part of the connection failed, and its own message.
    Unreachable { obstacle: Obstacle, reason: String },
    /// The time limit for one request was reached. `seen` is set if the response had started.
    Timeout { after: Duration, seen: Option<Seen> },
    /// AWS rejected the request, and kept rejecting it for as long as it was retried.
    Forbidden { words: String, signed: bool, tried_for: Duration, refusal: Refusal, seen: Seen },
    /// The function answered with a status below 500 that the check does not accept.
    Status { expected: Expect, words: String, seen: Seen },
    /// A status of 500 or above; `log` has the function's last words, if they are known.
    ServerError { words: String, seen: Seen, log: Vec<String> },
    /// The raw JSON of a buffered handler behind a streaming URL.
    RawJson { seen: Seen },
    /// The runtime's report of a failed handler, inside the body; `log` has the function's last words, if they are known.
    RuntimeErrorText { words: String, seen: Seen, log: Vec<String> },
    /// The response is correct but arrived in one piece. `on_the_way` is set if the function itself is known to stream.
    Buffered { on_the_way: bool, seen: Seen },
    /// The response is correct, but its first byte was later than the check allows, and not only because of a cold
    /// start.
    Late { within: Duration, seen: Seen },
    /// The response is sound, but lacks something that its check requires.
    Short { shortcoming: Shortcoming, seen: Seen },
    /// An MCP server's answer to the request with this method does not pass.
    Mcp { method: &'static str, problem: McpProblem, seen: Seen },
    /// The function ended without answering; `log` has its last lines.
    Crash { cause: Cause, words: String, log: Vec<String> },
    /// The response was cut off; `log` as above.
    Cut { reason: String, seen: Seen, log: Vec<String> },
    /// The request could not be signed.
    NotSigned(String),
}

/// Why AWS rejects requests to a URL, as far as lamstream can find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not examined.
    Unknown,
    /// These statements are missing on the alias.
    Missing(Vec<&'static str>),
    /// All statements exist: the account or the organisation overrides them.
    Overruled,
}

impl Fault {
    /// What to do about it, the most likely first.
    pub fn hints(&self, subject: &Subject<'_>) -> Vec<String> {
        let Subject { name: function, kind, .. } = *subject;
        let logs = |what: &str| vec![format!("run `lamstream logs {function}`{what}")];
        let hints: &[&str] = match self {
            Fault::Unreachable { obstacle, .. } => obstacle.hints(),
            Fault::Timeout { seen: None, .. } => return logs(" and look for the request"),
            Fault::Timeout { .. } => &["let the response end in less time, or raise `timeout` in the manifest"],
            Fault::Forbidden { signed: true, .. } => {
                &["allow these credentials `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the function"]
            }
            Fault::Forbidden { refusal: Refusal::Missing(_), .. } => {
                &["look for a policy or a tool in the account that removes them, then deploy again"]
            }
            Fault::Forbidden { refusal: Refusal::Overruled, .. } => {
                &["allow public function URLs in the account's settings and the organisation's policies, or use \
                 `auth = \"aws-iam\"`"]
            }
            Fault::Forbidden { .. } => &[
                "check that the alias has both permissions: `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`",
                "check whether the account or organisation blocks public policies",
            ],
            Fault::Status { seen: Seen { status: 407, .. }, .. } => &["check `HTTPS_PROXY` and `NO_PROXY`"],
            Fault::Status { seen: Seen { status: 429, .. }, .. } => {
                &["wait, or raise the function's or the account's concurrency"]
            }
            Fault::Status { words, seen: Seen { status: 400 | 403 | 421, .. }, .. } if signs::is_about_host(words) => {
                &[signs::HOST_HINT]
            }
            Fault::Status { .. } => &["if this response is correct, change `check` in the manifest"],
            // AWS's own answer for a function without one.
            Fault::ServerError { seen: Seen { status: 502, .. }, .. } => {
                let more = kind.hints_without_an_answer().iter().map(|hint| (*hint).to_string());
                return logs("").into_iter().chain(more).collect();
            }
            Fault::ServerError { .. } => return logs(""),
            Fault::RawJson { .. } => kind.hints_for_a_buffered_handler(),
            Fault::RuntimeErrorText { .. } => return logs("; a stream must end without an error"),
            Fault::Buffered { on_the_way: true, .. } => {
                &["try from another network: a proxy, virus scanner or CDN in between buffers the response"]
            }
            Fault::Buffered { .. } => &[
                "let the function send at least two chunks, at least 50 ms apart",
                "try from another network: a proxy, virus scanner or CDN in between may buffer the response",
            ],
            Fault::Late { .. } => {
                return vec![format!(
                    "run `lamstream invoke {function} -v` a few times to see whether it is the function or the network"
                )];
            }
            Fault::Short { shortcoming, seen } => return shortcoming.hints(function, seen),
            Fault::Mcp { problem, seen, .. } => return problem.hints(function, seen),
            Fault::Cut { .. } | Fault::Crash { cause: Cause::Request, .. } => {
                return logs(" and look for a panic, too little memory or a timeout");
            }
            Fault::Crash { cause: Cause::Program, log, .. } => return subject.hints_for_a_program(log),
            Fault::Crash { cause, .. } => cause.hints(kind),
            Fault::NotSigned(_) => &["check that the credentials are complete and still valid"],
        };
        hints.iter().map(|hint| (*hint).to_string()).collect()
    }

    /// The function's last words.
    pub fn log(&self) -> &[String] {
        match self {
            Fault::Crash { log, .. }
            | Fault::ServerError { log, .. }
            | Fault::RuntimeErrorText { log, .. }
            | Fault::Cut { log, .. } => log,
            _ => &[],
        }
    }

    /// The same with the function's last words, if the function may be at fault.
    pub(super) fn with_log(self, log: Vec<String>) -> Fault {
        match self {
            Fault::ServerError { words, seen, .. } => Fault::ServerError { words, seen, log },
            Fault::RuntimeErrorText { words, seen, .. } => Fault::RuntimeErrorText { words, seen, log },
            Fault::Cut { reason, seen, .. } => Fault::Cut { reason, seen, log },
            other => other,
        }
    }

    /// What was observed of the response.
    pub fn seen(&self) -> Option<&Seen> {
        match self {
            Fault::Unreachable { .. } | Fault::NotSigned(_) | Fault::Crash { .. } => None,
            Fault::Timeout { seen, .. } => seen.as_ref(),
            Fault::Forbidden { seen, .. }
            | Fault::Status { seen, .. }
            | Fault::ServerError { seen, .. }
            | Fault::RawJson { seen }
            | Fault::RuntimeErrorText { seen, .. }
            | Fault::Buffered { seen, .. }
            | Fault::Late { seen, .. }
            | Fault::Short { seen, .. }
            | Fault::Mcp { seen, .. }
            | Fault::Cut { seen, .. } => Some(seen),
        }
    }

    /// Whether it may be due to a cold start, so that the next answer may be better.
    pub(super) fn may_be_cold(&self) -> bool {
        match self {
            Fault::Late { .. } => true,
            Fault::Short { shortcoming, .. } => shortcoming.may_be_cold(),
            _ => false,
        }
    }

    /// Whether the function or its URL is at fault, and not the connection: then the previous release would do better.
    pub fn calls_for_moving_back(&self) -> bool {
        match self {
            Fault::Unreachable { .. } | Fault::Buffered { .. } | Fault::Late { .. } | Fault::NotSigned(_) => false,
            // The signing credentials, their permissions or the clock are at fault; another release would not help.
            Fault::Forbidden { signed: true, .. } => false,
            Fault::Short { shortcoming, .. } => shortcoming.calls_for_moving_back(),
            Fault::Mcp { problem, seen, .. } => problem.calls_for_moving_back(seen),
            // A proxy answered, or the concurrency is used up; another release would do no better.
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
