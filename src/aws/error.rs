//! What the SDK's errors say, in one line that names the call.

use crate::apply::{CloudError, Reason};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::error::Error;

/// Attaches what was being done to an SDK error.
pub(super) trait Doing<T> {
    /// `action` completes "cannot …": ``create function `chat` ``.
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, CloudError>;

    /// The same, but what does not exist is `None`.
    fn if_found(self, action: impl FnOnce() -> String) -> Result<Option<T>, CloudError>;

    /// The same, but an error with this code counts as done: the reply to an earlier attempt may have been lost.
    fn unless(self, code: &str, action: impl FnOnce() -> String) -> Result<(), CloudError>;
}

/// AWS's two names for what does not exist: IAM's and everybody else's.
const NOT_FOUND: [&str; 2] = ["NoSuchEntity", "ResourceNotFoundException"];

impl<T, E, R> Doing<T> for Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, CloudError> {
        self.map_err(|error| failed(action(), &error))
    }

    fn if_found(self, action: impl FnOnce() -> String) -> Result<Option<T>, CloudError> {
        match self {
            Err(error) if NOT_FOUND.iter().any(|code| error.code() == Some(code)) => Ok(None),
            other => other.doing(action).map(Some),
        }
    }

    fn unless(self, code: &str, action: impl FnOnce() -> String) -> Result<(), CloudError> {
        match self {
            Err(error) if error.code() == Some(code) => Ok(()),
            other => other.doing(action).map(|_| ()),
        }
    }
}

fn failed<E, R>(action: String, error: &SdkError<E, R>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let Some(service) = error.as_service_error() else {
        let reason =
            if matches!(error, SdkError::ConstructionFailure(_)) { Reason::Refused } else { Reason::Unreachable };
        return CloudError::new(action, reason, trouble(error));
    };
    let code = service.code().map(str::to_owned);
    let said = service.message().filter(|message| !message.is_empty());
    CloudError {
        reason: reason(code.as_deref()),
        message: said.or(code.as_deref()).unwrap_or("AWS gave no reason").to_owned(),
        request_id: service.meta().request_id().map(str::to_owned),
        action,
        code,
    }
}

fn reason(code: Option<&str>) -> Reason {
    match code {
        Some("PreconditionFailedException") => Reason::Conflict,
        Some(
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationToken",
        ) => Reason::Credentials,
        _ => Reason::Refused,
    }
}

/// The whole chain of causes in one line: the outermost alone says only "dispatch failure".
pub(super) fn trouble(error: &(dyn Error + 'static)) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes.join(": ")
}
