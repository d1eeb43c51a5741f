//! The Extensions API: how programs next to the runtime take part in an instance's life.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;

use super::channel::RuntimeChannel;
use super::extensions::{Extension, Extensions};
use super::message::RuntimeMessage;
use super::runtime_reply::{RuntimeReply, accepted, read_body, refuse, reply};
use crate::random;
use crate::sync::lock;

const NAME: &str = "lambda-extension-name";
const IDENTIFIER: &str = "lambda-extension-identifier";

#[derive(Deserialize)]
struct Register {
    #[serde(default)]
    events: Vec<String>,
}

fn forbidden(kind: &str, message: &str) -> Box<RuntimeReply> {
    refuse(StatusCode::FORBIDDEN, kind, message).into()
}

/// The extension that sent a request.
fn sender<'a>(extensions: &'a mut Extensions, headers: &HeaderMap) -> Result<&'a mut Extension, Box<RuntimeReply>> {
    let Some(id) = headers.get(IDENTIFIER).and_then(|id| id.to_str().ok()) else {
        return Err(forbidden("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"));
    };
    let unknown = || forbidden("Extension.UnknownExtensionIdentifier", &format!("Unknown extension {id}"));
    extensions.find(id).ok_or_else(unknown)
}

/// Answers everything below `/2020-01-01/extension/`.
pub(super) async fn answer(channel: &Arc<RuntimeChannel>, request: Request<Incoming>, path: &[&str]) -> RuntimeReply {
    let answered = match (request.method(), path) {
        (&Method::POST, ["register"]) => register(channel, request).await,
        (&Method::GET, ["event", "next"]) => next(channel, request.headers()).await,
        (&Method::POST, ["init", "error"]) => failed(channel, request, "failed to start").await,
        (&Method::POST, ["exit", "error"]) => failed(channel, request, "ended with an error").await,
        _ => Err(refuse(StatusCode::NOT_FOUND, "NotFound", "the Extensions API has no such path").into()),
    };
    answered.unwrap_or_else(|refusal| *refusal)
}

async fn register(
    channel: &Arc<RuntimeChannel>,
    request: Request<Incoming>,
) -> Result<RuntimeReply, Box<RuntimeReply>> {
    let name = request.headers().get(NAME).and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(forbidden("Extension.InvalidExtensionName", "Missing Lambda-Extension-Name header"));
    }
    let body = read_body(request).await;
    let input: Register = serde_json::from_slice(&body)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, "InvalidRequestFormat", &error.to_string()))?;
    if let Some(other) = input.events.iter().find(|event| !matches!(event.as_str(), "INVOKE" | "SHUTDOWN")) {
        let message = format!("{name}: event {other} is not supported");
        return Err(refuse(StatusCode::BAD_REQUEST, "Extension.InvalidEventType", &message).into());
    }
    let mut extensions = lock(&channel.extensions);
    if extensions.is_registered(&name) {
        let message = format!("Extension {name} already registered");
        return Err(forbidden("Extension.AlreadyRegistered", &message));
    }
    let (id, function) = extensions.register(&name, &input.events);
    let mut answer = reply(StatusCode::OK, function);
    if let Ok(id) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(IDENTIFIER, id);
    }
    Ok(answer)
}

async fn next(channel: &Arc<RuntimeChannel>, headers: &HeaderMap) -> Result<RuntimeReply, Box<RuntimeReply>> {
    let event = sender(&mut lock(&channel.extensions), headers)?.next();
    channel.send(RuntimeMessage::ExtensionWaits);
    let Ok(event) = event.await else {
        return Err(refuse(StatusCode::GONE, "Shutdown", "this instance is ending").into());
    };
    let mut answer = reply(StatusCode::OK, &Value::Null);
    *answer.body_mut() = event.into();
    if let Ok(id) = HeaderValue::from_str(&random::uuid()) {
        answer.headers_mut().insert("lambda-extension-event-identifier", id);
    }
    Ok(answer)
}

async fn failed(
    channel: &Arc<RuntimeChannel>,
    request: Request<Incoming>,
    how: &str,
) -> Result<RuntimeReply, Box<RuntimeReply>> {
    let name = sender(&mut lock(&channel.extensions), request.headers())?.name.clone();
    let kind = request.headers().get("lambda-extension-function-error-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("Extension.UnknownReason").to_owned();
    let payload = read_body(request).await;
    let how = format!("{how}: {kind} {}", String::from_utf8_lossy(&payload));
    channel.send(RuntimeMessage::ExtensionFailed { name, kind, how });
    Ok(accepted())
}
