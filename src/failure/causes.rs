//! Converts the errors of other modules to failures.

use super::{Failure, FailureKind, Message, hints};
use crate::apply::{ApplyError, CloudError, Reason, StepError};
use crate::verify::Fault;
use localcloud::UnusableState;
use packaging::BuildError;
use std::convert::Infallible;

impl From<&Fault> for Message {
    fn from(fault: &Fault) -> Message {
        let (before, words, after) = fault.parts();
        Message::own(before).and(Message::quoted(words)).and(Message::own(after))
    }
}

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Failure {
        let kind = match error.reason {
            Reason::Credentials | Reason::LoggedOut | Reason::Settings | Reason::NoRegion | Reason::SplitEndpoints => {
                FailureKind::Usage
            }
            Reason::NotInRegion | Reason::NoSnapStart => FailureKind::Manifest,
            Reason::Conflict => FailureKind::Conflict,
            Reason::Interrupted => FailureKind::Interrupted(2),
            Reason::Refused
            | Reason::Missing
            | Reason::Untagged
            | Reason::Exists
            | Reason::ExistsOrBusy
            | Reason::NotEmpty
            | Reason::Unavailable
            | Reason::Denied
            | Reason::Throttled
            | Reason::NoSnapshot
            | Reason::Undecryptable
            | Reason::PublicBlocked
            | Reason::Busy
            | Reason::RoleNotReady
            | Reason::NotReady
            | Reason::UrlTaken
            | Reason::NoAdapter
            | Reason::NoLayer
            | Reason::Unreachable
            | Reason::TimedOut => FailureKind::Cloud,
        };
        let message = Message::own(format!("{}: ", error.attempt())).and(Message::quoted(&error.message));
        let mut failure = Failure::saying(kind, message);
        failure.caused_by = error.code.iter().cloned().collect();
        failure.hints = hints::hint_for(error.reason).into_iter().map(str::to_owned).collect();
        failure.request_id = error.request_id;
        failure
    }
}

impl Failure {
    /// An error of the local cloud itself.
    pub fn of_local(error: &anyhow::Error) -> Failure {
        let failure = Failure::new(FailureKind::Cloud, format!("{error:#}"));
        match error.downcast_ref() {
            Some(UnusableState::Damaged { .. }) => {
                failure.hint("run `lamstream local reset`, which deletes everything in the local cloud")
            }
            Some(UnusableState::Newer { .. }) => failure
                .hint("update lamstream, or run `lamstream local reset`, which deletes everything in the local cloud"),
            None => failure,
        }
    }
}

impl From<Box<ApplyError<Infallible>>> for Failure {
    fn from(error: Box<ApplyError<Infallible>>) -> Failure {
        let ApplyError { done, failed, left, cause, .. } = *error;
        match cause {
            StepError::Cloud(error) => Failure::stopped_early(error, done, failed.into_iter().chain(left).collect()),
            StepError::Rejected(never) => match never {},
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Failure {
        let BuildError { message, caused_by, hints, .. } = error;
        // The output of a tool may have many lines.
        let lines = caused_by.iter().flat_map(|cause| cause.lines()).filter(|line| !line.trim().is_empty());
        let caused_by = lines.map(str::to_owned).collect();
        Failure { caused_by, hints, ..Failure::new(FailureKind::Build, message) }
    }
}
