//! Responses, and the threads on which handlers run.

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use crate::wire::error::{Body, Fault, full};

/// A response with a body of a content type.
pub(crate) fn typed(body: String, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(full(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON response of a REST service.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = typed(value.to_string(), "application/json");
    *response.status_mut() = status;
    response
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}

/// Runs a handler on a blocking thread. Handlers read and write files, which must not hold up the streams of other
/// requests.
///
/// # Errors
/// Those of the handler.
pub(crate) async fn blocking<T: Send + 'static>(
    handler: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(handler).await.map_err(Fault::internal)?
}
