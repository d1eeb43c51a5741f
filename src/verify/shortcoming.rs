//! What a response lacks of what its check requires, if the response itself is sound: its words, its cure and its blame.

use super::observation::Seen;
use super::span::Span;
use std::time::Duration;

/// A requirement of a check that a response does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortcoming {
    /// It did not end in this time after its head.
    Endless { within: Duration },
    /// It ended, but later than this.
    Overdue { within: Duration },
    /// It was silent for longer than this; `is_first` if that was before its first chunk.
    Silent { allowed: Duration, silence: Duration, is_first: bool },
    /// A header is missing or has another value.
    Header { name: String, expected: String, found: Option<String> },
    /// It does not contain this text.
    Lacks(String),
    /// It ends with another text.
    End { expected: String, found: String },
    /// It is not an event stream as browsers read it.
    Events(NoEvents),
    /// The page of this origin may not read it. `found` are the values of `access-control-allow-origin`.
    Origin { origin: String, found: Vec<String>, by_url: bool },
    /// It is not encoded as it says.
    Undecodable { encoding: String, reason: String },
    /// Its bytes arrived apart, but could only be decoded together.
    Compressed { encoding: String },
}

/// What is wrong with an event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEvents {
    /// It has no event with data.
    Nothing,
    /// Browsers ignore this line.
    Ignored(String),
    /// Its last event has no empty line after it, so browsers drop it.
    Incomplete(String),
}

impl Shortcoming {
    /// Our words, the words of the response, and what ends the quotation.
    pub(super) fn parts(&self, seen: &Seen) -> (String, &str, &'static str) {
        match self {
            Shortcoming::Header { name, expected, found: Some(found) } => {
                (format!("the response's header `{name}` is not `{expected}`, but `"), found, "`")
            }
            Shortcoming::End { expected, found } if !found.is_empty() => {
                (format!("the response does not end with `{expected}`, but with `"), found, "`")
            }
            Shortcoming::Events(NoEvents::Ignored(line)) => {
                ("the event stream has a line that browsers ignore: `".to_owned(), line, "`")
            }
            Shortcoming::Events(NoEvents::Incomplete(line)) => {
                ("the event stream ends without an empty line after its last event: `".to_owned(), line, "`")
            }
            Shortcoming::Origin { origin, found, .. } if found.len() == 1 => (
                format!("a page of `{origin}` may not read the response: `access-control-allow-origin` is `"),
                &found[0],
                "`",
            ),
            Shortcoming::Undecodable { encoding, reason } => {
                let encoding = encoding.clone();
                ("the response cannot be decoded as ".to_owned() + &encoding + ": ", reason, "")
            }
            _ => (self.statement(seen), "", ""),
        }
    }

    fn statement(&self, seen: &Seen) -> String {
        let Seen { chunks, bytes, duration, .. } = seen;
        match self {
            Shortcoming::Endless { within } if *bytes == 0 => {
                format!("the response has no body and does not end: it was still open after {}", Span(*within))
            }
            Shortcoming::Endless { within } => {
                let s = if *chunks == 1 { "" } else { "s" };
                format!(
                    "the response does not end: {chunks} chunk{s}, {bytes} bytes, and still open after {}",
                    Span(*within)
                )
            }
            Shortcoming::Overdue { within } => {
                format!("the response took {}; the check allows {}", Span(*duration), Span(*within))
            }
            Shortcoming::Silent { allowed, silence, is_first } => {
                let when = if *is_first { "before its first chunk" } else { "in the middle" };
                format!("the response was silent for {} {when}; the check allows {}", Span(*silence), Span(*allowed))
            }
            Shortcoming::Header { name, expected, .. } => {
                format!("the response has no header `{name}`, expected `{expected}`")
            }
            Shortcoming::Lacks(text) => format!("the response does not contain `{text}`"),
            Shortcoming::End { expected, .. } => format!("the response does not end with `{expected}`: it is empty"),
            Shortcoming::Events(_) => "the event stream has no event with data".to_owned(),
            Shortcoming::Origin { origin, found, .. } if found.is_empty() => {
                format!("a page of `{origin}` may not read the response: it has no `access-control-allow-origin`")
            }
            Shortcoming::Origin { found, .. } => {
                format!(
                    "the response has {} values of `access-control-allow-origin`, which browsers refuse",
                    found.len()
                )
            }
            Shortcoming::Undecodable { encoding, .. } => format!("the response cannot be decoded as {encoding}"),
            Shortcoming::Compressed { encoding } => {
                format!(
                    "the response streams, but its compression ({encoding}) is not flushed: it could only be decoded at once"
                )
            }
        }
    }

    /// What to do about it, the most likely first.
    pub(super) fn hints(&self, function: &str, seen: &Seen) -> Vec<String> {
        let slow = || {
            format!("run `lamstream invoke {function} -v` a few times to see whether it is the function or the network")
        };
        let hints: &[&str] = match self {
            Shortcoming::Endless { .. } if seen.bytes == 0 => &[
                "end the response: many adapters for streaming never end one without a body, so update the framework's \
                 adapter, or send at least one byte",
            ],
            Shortcoming::Endless { .. } => &[
                "end the response, or set `streams = true` in the check if it is a stream",
                "if it takes longer, set `ends_within` in the check",
            ],
            Shortcoming::Overdue { .. } => return vec![slow(), "or raise `ends_within` in the check".to_owned()],
            Shortcoming::Silent { .. } => &[
                "let the function send something while it waits, such as the comment `: ping` in an event stream",
                "or raise `max_gap` in the check",
            ],
            Shortcoming::Header { .. } => &["if this response is correct, change `expect_headers` in the check"],
            Shortcoming::Lacks(_) => &["if this response is correct, change `contains` in the check"],
            Shortcoming::End { .. } => &["if this response is correct, change `ends_with` in the check"],
            Shortcoming::Events(NoEvents::Nothing) => &["send each event as `data: …` followed by an empty line"],
            Shortcoming::Events(NoEvents::Ignored(_)) => {
                &["begin each line with `data:`, `event:`, `id:` or `retry:`, or with `:` if it is a comment"]
            }
            Shortcoming::Events(NoEvents::Incomplete(_)) => &["send an empty line after each event, also the last"],
            Shortcoming::Origin { by_url: true, found, .. } if found.len() > 1 => {
                &["set the header in one place: remove it from the app, or remove `cors` from `url`"]
            }
            Shortcoming::Origin { found, .. } if found.len() > 1 => &["let the app set the header once"],
            Shortcoming::Origin { by_url: true, .. } => &["add the origin to `url.cors.allow_origins`"],
            Shortcoming::Origin { .. } => {
                &["let the app send `access-control-allow-origin`, or set `url.cors.allow_origins` in the manifest"]
            }
            Shortcoming::Undecodable { .. } => &["let the app compress the whole response, or none of it"],
            Shortcoming::Compressed { .. } => {
                &["flush the compressor after each chunk, or do not compress responses that stream"]
            }
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }

    /// Whether the function or its URL is at fault. A delay may come from the network, and the version itself has passed
    /// the same check.
    pub(super) fn calls_for_moving_back(&self) -> bool {
        match self {
            Shortcoming::Overdue { .. } | Shortcoming::Silent { .. } => false,
            Shortcoming::Endless { .. }
            | Shortcoming::Header { .. }
            | Shortcoming::Lacks(_)
            | Shortcoming::End { .. }
            | Shortcoming::Events(_)
            | Shortcoming::Origin { .. }
            | Shortcoming::Undecodable { .. }
            | Shortcoming::Compressed { .. } => true,
        }
    }

    /// Whether it may be due to a cold start, so that the next answer may be better.
    pub(super) fn may_be_cold(&self) -> bool {
        matches!(self, Shortcoming::Overdue { .. } | Shortcoming::Silent { is_first: true, .. })
    }
}
