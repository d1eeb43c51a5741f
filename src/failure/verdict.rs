//! The failures of requests to a function: those of checks, and that of `invoke`.

use super::{Failure, FailureKind, Message};
use crate::manifest::{Check, Function};
use crate::verify::{Fault, Obstacle, Subject};
use std::fmt;

/// Names one of a function's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckName {
    /// From 1, in the manifest's order.
    pub number: usize,
    pub method: String,
    pub path: String,
}

impl CheckName {
    /// The name of the check with this index; `None` if the function has no other one.
    pub fn of(function: &Function, index: usize) -> Option<CheckName> {
        let Check { method, path, .. } = function.checks.get(index).filter(|_| function.checks.len() > 1)?;
        Some(CheckName { number: index + 1, method: method.clone(), path: path.clone() })
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "check {}, `{} {}`", self.number, self.method, self.path)
    }
}

impl Failure {
    /// A request got no answer, or an unsuccessful one.
    pub fn not_invoked(function: &Function, fault: &Fault) -> Failure {
        let (name, subject) = (&function.name, Subject::of(function));
        let logs = || vec![format!("run `lamstream logs {name}`")];
        let (message, hints) = match fault {
            Fault::Unreachable { obstacle: Obstacle::Request, .. } => return Failure::usage(fault.to_string()),
            Fault::Status { seen, .. } => {
                let hints = if matches!(seen.status, 407 | 429) { fault.hints(&subject) } else { Vec::new() };
                (Message::own(format!("the response has status {}", seen.status)), hints)
            }
            Fault::Forbidden { words, .. } => {
                let message = Message::own("AWS rejected the request with status 403: `");
                (message.and(Message::quoted(words)).and(Message::own("`")), fault.hints(&subject))
            }
            Fault::RuntimeErrorText { .. } | Fault::Cut { .. } | Fault::Timeout { .. } => (fault.into(), logs()),
            other => (other.into(), other.hints(&subject)),
        };
        let message = Message::own(format!("cannot invoke `{name}`: ")).and(message);
        Failure { hints, ..Failure::saying(FailureKind::Verify, message) }
    }

    /// A version or a URL failed a check. `what` names it, for example "version 3".
    pub fn not_verified(function: &Function, what: &str, check: Option<CheckName>, fault: &Fault) -> Failure {
        let which = check.as_ref().map_or_else(String::new, |check| format!("{check}: "));
        let message = Message::own(format!("cannot verify {what} of `{}`: ", function.name));
        let message = message.and(Message::quoted(which)).and(fault.into());
        let mut failure = Failure::saying(FailureKind::Verify, message);
        failure.hints = fault.hints(&Subject::of(function));
        failure.log = fault.log().to_vec();
        Failure { check, ..failure }
    }
}
