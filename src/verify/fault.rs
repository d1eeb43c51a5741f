//! What can be wrong with a URL's answer, each with its own words and way out.

use std::fmt;
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
    Forbidden { words: String, signed: bool, tried_for: Duration, seen: Seen },
    /// The function answered, with a status below 500 that the check does not accept.
    Status { expected: Expect, words: String, seen: Seen },
    /// A status of 500 or above.
    ServerError { words: String, seen: Seen },
    /// The JSON of a buffered handler behind a streaming URL.
    RawJson { seen: Seen },
    /// The runtime's report of a failed handler, written into the body.
    RuntimeErrorText { words: String, seen: Seen },
    /// The answer is right, but came in one piece.
    Buffered { seen: Seen },
    /// The answer broke off.
    Cut { reason: String, seen: Seen },
    /// The request could not be signed.
    Sign(String),
}

/// What kept a request from being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The request itself: its URL, method or headers.
    Request,
    /// The host's name is not known.
    Name,
    /// No connection, or one that broke before an answer came.
    Connection,
    /// The certificate or the handshake.
    Tls,
    /// A proxy on the way.
    Proxy,
}

impl Fault {
    /// What to do about it, most likely first.
    pub fn hints(&self) -> Vec<String> {
        let hints: &[&str] = match self {
            Fault::Unreachable { obstacle, .. } => match obstacle {
                Obstacle::Request => &["look at the function's `check` in the manifest"],
                Obstacle::Name => &["a new URL's name can take a moment: try it again, or ask another resolver"],
                Obstacle::Connection => &["is the network up, and does a firewall let HTTPS through?"],
                Obstacle::Tls => &["is this machine's clock right, and are its root certificates installed?"],
                Obstacle::Proxy => &["look at `HTTPS_PROXY` and `NO_PROXY`"],
            },
            Fault::Timeout { seen: None, .. } => &["the function's logs say whether it was asked at all"],
            Fault::Timeout { .. } => &["a check without `whole = true` reads no further than it must"],
            Fault::Forbidden { signed: true, .. } => {
                &["these credentials need `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the function"]
            }
            Fault::Forbidden { .. } => &[
                "a public URL needs two statements on its alias: `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`",
                "an account or organisation that blocks public policies refuses in the same way",
            ],
            Fault::Status { seen: Seen { status: 407, .. }, .. } => &["look at `HTTPS_PROXY` and `NO_PROXY`"],
            Fault::Status { seen: Seen { status: 429, .. }, .. } => {
                &["the function's or the account's concurrency is used up"]
            }
            Fault::Status { .. } => {
                &["is this what the function should answer? `check` in the manifest says what counts"]
            }
            Fault::ServerError { .. } => &["the function's logs say why it failed"],
            Fault::RawJson { .. } => &[
                "the handler answers as for a buffered URL: make it stream, or set `mode = \"buffered\"`",
                "Lambda Web Adapter needs `AWS_LWA_INVOKE_MODE=response_stream`",
            ],
            Fault::RuntimeErrorText { .. } => {
                &["a handler's stream must never yield an error: the logs say what failed"]
            }
            Fault::Buffered { .. } => &[
                "a proxy, a virus scanner or a CDN on the way may collect the answer: try from another network",
                "does the function wait between its chunks? at least two must be 50 ms apart",
            ],
            Fault::Cut { .. } => &["the function's logs say whether it panicked, ran out of memory or out of time"],
            Fault::Sign(_) => &["are the credentials complete and still valid?"],
        };
        hints.iter().map(|hint| (*hint).to_string()).collect()
    }

    /// What there was of an answer.
    pub fn seen(&self) -> Option<&Seen> {
        match self {
            Fault::Unreachable { .. } | Fault::Sign(_) => None,
            Fault::Timeout { seen, .. } => seen.as_ref(),
            Fault::Forbidden { seen, .. }
            | Fault::Status { seen, .. }
            | Fault::ServerError { seen, .. }
            | Fault::RawJson { seen }
            | Fault::RuntimeErrorText { seen, .. }
            | Fault::Buffered { seen }
            | Fault::Cut { seen, .. } => Some(seen),
        }
    }

    /// Whether the function or its URL is to blame, and not the way there: then what served before serves better.
    pub fn is_the_functions_fault(&self) -> bool {
        match self {
            Fault::Unreachable { .. } | Fault::Buffered { .. } | Fault::Sign(_) => false,
            // Asked by a proxy, or refused for lack of concurrency: another release would fare no better.
            Fault::Status { seen, .. } => !matches!(seen.status, 407 | 429),
            Fault::Timeout { .. }
            | Fault::Forbidden { .. }
            | Fault::ServerError { .. }
            | Fault::RawJson { .. }
            | Fault::RuntimeErrorText { .. }
            | Fault::Cut { .. } => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreachable { obstacle, reason } => {
                let what = match obstacle {
                    Obstacle::Request => "the request cannot be made",
                    Obstacle::Name => "its host name is not known",
                    Obstacle::Connection => "no connection",
                    Obstacle::Tls => "no secure connection",
                    Obstacle::Proxy => "the proxy does not let it through",
                };
                write!(formatter, "{what}: {reason}")
            }
            Fault::Timeout { after, seen: None } => write!(formatter, "no answer within {}", Span(*after)),
            Fault::Timeout { after, seen: Some(seen) } => {
                write!(formatter, "the answer did not end within {} ({})", Span(*after), Chunks(seen))
            }
            Fault::Forbidden { words, tried_for, .. } => {
                write!(formatter, "AWS refuses the request with status 403, tried for {}", Span(*tried_for))?;
                quote(formatter, words)
            }
            Fault::Status { expected, words, seen } => {
                write!(formatter, "the answer has status {}, not {}", seen.status, Wanted(*expected))?;
                quote(formatter, words)
            }
            Fault::ServerError { words, seen } => {
                write!(formatter, "the function fails with status {}", seen.status)?;
                quote(formatter, words)
            }
            Fault::RawJson { .. } => formatter.write_str(
                "the answer is the raw `{\"statusCode\": …}` of a buffered handler, behind a URL that streams",
            ),
            Fault::RuntimeErrorText { words, .. } => {
                formatter.write_str("the answer holds the runtime's report of an error")?;
                quote(formatter, words)
            }
            Fault::Buffered { seen } => {
                write!(formatter, "the answer did not stream: {} within {}", Chunks(seen), Span(seen.duration))
            }
            Fault::Cut { reason, seen } => {
                write!(formatter, "the answer was cut off after {} in {}", Chunks(seen), Span(seen.duration))?;
                quote(formatter, reason)
            }
            Fault::Sign(reason) => write!(formatter, "the request cannot be signed: {reason}"),
        }
    }
}

impl std::error::Error for Fault {}

fn quote(formatter: &mut fmt::Formatter<'_>, words: &str) -> fmt::Result {
    if words.is_empty() { Ok(()) } else { write!(formatter, ": `{words}`") }
}

/// `850 ms`, `12.3 s`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            milliseconds @ ..1000 => write!(formatter, "{milliseconds} ms"),
            _ => write!(formatter, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}

struct Chunks<'a>(&'a Seen);

impl fmt::Display for Chunks<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { chunks, bytes, .. } = self.0;
        write!(formatter, "{chunks} chunk{}, {bytes} bytes", if *chunks == 1 { "" } else { "s" })
    }
}

struct Wanted(Expect);

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expect::Status(status) => write!(formatter, "{status}"),
            Expect::Success => formatter.write_str("200 to 399"),
            Expect::Answer => formatter.write_str("below 500"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: u16) -> Seen {
        Seen {
            status,
            first_byte: Duration::from_millis(14),
            chunks: 1,
            bytes: 812,
            duration: Duration::from_millis(1234),
            streamed: Some(false),
            complete: true,
        }
    }

    /// One of each, with its words and whether a move back would help.
    fn all() -> Vec<(Fault, &'static str, bool)> {
        let words = || "so it says".to_string();
        let unreachable = |obstacle| Fault::Unreachable { obstacle, reason: words() };
        let after = Duration::from_secs(30);
        vec![
            (unreachable(Obstacle::Request), "the request cannot be made: so it says", false),
            (unreachable(Obstacle::Name), "its host name is not known: so it says", false),
            (unreachable(Obstacle::Connection), "no connection: so it says", false),
            (unreachable(Obstacle::Tls), "no secure connection: so it says", false),
            (unreachable(Obstacle::Proxy), "the proxy does not let it through: so it says", false),
            (Fault::Timeout { after, seen: None }, "no answer within 30.0 s", true),
            (
                Fault::Timeout { after, seen: Some(seen(200)) },
                "the answer did not end within 30.0 s (1 chunk, 812 bytes)",
                true,
            ),
            (
                Fault::Forbidden { words: words(), signed: false, tried_for: after, seen: seen(403) },
                "AWS refuses the request with status 403, tried for 30.0 s: `so it says`",
                true,
            ),
            (
                Fault::Status { expected: Expect::Success, words: words(), seen: seen(404) },
                "the answer has status 404, not 200 to 399: `so it says`",
                true,
            ),
            (
                Fault::Status { expected: Expect::Status(200), words: String::new(), seen: seen(429) },
                "the answer has status 429, not 200",
                false,
            ),
            (
                Fault::ServerError { words: words(), seen: seen(502) },
                "the function fails with status 502: `so it says`",
                true,
            ),
            (
                Fault::RawJson { seen: seen(200) },
                "the answer is the raw `{\"statusCode\": …}` of a buffered handler, behind a URL that streams",
                true,
            ),
            (
                Fault::RuntimeErrorText { words: words(), seen: seen(200) },
                "the answer holds the runtime's report of an error: `so it says`",
                true,
            ),
            (Fault::Buffered { seen: seen(200) }, "the answer did not stream: 1 chunk, 812 bytes within 1.2 s", false),
            (
                Fault::Cut { reason: words(), seen: seen(200) },
                "the answer was cut off after 1 chunk, 812 bytes in 1.2 s: `so it says`",
                true,
            ),
            (Fault::Sign(words()), "the request cannot be signed: so it says", false),
        ]
    }

    #[test]
    fn each_fault_has_its_own_words_and_hint_and_blame() {
        let mut messages = std::collections::BTreeSet::new();
        for (fault, message, blame) in all() {
            assert_eq!(fault.to_string(), message);
            assert!(!fault.hints().is_empty(), "{fault:?}");
            assert_eq!(fault.is_the_functions_fault(), blame, "{fault:?}");
            assert!(messages.insert(message), "two faults say: {message}");
        }
    }
}
