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
}

/// Why a request gets no answer of the function.
pub(super) enum Refusal {
    /// It is for another host.
    WrongHost(String),
    Forbidden,
    TooLarge,
    Incomplete,
    Throttled(Fault),
    /// The function failed; with details that AWS does not return.
    Failed(String),
}

impl UrlRequest {
    /// Notes a failure in `cloud.log`, and returns it for the client.
    pub(super) fn failed(&self, why: String) -> Refusal {
        self.note(&why);
        Refusal::Failed(why)
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
            Self::Failed(why) => (
                StatusCode::BAD_GATEWAY,
                "InternalServerErrorException",
                json!({"Message": "Internal Server Error", "LocalCloud": why}),
            ),
        };
        let mut answer = Response::new(full(body.to_string()));
        *answer.status_mut() = status;
        answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
        answer
    }
}
