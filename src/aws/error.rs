//! Converts the SDK's errors: to one line that names the call, and to the reason that determines what is to be done.

use crate::apply::{CloudError, Reason};
use crate::text;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::error::Error;

/// Adds the attempted action to an SDK error.
pub(super) trait Doing<T> {
    /// `action` completes "cannot …": ``create function `chat` ``.
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, CloudError>;

    /// The same, but returns `None` if the resource does not exist.
    fn if_found(self, action: impl FnOnce() -> String) -> Result<Option<T>, CloudError>;

    /// The same, but a resource that exists already counts as created: the reply to an earlier attempt may have been
    /// lost.
    fn unless_exists(self, action: impl FnOnce() -> String) -> Result<(), CloudError>;
}

impl<T, E, R> Doing<T> for Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, CloudError> {
        self.map_err(|error| failed(action(), &error))
    }

    fn if_found(self, action: impl FnOnce() -> String) -> Result<Option<T>, CloudError> {
        match self.doing(action) {
            Err(error) if error.reason == Reason::Missing => Ok(None),
            other => other.map(Some),
        }
    }

    fn unless_exists(self, action: impl FnOnce() -> String) -> Result<(), CloudError> {
        match self.doing(action) {
            Err(error) if error.reason == Reason::Exists => Ok(()),
            other => other.map(|_| ()),
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

/// The code of an error response without a code.
pub(super) const NO_CODE: &str = "UnknownError";
/// The code of an error response without a code whose status means too many requests. The SDK retries it.
pub(super) const TOO_MANY_REQUESTS: &str = "TooManyRequestsException";

/// The code of an object that does not exist, and of a response to a HEAD without a body.
pub(super) const NO_SUCH_KEY: &str = "NoSuchKey";

/// The meaning of some of AWS's codes.
struct Meaning {
    reason: Reason,
    codes: &'static [&'static str],
    /// The message contains one of these. Empty if the code alone is enough.
    words: &'static [&'static str],
}

const fn meaning(reason: Reason, codes: &'static [&'static str], words: &'static [&'static str]) -> Meaning {
    Meaning { reason, codes, words }
}

/// All codes of AWS's and the local cloud's that change what is to be done, the first that fits. The words are searched
/// only where several causes share one code. No other file compares codes, or looks into a message.
const MEANINGS: [Meaning; 21] = [
    meaning(
        Reason::Missing,
        &[
            "NoSuchBucket",
            "NoSuchEntity",
            NO_SUCH_KEY,
            "NoSuchUpload",
            "ParameterNotFound",
            "ProvisionedConcurrencyConfigNotFoundException",
            "ResourceNotFoundException",
        ],
        &[],
    ),
    meaning(Reason::Untagged, &["NoSuchTagSet"], &[]),
    // S3's `BucketAlreadyExists` is another account's bucket.
    meaning(Reason::Exists, &["BucketAlreadyOwnedByYou", "EntityAlreadyExists", "ResourceAlreadyExistsException"], &[]),
    meaning(
        Reason::Busy,
        &["ResourceConflictException"],
        &["in progress", "is currently in the following state: Pending"],
    ),
    meaning(Reason::ExistsOrBusy, &["ResourceConflictException"], &[]),
    meaning(
        Reason::Busy,
        &["ConcurrentModification", "ConcurrentModificationException", "OperationAborted", "OperationAbortedException"],
        &[],
    ),
    meaning(Reason::NotReady, &["ResourceNotReadyException", "SnapStartNotReadyException"], &[]),
    meaning(Reason::Conflict, &["PreconditionFailedException"], &[]),
    meaning(Reason::NotEmpty, &["BucketNotEmpty"], &[]),
    meaning(Reason::NotEmpty, &["DeleteConflict"], &["policies first"]),
    // Source: docs/aws.md, "Control plane".
    meaning(
        Reason::RoleNotReady,
        &["InvalidParameterValueException"],
        &["cannot be assumed by Lambda", "does not have permissions to call", "KMS key is invalid for CreateGrant"],
    ),
    meaning(Reason::RoleNotReady, &["MalformedPolicyDocument"], &["Invalid principal"]),
    meaning(
        Reason::NoSnapStart,
        &["InvalidParameterValueException"],
        &["is not supported for SnapStart enabled functions"],
    ),
    // The local cloud's own.
    meaning(Reason::NoAdapter, &["LocalAdapterNotFound"], &[]),
    meaning(Reason::NoLayer, &["LocalLayerNotFound"], &[]),
    meaning(
        Reason::Credentials,
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
        &[],
    ),
    // What AWS answers to operations that it does not know in a region, such as those on Function URLs.
    meaning(
        Reason::NotInRegion,
        &["AccessDeniedException"],
        &["Unable to determine service/operation name to be authorized"],
    ),
    meaning(Reason::Denied, &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"], &[]),
    meaning(Reason::PublicBlocked, &["PublicPolicyException"], &[]),
    meaning(Reason::Throttled, &["SlowDown", "Throttling", "ThrottlingException", TOO_MANY_REQUESTS], &[]),
    meaning(
        Reason::Unavailable,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "InternalServerException",
            "InternalServiceError",
            "InternalServiceException",
            "ServiceException",
            "ServiceFailure",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            NO_CODE,
            "UnknownOperationException",
        ],
        &[],
    ),
];

fn reason(code: &str, message: &str) -> Reason {
    let says = |words: &[&str]| words.is_empty() || words.iter().any(|words| message.contains(words));
    let fits = |meaning: &&Meaning| meaning.codes.contains(&code) && says(meaning.words);
    MEANINGS.iter().find(fits).map_or(Reason::Refused, |meaning| meaning.reason)
}

/// Whether a response that the SDK takes for throttled is about a quota, which waiting does not raise.
pub(super) fn is_quota(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("LimitExceededException")
}

/// Whether the resource that the call creates may exist already.
pub(super) fn may_exist(error: &CloudError) -> bool {
    matches!(error.reason, Reason::ExistsOrBusy | Reason::Busy)
}

/// Whether a refusal is about the request itself: the same call would be refused again later.
pub(super) fn is_lasting(error: &CloudError) -> bool {
    matches!(error.reason, Reason::Refused | Reason::Missing | Reason::Denied)
}

/// The error for a setting that cannot be used, such as a variable, and the reason.
pub(super) fn unusable(what: &str, why: &str) -> CloudError {
    CloudError::new(format!("use {what}"), Reason::Settings, why)
}

/// The longest part of a value that an error quotes, in characters.
const QUOTED: usize = 80;

/// Quotes a value from the user on one line, truncated if it is too long.
pub(super) fn quoted(value: &str) -> String {
    let mut letters = value.chars();
    let shown: String = letters.by_ref().take(QUOTED).collect();
    let rest = if letters.next().is_some() { "…" } else { "" };
    format!("`{}{rest}`", text::line(&shown).replace('\t', "\\t"))
}

/// The whole chain of causes on one line: the outermost error says only "dispatch failure".
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_reason_except_for_what_its_words_say() {
        for (nth, Meaning { codes, words, .. }) in MEANINGS.iter().enumerate() {
            let later = MEANINGS[nth + 1..].iter().flat_map(|later| later.codes);
            let hidden: Vec<_> = later.filter(|code| words.is_empty() && codes.contains(code)).collect();
            assert!(hidden.is_empty(), "{hidden:?} would never be found");
        }
        let busy = "The operation cannot be performed at this time. An update is in progress for resource: chat";
        assert_eq!(reason("ResourceConflictException", busy), Reason::Busy);
        assert_eq!(reason("ResourceConflictException", "Function already exist: chat"), Reason::ExistsOrBusy);
        assert_eq!(reason("BucketAlreadyExists", ""), Reason::Refused);
        let unknown = "Unable to determine service/operation name to be authorized";
        assert_eq!(reason("AccessDeniedException", unknown), Reason::NotInRegion);
        let denied = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: lambda:GetFunctionUrlConfig";
        assert_eq!(reason("AccessDeniedException", denied), Reason::Denied);
    }
}
