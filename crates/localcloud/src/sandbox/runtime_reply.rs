//! Requests and replies of the Runtime and Extensions APIs.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

/// The largest body of an error report.
const LARGEST: usize = 6 * 1024 * 1024;

/// A reply with a complete body.
pub(super) type RuntimeReply = Response<Full<Bytes>>;

pub(super) fn reply(status: StatusCode, body: &Value) -> RuntimeReply {
    let mut reply = Response::new(Full::from(body.to_string()));
    *reply.status_mut() = status;
    reply.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    reply
}

pub(super) fn refuse(status: StatusCode, kind: &str, message: &str) -> RuntimeReply {
    reply(status, &json!({"errorType": kind, "errorMessage": message}))
}

pub(super) fn accepted() -> RuntimeReply {
    reply(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

/// Reads the body of an error report; one that is too large counts as empty.
pub(super) async fn read_body(request: Request<Incoming>) -> Bytes {
    let body = Limited::new(request.into_body(), LARGEST);
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}
