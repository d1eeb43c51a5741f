//! The function's responses. Each is a stream, because the URL's mode is `RESPONSE_STREAM`.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use lambda_runtime::{MetadataPrelude, StreamResponse};
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;

/// A body whose chunks cannot be errors. The runtime would write an `Err` into the body as text, with status 200. To fail in
/// mid-stream, panic: with `panic = "abort"` that breaks the connection, and the client notices.
type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send>>;

pub type Answer = StreamResponse<Body>;

fn answer(status: StatusCode, content_type: &'static str, body: impl Stream<Item = Bytes> + Send + 'static) -> Answer {
    let mut prelude = MetadataPrelude { status_code: status, ..Default::default() };
    prelude.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    StreamResponse { metadata_prelude: prelude, stream: Box::pin(body.map(Ok)) }
}

fn once(text: String) -> impl Stream<Item = Bytes> + Send {
    stream::iter([Bytes::from(text)])
}

pub fn stream(body: impl Stream<Item = Bytes> + Send + 'static) -> Answer {
    answer(StatusCode::OK, "text/plain; charset=utf-8", body)
}

pub fn text(line: &str) -> Answer {
    stream(once(line.to_owned()))
}

/// An error in FastAPI's format: `{"detail": …}`.
pub fn detail(status: StatusCode, detail: impl Into<serde_json::Value>) -> Answer {
    answer(status, "application/json", once(json!({ "detail": detail.into() }).to_string()))
}

pub fn method_not_allowed(allowed: &Method) -> Answer {
    let mut answer = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    let allowed = HeaderValue::from_str(allowed.as_str()).expect("a method is a token");
    answer.metadata_prelude.headers.insert(ALLOW, allowed);
    answer
}

pub fn missing_query(name: &str) -> Answer {
    let missing = json!([{ "type": "missing", "loc": ["query", name], "msg": "Field required", "input": null }]);
    detail(StatusCode::UNPROCESSABLE_ENTITY, missing)
}
