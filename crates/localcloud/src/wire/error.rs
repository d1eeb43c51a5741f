//! Errors, and how each protocol returns them.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use serde_json::{Value, json};

use super::xml;

/// The body of every response.
pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A complete body.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Which of AWS's protocols a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// STS and IAM: requests are forms, responses XML.
    Query { namespace: &'static str },
    /// CloudWatch Logs, Systems Manager, Secrets Manager. The content type names the version of AWS's JSON protocol.
    /// In the errors of `capital` the text is the member `Message`, in all others `message`.
    Json { content_type: &'static str, capital: &'static [&'static str] },
    /// Lambda.
    RestJson,
    /// S3.
    RestXml,
}

/// An error, as AWS returns it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// A further member of the error: the `Reason` of a throttled call.
    pub(crate) more: Option<(&'static str, &'static str)>,
    /// When a throttled call may be repeated, in seconds.
    pub(crate) retry_after: u64,
}

/// A value that violates a constraint of the API's model.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) value: String,
    pub(crate) member: &'static str,
    pub(crate) constraint: String,
}

impl Violation {
    /// A value that is too long.
    pub(crate) fn length(value: &str, member: &'static str, most: usize) -> Self {
        let constraint = format!("Member must have length less than or equal to {most}");
        Self { value: value.to_owned(), member, constraint }
    }

    /// A value that does not match its pattern.
    pub(crate) fn pattern(value: &str, member: &'static str, pattern: &str) -> Self {
        let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
        Self { value: value.to_owned(), member, constraint }
    }
}

impl Fault {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), more: None, retry_after: 0 }
    }

    /// A resource that does not exist.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "ResourceNotFoundException", message)
    }

    /// A write that conflicts with another one, or with something that exists.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "ResourceConflictException", message)
    }

    /// A value that Lambda refuses.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterValueException", message)
    }

    /// A value that violates a constraint of the API's model; AWS checks these first.
    pub(crate) fn validation(value: &str, member: &'static str, constraint: impl Into<String>) -> Self {
        Self::violated(&[Violation { value: value.to_owned(), member, constraint: constraint.into() }])
    }

    /// A required member that is absent.
    pub(crate) fn absent(member: &str) -> Self {
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        Self::new(400, "ValidationException", message)
    }

    /// All values of a request that violate constraints of the API's model.
    pub(crate) fn violated(violations: &[Violation]) -> Self {
        let one = |Violation { value, member, constraint }: &Violation| {
            format!("Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")
        };
        let all: Vec<_> = violations.iter().map(one).collect();
        let errors = if all.len() == 1 { "error" } else { "errors" };
        let message = format!("{} validation {errors} detected: {}", all.len(), all.join("; "));
        Self::new(400, "ValidationException", message)
    }

    /// A failure of this cloud or its machine.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(500, "ServiceException", format!("the local cloud failed: {error}"))
    }

    /// Something could not be written to disk, so nothing has changed; the error names the file.
    pub(crate) fn unwritten(error: anyhow::Error) -> Self {
        Self::internal(format!("nothing was changed: {error:#}"))
    }

    /// Something could not be read from disk; the error names the file.
    pub(crate) fn unread(error: anyhow::Error) -> Self {
        Self::internal(format!("{error:#}"))
    }

    /// Too many calls at once.
    pub(crate) fn throttled(reason: &'static str) -> Self {
        Self { more: Some(("Reason", reason)), ..Self::new(429, "TooManyRequestsException", "Rate Exceeded.") }
    }

    /// The response of a protocol.
    pub(crate) fn answer(&self, protocol: Protocol, request_id: &str) -> Response<Body> {
        let (content_type, body) = match protocol {
            Protocol::Query { namespace } => {
                let side = if self.status < 500 { "Sender" } else { "Receiver" };
                let error = json!({"Error": {"Type": side, "Code": self.code, "Message": self.message}, "RequestId": request_id});
                ("text/xml", xml::document("ErrorResponse", namespace, &error))
            }
            Protocol::Json { content_type, capital } => {
                let member = if capital.contains(&self.code.as_str()) { "Message" } else { "message" };
                (content_type, json!({"__type": self.code, member: self.message}).to_string())
            }
            Protocol::RestJson => ("application/json", self.rest_json().to_string()),
            Protocol::RestXml => {
                let error = json!({"Code": self.code, "Message": self.message, "RequestId": request_id});
                ("application/xml", xml::plain("Error", &error))
            }
        };
        let mut answer = Response::new(full(body));
        *answer.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        if protocol == Protocol::RestJson
            && let Ok(code) = self.code.parse()
        {
            headers.insert("x-amzn-errortype", code);
        }
        if self.status == 429 {
            headers.insert(header::RETRY_AFTER, self.retry_after.into());
        }
        answer
    }

    /// In Lambda's model, some errors have `Message` and some `message`.
    fn rest_json(&self) -> Value {
        let capital = matches!(self.code.as_str(), "ResourceNotFoundException" | "ServiceException");
        let mut body = json!({ if capital { "Message" } else { "message" }: self.message });
        body["Type"] = json!(if self.status < 500 { "User" } else { "Service" });
        if let Some((name, value)) = self.more {
            body[name] = json!(value);
        }
        body
    }
}
