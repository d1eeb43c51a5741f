//! One request to a URL, and why it may be refused.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::listener::UrlListener;
use crate::sandbox::Host;
use crate::wire::error::{Body, Fault, full};

/// One request, from its arrival to its answer.
pub(super) struct UrlRequest {
    pub(super) host: Arc<Host>,
    pub(super) listener: Arc<UrlListener>,
    /// The client's address.
    pub(super) source: IpAddr,
    pub(super) request_id: String,
    pub(super) trace: String,
    /// Whether the URL streams.
    pub(super) streams: bool,
    /// Whether an instance is started for it, even if another one is idle.
    pub(super) new_instance: bool,
}

/// Why a request gets no answer of the function.
pub(super) enum Refusal {
    /// It is for another host.
    WrongHost(String),
    Forbidden,
    TooLarge,
    Incomplete,
    Throttled(Fault),
    /// The function failed.
    Failed(Failure),
}

/// A failed function, as the client sees it.
pub(super) struct Failure {
    status: StatusCode,
    /// Whether the body is plain text, as that of a URL that does not stream.
    plain: bool,
    /// The details, which AWS does not return.
    why: String,
}

/// The header with the details of a failure, where the body is plain text.
const REASON: &str = "x-localcloud-reason";

impl UrlRequest {
    /// Notes a failure in `cloud.log`, and returns it for the client.
    pub(super) fn failed(&self, why: String) -> Refusal {
        self.failed_with(StatusCode::BAD_GATEWAY, why)
    }

    /// The same with another status.
    pub(super) fn failed_with(&self, status: StatusCode, why: String) -> Refusal {
        self.note(&why);
        Refusal::Failed(Failure { status, plain: !self.streams, why })
    }

    /// Appends a line to `cloud.log`.
    pub(super) fn note(&self, line: &str) {
        let UrlListener { function, qualifier, .. } = &*self.listener;
        self.host.note(&format!("{function}:{qualifier} url, request {}: {line}", self.request_id));
    }
}

impl Refusal {
    /// The answer, in AWS's words.
    pub(super) fn answer(self) -> Response<Body> {
        let (status, kind, body) = match self {
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                json!({"Message": "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}),
            ),
            Self::WrongHost(message) => (StatusCode::FORBIDDEN, "AccessDeniedException", json!({"Message": message})),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                json!({"Message": "Request Entity Too Large"}),
            ),
            Self::Incomplete => (StatusCode::BAD_REQUEST, "BadRequestException", json!({"Message": "Bad Request"})),
            Self::Throttled(fault) => {
                let reason = fault.more.map(|(_, reason)| reason);
                let body = json!({"Reason": reason, "Type": "User", "message": fault.message});
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", body)
            }
            // AWS returns only the message, and has the details in a log.
            Self::Failed(Failure { status, why, plain: true }) => return plain(status, &why),
            Self::Failed(Failure { status, why, plain: false }) => {
                let body = json!({"Message": "Internal Server Error", "LocalCloud": why});
                (status, "InternalServerErrorException", body)
            }
        };
        let mut answer = Response::new(full(body.to_string()));
        *answer.status_mut() = status;
        answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
        answer
    }
}

/// A failure in plain text. The details, on one line, are in a header.
fn plain(status: StatusCode, why: &str) -> Response<Body> {
    let mut answer = Response::new(full("Internal Server Error"));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static("InternalServerErrorException"));
    let line: String = why.chars().take(1000).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) {
        headers.insert(REASON, line);
    }
    answer
}
