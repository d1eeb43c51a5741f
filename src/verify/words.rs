//! The wording of faults.

use super::ask::Delay;
use super::cause::Cause;
use super::fault::{Fault, Refusal};
use super::observation::Seen;
use super::obstacle::Obstacle;
use super::span::Span;
use crate::manifest::Expect;
use std::fmt;

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, words, after) = self.parts();
        write!(formatter, "{before}{words}{after}")
    }
}

impl Fault {
    /// What `Display` writes, in three parts: our words, then the words of AWS, the function or a proxy, and what ends the
    /// quotation. The last two are empty if nothing is quoted.
    pub fn parts(&self) -> (String, &str, &'static str) {
        if let Fault::Short { shortcoming, seen } = self {
            return shortcoming.parts(seen);
        }
        if let Fault::Mcp { method, problem, seen } = self {
            return problem.parts(method, seen);
        }
        let statement = self.statement();
        match self {
            Fault::Unreachable { reason, .. } | Fault::NotSigned(reason) => (format!("{statement}: "), reason, ""),
            Fault::Forbidden { refusal: Refusal::Missing(_) | Refusal::Overruled, .. } => (statement, "", ""),
            Fault::Forbidden { words, .. }
            | Fault::Status { words, .. }
            | Fault::ServerError { words, .. }
            | Fault::RuntimeErrorText { words, .. }
            | Fault::Crash { words, .. }
            | Fault::Cut { reason: words, .. }
                if !words.is_empty() =>
            {
                (format!("{statement}: `"), words, "`")
            }
            _ => (statement, "", ""),
        }
    }

    fn statement(&self) -> String {
        match self {
            Fault::Unreachable { obstacle, .. } => obstacle.in_words().to_owned(),
            Fault::Timeout { after, seen: None } => format!("no response within {}", Span(*after)),
            Fault::Timeout { after, seen: Some(seen) } => {
                format!("the response did not end within {} ({})", Span(*after), Chunks(seen))
            }
            Fault::Forbidden { tried_for, refusal, .. } => {
                let (time, why) = (Span(*tried_for), refusal.in_words());
                format!("AWS rejected the request with status 403 (retried for {time}){why}")
            }
            Fault::Status { expected, seen, .. } => {
                format!("the response has status {}, expected {}", seen.status, Wanted(*expected))
            }
            Fault::ServerError { seen, .. } => format!("the function returned status {}", seen.status),
            Fault::RawJson { .. } => {
                "the URL streams but the handler is buffered: the response is its raw `{\"statusCode\": …}`".to_owned()
            }
            Fault::RuntimeErrorText { .. } => "the response contains a runtime error".to_owned(),
            Fault::Buffered { on_the_way: true, seen } => {
                let (chunks, duration) = (Chunks(seen), Span(seen.duration));
                format!(
                    "the response was buffered in transit: {chunks} within {duration}, and the version itself streams"
                )
            }
            Fault::Buffered { seen, .. } => {
                format!("the response did not stream: {} within {}", Chunks(seen), Span(seen.duration))
            }
            Fault::Late { within, seen } => {
                format!("the first byte took {}; the check allows {}", Span(seen.first_byte), Span(*within))
            }
            Fault::Crash { cause, .. } => cause.in_words().to_owned(),
            Fault::Cut { seen, .. } => {
                format!("the response was cut off after {} in {}", Chunks(seen), Span(seen.duration))
            }
            Fault::Short { shortcoming, seen } => shortcoming.parts(seen).0,
            Fault::Mcp { method, problem, seen } => problem.parts(method, seen).0,
            Fault::NotSigned(_) => "the request cannot be signed".to_owned(),
        }
    }
}

impl std::error::Error for Fault {}

/// Completes "waiting for …".
impl fmt::Display for Delay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Delay::Permissions => "the permissions of the URL to take effect",
            Delay::Status403 => "the URL to answer with another status than 403",
            Delay::Name => "the host name of the URL to resolve",
            Delay::Concurrency => "an instance of the function to be free",
        })
    }
}

impl Obstacle {
    fn in_words(self) -> &'static str {
        match self {
            Obstacle::Request => "the request is invalid",
            Obstacle::Name => "cannot resolve the host name",
            Obstacle::Connection => "cannot connect",
            Obstacle::Tls => "cannot establish a TLS connection",
            Obstacle::Proxy => "the proxy refused the request",
        }
    }
}

impl Cause {
    fn in_words(self) -> &'static str {
        match self {
            Cause::Architecture => "it is built for another processor",
            Cause::Glibc => "it is built for a newer glibc than the runtime has",
            Cause::Entrypoint => "the package contains nothing that Lambda can start",
            Cause::NotExecutable => "what Lambda starts is not executable",
            Cause::Machine => "the local cloud cannot start it on this machine",
            Cause::Runtime => "the local cloud cannot run handlers of its runtime",
            Cause::PortTaken => "another program has the port of its app",
            Cause::Module => "it imports a module that is not in the package",
            Cause::Program => "it starts a program that is not in the package",
            Cause::ReadOnly => "it writes to the directory of its code, which is read-only",
            Cause::NotReady => "the web app does not answer on its port",
            Cause::NeverAsked => "it never asks Lambda for a request",
            Cause::Ended => "it ends without asking Lambda for a request",
            Cause::ServerEnded => "its server ends with exit status 0 before it answers",
            Cause::Start => "it fails to start",
            Cause::Event => "its handler expects another kind of event than an HTTP request",
            Cause::Request => "it fails before it answers",
            Cause::Time => "it does not answer in time",
        }
    }
}

impl Refusal {
    fn in_words(&self) -> String {
        match self {
            Refusal::Unknown => String::new(),
            Refusal::Missing(ids) => format!(": the alias lacks the permissions `{}`", ids.join("`, `")),
            Refusal::Overruled => {
                ", although its permissions allow it: the account or the organisation blocks public access".to_owned()
            }
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
            Expect::Answer | Expect::Mcp => formatter.write_str("below 500"),
        }
    }
}

#[cfg(test)]
mod tests;
