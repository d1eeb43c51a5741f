//! Invoke and InvokeWithResponseStream.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::json;

use super::name::{self, Name};
use crate::sandbox::{self, Answer, INSTANCE, InstanceSpec, LARGEST as LARGEST_ANSWER, NEW, Outcome, Request, SPARE};
use crate::services::call::Call;
use crate::services::response::empty;
use crate::wire::error::{Body, Fault, full};
use crate::wire::eventstream;

/// The largest event.
const LARGEST: usize = 6 * 1024 * 1024;

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The checks of both operations, and the version to run.
async fn prepare(call: &Call, name: &Name) -> Result<InstanceSpec, Fault> {
    if call.body.len() > LARGEST {
        let message = format!(
            "{} byte payload is too large for the RequestResponse invocation type (limit {LARGEST} bytes)",
            call.body.len()
        );
        return Err(Fault::new(413, "RequestTooLargeException", message));
    }
    if !call.body.is_empty()
        && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&call.body)
    {
        let message = format!("Could not parse request body into json: Could not parse payload into json: {error}");
        return Err(Fault::new(400, "InvalidRequestContentException", message));
    }
    let qualifier = &name.qualifier;
    let found = call.read(|world| {
        let function = name.find(call, world).map_err(|_| name.missing(call, name.or_latest()))?;
        let number = match function.found_alias(qualifier) {
            Some(alias) => alias.choose(rand::random()).to_owned(),
            None => function.found(qualifier)?.number.clone(),
        };
        let version = function.version(&number).ok_or_else(|| function.missing(qualifier))?;
        if version.inactive {
            return Ok(Err((call.region.clone(), function.name.clone(), number)));
        }
        version.expect_invocable()?;
        Ok(Ok(InstanceSpec::new(call.data(), function, version, qualifier)))
    })?;
    match found {
        Ok(spec) => Ok(spec),
        Err(inactive) => Err(call.cloud.host.wake(inactive).await),
    }
}

fn request(call: &Call) -> Request {
    let event = if call.body.is_empty() { Bytes::from_static(b"{}") } else { call.body.clone() };
    let mut request = Request::new(call.request_id.clone(), event);
    request.new_instance = call.header(INSTANCE) == Some(NEW);
    request.with_spare = call.header(INSTANCE) == Some(SPARE);
    request.client_context =
        call.header("x-amz-client-context").and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
    request
}

fn wants_tail(call: &Call) -> bool {
    call.header("x-amz-log-type").is_some_and(|kind| kind.eq_ignore_ascii_case("Tail"))
}

/// The response to a dry run, which runs nothing.
fn without_running(call: &Call) -> Result<Option<Response<Body>>, Fault> {
    match call.header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "RequestResponse" => Ok(None),
        "DryRun" => Ok(Some(empty(StatusCode::NO_CONTENT))),
        other => Err(call.unknown("UnknownOperationException", &format!(" an invocation as `{other}`"))),
    }
}

/// Invoke: returns the complete answer.
pub(super) async fn invoke(call: &Call, name: &str) -> Result<Response<Body>, Fault> {
    let spec = prepare(call, &Name::read(call, name, &name::ANY)?).await?;
    let version = spec.number.clone();
    if let Some(answer) = without_running(call)? {
        return Ok(answer);
    }
    let mut run = sandbox::invoke(&call.cloud.host, spec, request(call)).await?;
    let (payload, failed) = match run.outcome {
        Outcome::Error { payload, .. } => (payload, true),
        Outcome::Answer(answer) => match answer.collect(LARGEST_ANSWER).await {
            Ok(payload) => (payload, false),
            Err(spoiled) => (spoiled.payload(&call.request_id), true),
        },
    };
    let mut answer = Response::new(full(payload));
    let headers = answer.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", header(&version));
    if failed {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    if wants_tail(call)
        && let Ok(tail) = (&mut run.finished).await
    {
        headers.insert("x-amz-log-result", header(&STANDARD.encode(tail)));
    }
    Ok(answer)
}

/// Where the frames of a streaming call come from.
enum Source {
    Live(Box<Answer>),
    /// The complete answer of a handler that does not stream.
    Whole(Bytes),
    Failed(Bytes),
    Over,
}

impl Source {
    async fn of(answer: Answer, request_id: &str) -> Self {
        if answer.streaming {
            return Self::Live(Box::new(answer));
        }
        match answer.collect(LARGEST_ANSWER).await {
            Ok(payload) => Self::Whole(payload),
            Err(spoiled) => Self::Failed(spoiled.payload(request_id)),
        }
    }

    /// The next bytes, or the details of an error.
    async fn next(&mut self, request_id: &str) -> Option<Result<Bytes, String>> {
        if let Self::Live(answer) = self {
            let next = answer.next().await?;
            return Some(next.map_err(|error| answer.explain(&error, request_id)));
        }
        match std::mem::replace(self, Self::Over) {
            Self::Whole(payload) => Some(Ok(payload)),
            Self::Failed(payload) => Some(Err(String::from_utf8_lossy(&payload).into_owned())),
            Self::Live(_) | Self::Over => None,
        }
    }
}

/// InvokeWithResponseStream: returns each part of the answer as it is produced, then the result.
pub(super) async fn stream(call: &Call, name: &str) -> Result<Response<Body>, Fault> {
    let spec = prepare(call, &Name::read(call, name, &name::ANY)?).await?;
    let version = spec.number.clone();
    if let Some(answer) = without_running(call)? {
        return Ok(answer);
    }
    let run = sandbox::invoke(&call.cloud.host, spec, request(call)).await?;
    let tail = wants_tail(call);
    let mut content_type = HeaderValue::from_static("application/octet-stream");
    let source = match run.outcome {
        Outcome::Error { payload, .. } => Source::Failed(payload),
        Outcome::Answer(answer) => {
            content_type = answer.content_type.clone().unwrap_or(content_type);
            Source::of(answer, &call.request_id).await
        }
    };
    let request_id = call.request_id.clone();
    let frames = stream::unfold(Some((source, run.finished, request_id)), move |state| async move {
        let (mut source, finished, request_id) = state?;
        let error = match source.next(&request_id).await {
            Some(Ok(bytes)) => return Some((eventstream::chunk(bytes), Some((source, finished, request_id)))),
            Some(Err(details)) => Some(("Unhandled", details)),
            None => None,
        };
        let mut complete = json!({});
        if let Some((code, details)) = error {
            complete["ErrorCode"] = json!(code);
            complete["ErrorDetails"] = json!(details);
        }
        if tail && let Ok(log) = finished.await {
            complete["LogResult"] = json!(STANDARD.encode(log));
        }
        Some((eventstream::complete(&complete), None))
    });
    let mut answer = Response::new(StreamBody::new(frames.map(|bytes| Ok(Frame::data(bytes)))).boxed_unsync());
    let headers = answer.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/vnd.amazon.eventstream"));
    headers.insert("x-amzn-remapped-content-type", content_type);
    headers.insert("x-amz-executed-version", header(&version));
    Ok(answer)
}
