//! Faults in words.

use super::fault::{Cause, Fault, Obstacle, Refusal};
use super::observation::Seen;
use crate::manifest::Expect;
use std::fmt;
use std::time::Duration;

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreachable { obstacle, reason } => write!(formatter, "{}: {reason}", obstacle.in_words()),
            Fault::Timeout { after, seen: None } => write!(formatter, "no answer within {}", Span(*after)),
            Fault::Timeout { after, seen: Some(seen) } => {
                write!(formatter, "the answer did not end within {} ({})", Span(*after), Chunks(seen))
            }
            Fault::Forbidden { words, tried_for, refusal, .. } => {
                write!(formatter, "AWS refuses the request with status 403, tried for {}", Span(*tried_for))?;
                refused(formatter, refusal, words)
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
                formatter.write_str("the response contains a runtime error")?;
                quote(formatter, words)
            }
            Fault::Buffered { on_the_way: true, seen } => write!(
                formatter,
                "the response was buffered in transit: {} within {}, and the version itself streams",
                Chunks(seen),
                Span(seen.duration)
            ),
            Fault::Buffered { seen, .. } => {
                write!(formatter, "the answer did not stream: {} within {}", Chunks(seen), Span(seen.duration))
            }
            Fault::Late { within, seen } => {
                write!(formatter, "the first byte came after {}, not within {}", Span(seen.first_byte), Span(*within))
            }
            Fault::Crash { cause, words, .. } => {
                formatter.write_str(cause.in_words())?;
                quote(formatter, words)
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

impl Obstacle {
    fn in_words(self) -> &'static str {
        match self {
            Obstacle::Request => "the request cannot be made",
            Obstacle::Name => "cannot resolve the host name",
            Obstacle::Connection => "no connection",
            Obstacle::Tls => "no secure connection",
            Obstacle::Proxy => "the proxy refused the request",
        }
    }
}

impl Cause {
    fn in_words(self) -> &'static str {
        match self {
            Cause::Architecture => "it is built for another processor",
            Cause::Glibc => "it is built for a newer glibc than the runtime has",
            Cause::Entrypoint => "there is nothing in the package that can be started",
            Cause::Start => "it fails to start",
            Cause::Request => "it fails before it answers",
            Cause::Time => "it does not answer in time",
        }
    }
}

fn refused(formatter: &mut fmt::Formatter<'_>, refusal: &Refusal, words: &str) -> fmt::Result {
    match refusal {
        Refusal::Unknown => quote(formatter, words),
        Refusal::Missing(ids) => {
            write!(formatter, ": the alias lacks the statements `{}`", ids.join("`, `"))
        }
        Refusal::Overruled => {
            formatter.write_str(", although its statements allow it: something above them blocks public access")
        }
    }
}

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
        let forbidden =
            |refusal| Fault::Forbidden { words: words(), signed: false, tried_for: after, refusal, seen: seen(403) };
        vec![
            (unreachable(Obstacle::Request), "the request cannot be made: so it says", false),
            (unreachable(Obstacle::Name), "cannot resolve the host name: so it says", false),
            (unreachable(Obstacle::Connection), "no connection: so it says", false),
            (unreachable(Obstacle::Tls), "no secure connection: so it says", false),
            (unreachable(Obstacle::Proxy), "the proxy refused the request: so it says", false),
            (Fault::Timeout { after, seen: None }, "no answer within 30.0 s", true),
            (
                Fault::Timeout { after, seen: Some(seen(200)) },
                "the answer did not end within 30.0 s (1 chunk, 812 bytes)",
                true,
            ),
            (
                forbidden(Refusal::Unknown),
                "AWS refuses the request with status 403, tried for 30.0 s: `so it says`",
                true,
            ),
            (
                forbidden(Refusal::Missing(vec!["one", "two"])),
                "AWS refuses the request with status 403, tried for 30.0 s: the alias lacks the statements `one`, `two`",
                true,
            ),
            (
                forbidden(Refusal::Overruled),
                "AWS refuses the request with status 403, tried for 30.0 s, although its statements allow it: something \
                 above them blocks public access",
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
        ]
    }

    /// The function's own.
    fn more() -> Vec<(Fault, &'static str, bool)> {
        let words = || "so it says".to_string();
        let crash = |cause| Fault::Crash { cause, words: words(), log: Vec::new() };
        vec![
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
                "the response contains a runtime error: `so it says`",
                true,
            ),
            (
                Fault::Buffered { on_the_way: false, seen: seen(200) },
                "the answer did not stream: 1 chunk, 812 bytes within 1.2 s",
                false,
            ),
            (
                Fault::Buffered { on_the_way: true, seen: seen(200) },
                "the response was buffered in transit: 1 chunk, 812 bytes within 1.2 s, and the version itself streams",
                false,
            ),
            (
                Fault::Late { within: Duration::from_millis(10), seen: seen(200) },
                "the first byte came after 14 ms, not within 10 ms",
                false,
            ),
            (crash(Cause::Architecture), "it is built for another processor: `so it says`", true),
            (crash(Cause::Glibc), "it is built for a newer glibc than the runtime has: `so it says`", true),
            (crash(Cause::Entrypoint), "there is nothing in the package that can be started: `so it says`", true),
            (crash(Cause::Start), "it fails to start: `so it says`", true),
            (crash(Cause::Request), "it fails before it answers: `so it says`", true),
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
        for (fault, message, blame) in all().into_iter().chain(more()) {
            assert_eq!(fault.to_string(), message);
            assert!(!fault.hints("chat").is_empty(), "{fault:?}");
            assert_eq!(fault.calls_for_moving_back(), blame, "{fault:?}");
            assert!(messages.insert(message), "two faults say: {message}");
        }
    }
}
