//! What the SDK's errors say, in one line that names the call, and what they mean for what is to be done.

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
        reason: reason(code.as_deref().unwrap_or_default(), said.unwrap_or_default()),
        message: said.or(code.as_deref()).unwrap_or("AWS gave no reason").to_owned(),
        request_id: service.meta().request_id().map(str::to_owned),
        action,
        code,
    }
}

/// How an answer shows that it is of a reason of its own.
struct Sign {
    codes: &'static [&'static str],
    /// What the message says, one of these; empty where the code alone says it.
    words: &'static [&'static str],
    reason: Reason,
}

const fn sign(codes: &'static [&'static str], words: &'static [&'static str], reason: Reason) -> Sign {
    Sign { codes, words, reason }
}

/// All codes and all words of AWS's and the local cloud's that change what is to be done. The words are searched only
/// where several causes share one code. Nothing else looks into a message.
const SIGNS: [Sign; 9] = [
    sign(&["PreconditionFailedException"], &[], Reason::Conflict),
    sign(
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "MissingAuthenticationToken",
        ],
        &[],
        Reason::Credentials,
    ),
    sign(&["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"], &[], Reason::Denied),
    sign(&["TooManyRequestsException", "Throttling", "ThrottlingException"], &[], Reason::Throttled),
    sign(&["PublicPolicyException"], &[], Reason::PublicBlocked),
    sign(
        &["ResourceConflictException"],
        &["in progress", "is currently in the following state: Pending"],
        Reason::Busy,
    ),
    // Source: docs/aws.md, "Control plane".
    sign(
        &["InvalidParameterValueException"],
        &["cannot be assumed by Lambda", "does not have permissions to call", "KMS key is invalid for CreateGrant"],
        Reason::RoleNotReady,
    ),
    sign(&["InvalidParameterValueException"], &["Adapter is not installed"], Reason::NoAdapter),
    sign(&["InvalidParameterValueException"], &["has no copy of it"], Reason::NoLayer),
];

fn reason(code: &str, message: &str) -> Reason {
    let says = |sign: &&Sign| sign.words.is_empty() || sign.words.iter().any(|words| message.contains(words));
    let sign = SIGNS.iter().filter(|sign| sign.codes.contains(&code)).find(says);
    sign.map_or(Reason::Refused, |sign| sign.reason)
}

/// What codes of services that cannot answer just now have in them.
const FOR_NOW: [&str; 5] = ["Throttling", "TooManyRequests", "Internal", "ServiceUnavailable", "Unknown"];

/// Whether a refusal is about what was asked for: the same call would be refused tomorrow.
pub(super) fn is_lasting(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    matches!(error.reason, Reason::Refused | Reason::Denied) && !FOR_NOW.iter().any(|sign| code.contains(sign))
}

/// What cannot be used, such as the name of a variable, and why.
pub(super) fn unusable(what: &str, why: &str) -> CloudError {
    CloudError::new(format!("use {what}"), Reason::Settings, why)
}

/// The most of a value that an error quotes, in characters.
const QUOTED: usize = 80;

/// A value of the user's on one line, and not too long.
pub(super) fn quoted(text: &str) -> String {
    let mut letters = text.chars();
    let shown: String = letters.by_ref().take(QUOTED).flat_map(char::escape_debug).collect();
    let rest = if letters.next().is_some() { "…" } else { "" };
    format!("`{shown}{rest}`")
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
