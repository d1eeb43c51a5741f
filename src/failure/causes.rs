//! What the errors of other rooms become.

use super::{Failure, Kind, hints};
use crate::apply::{ApplyError, Cause, CloudError, Reason};
use packaging::BuildError;
use std::convert::Infallible;

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Failure {
        let kind = match error.reason {
            Reason::Credentials | Reason::LoggedOut | Reason::Settings | Reason::NoRegion | Reason::SplitEndpoints => {
                Kind::Usage
            }
            Reason::Conflict => Kind::Conflict,
            Reason::Interrupted => Kind::Interrupted(2),
            Reason::Refused
            | Reason::Denied
            | Reason::Throttled
            | Reason::PublicBlocked
            | Reason::Busy
            | Reason::RoleNotReady
            | Reason::UrlTaken
            | Reason::NoAdapter
            | Reason::NoLayer
            | Reason::Unreachable
            | Reason::TimedOut => Kind::Cloud,
        };
        let mut failure = Failure::quoting(kind, error.to_string(), Some(&error.message));
        failure.caused_by = error.code.iter().cloned().collect();
        failure.hints = hints::hint_for(error.reason).into_iter().map(str::to_owned).collect();
        failure.request_id = error.request_id;
        failure
    }
}

impl From<Box<ApplyError<Infallible>>> for Failure {
    fn from(error: Box<ApplyError<Infallible>>) -> Failure {
        let ApplyError { done, failed, left, cause, .. } = *error;
        match cause {
            Cause::Cloud(error) => Failure::cut_short(error, done, failed.into_iter().chain(left).collect()),
            Cause::Rejected(never) => match never {},
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Failure {
        let BuildError { message, caused_by, hints, .. } = error;
        // What a tool says may have many lines.
        let lines = caused_by.iter().flat_map(|cause| cause.lines()).filter(|line| !line.trim().is_empty());
        let caused_by = lines.map(str::to_owned).collect();
        Failure { caused_by, hints, ..Failure::new(Kind::Build, message) }
    }
}
