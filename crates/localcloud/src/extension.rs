//! The Extensions API: programs beside the runtime that take part in an instance's life.
//!
//! An extension registers, then asks for its next event, over and over. The start of an instance is over once the runtime
//! and every extension have asked; an invocation, once the runtime and those that take INVOKE have asked again.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::cloud::lock;
use crate::runtime::{Desk, Reply, Word, read, refuse, reply};

const NAME: &str = "lambda-extension-name";
const IDENTIFIER: &str = "lambda-extension-identifier";

/// Who registered, of those that have to and of others.
#[derive(Default)]
pub(crate) struct Extensions {
    /// Programs that were started and have not registered yet.
    expected: BTreeSet<String>,
    known: Vec<Extension>,
    /// What the registration answers.
    function: Value,
}

struct Extension {
    name: String,
    id: String,
    invoke: bool,
    shutdown: bool,
    /// Its open `event/next`.
    waiting: Option<oneshot::Sender<Bytes>>,
    /// An event that came before it asked.
    owed: Option<Bytes>,
}

#[derive(Deserialize)]
struct Register {
    #[serde(default)]
    events: Vec<String>,
}

impl Extensions {
    /// Before anybody has registered; `function` is what they are told of it.
    pub(crate) fn expecting(names: impl IntoIterator<Item = String>, function: Value) -> Self {
        Self { expected: names.into_iter().collect(), known: Vec::new(), function }
    }

    /// Whether all that were started are there and wait for an event.
    pub(crate) fn started(&self) -> bool {
        self.expected.is_empty() && self.known.iter().all(|extension| extension.waiting.is_some())
    }

    /// Those that are still to come, in words.
    pub(crate) fn missing(&self) -> Vec<String> {
        let silent = self.known.iter().filter(|extension| extension.waiting.is_none());
        self.expected.iter().cloned().chain(silent.map(|extension| extension.name.clone())).collect()
    }

    /// Whether all that take part in invocations are done with the last one.
    pub(crate) fn back(&self) -> bool {
        self.known.iter().all(|extension| !extension.invoke || extension.waiting.is_some())
    }

    /// Tells those that want to know of an invocation.
    pub(crate) fn invoke(&mut self, event: &Value) {
        self.known.iter_mut().filter(|extension| extension.invoke).for_each(|extension| extension.give(event));
    }

    /// Tells those that want to know of the end; gives their names.
    pub(crate) fn shut_down(&mut self, event: &Value) -> Vec<String> {
        let told = self.known.iter_mut().filter(|extension| extension.shutdown);
        told.map(|extension| {
            extension.give(event);
            extension.name.clone()
        })
        .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn register(&mut self, name: &str, events: &[String]) -> String {
        self.expected.remove(name);
        let wants = |event: &str| events.iter().any(|wanted| wanted == event);
        let id = uuid::Uuid::new_v4().to_string();
        self.known.push(Extension {
            name: name.to_owned(),
            id: id.clone(),
            invoke: wants("INVOKE"),
            shutdown: wants("SHUTDOWN"),
            waiting: None,
            owed: None,
        });
        id
    }

    fn find(&mut self, headers: &HeaderMap) -> Result<&mut Extension, Box<Reply>> {
        let Some(id) = headers.get(IDENTIFIER).and_then(|id| id.to_str().ok()) else {
            return Err(forbidden(
                "Extension.MissingExtensionIdentifier",
                "Missing Lambda-Extension-Identifier header",
            ));
        };
        let known = self.known.iter_mut().find(|extension| extension.id == id);
        known.ok_or_else(|| forbidden("Extension.UnknownExtensionIdentifier", &format!("Unknown extension {id}")))
    }
}

impl Extension {
    fn give(&mut self, event: &Value) {
        let event = Bytes::from(event.to_string());
        match self.waiting.take() {
            Some(waiting) => drop(waiting.send(event)),
            None => self.owed = Some(event),
        }
    }
}

fn forbidden(kind: &str, message: &str) -> Box<Reply> {
    refuse(StatusCode::FORBIDDEN, kind, message).into()
}

/// Answers what comes below `/2020-01-01/extension/`.
pub(crate) async fn answer(desk: &Arc<Desk>, request: Request<Incoming>, path: &[&str]) -> Reply {
    let answered = match (request.method(), path) {
        (&Method::POST, ["register"]) => register(desk, request).await,
        (&Method::GET, ["event", "next"]) => next(desk, request.headers()).await,
        (&Method::POST, ["init", "error"]) => failed(desk, request, "failed to start").await,
        (&Method::POST, ["exit", "error"]) => failed(desk, request, "ended with an error").await,
        _ => Err(refuse(StatusCode::NOT_FOUND, "NotFound", "the Extensions API has no such path").into()),
    };
    answered.unwrap_or_else(|refusal| *refusal)
}

async fn register(desk: &Arc<Desk>, request: Request<Incoming>) -> Result<Reply, Box<Reply>> {
    let name = request.headers().get(NAME).and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(forbidden("Extension.InvalidExtensionName", "Missing Lambda-Extension-Name header"));
    }
    let body = read(request).await;
    let input: Register = serde_json::from_slice(&body)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, "InvalidRequestFormat", &error.to_string()))?;
    if let Some(other) = input.events.iter().find(|event| !matches!(event.as_str(), "INVOKE" | "SHUTDOWN")) {
        let message = format!("{name}: event {other} is not supported");
        return Err(refuse(StatusCode::BAD_REQUEST, "Extension.InvalidEventType", &message).into());
    }
    let mut extensions = lock(&desk.extensions);
    if extensions.known.iter().any(|extension| extension.name == name) {
        let message = format!("Extension {name} already registered");
        return Err(forbidden("Extension.AlreadyRegistered", &message));
    }
    let id = extensions.register(&name, &input.events);
    let mut answer = reply(StatusCode::OK, &extensions.function);
    if let Ok(id) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(IDENTIFIER, id);
    }
    Ok(answer)
}

async fn next(desk: &Arc<Desk>, headers: &HeaderMap) -> Result<Reply, Box<Reply>> {
    let event = {
        let mut extensions = lock(&desk.extensions);
        let extension = extensions.find(headers)?;
        let (waiting, event) = oneshot::channel();
        match extension.owed.take() {
            Some(owed) => drop(waiting.send(owed)),
            None => extension.waiting = Some(waiting),
        }
        event
    };
    desk.say(Word::ExtensionWaits);
    let Ok(event) = event.await else {
        return Err(refuse(StatusCode::GONE, "Shutdown", "this instance is ending").into());
    };
    let mut answer = reply(StatusCode::OK, &Value::Null);
    *answer.body_mut() = event.into();
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        answer.headers_mut().insert("lambda-extension-event-identifier", id);
    }
    Ok(answer)
}

async fn failed(desk: &Arc<Desk>, request: Request<Incoming>, how: &str) -> Result<Reply, Box<Reply>> {
    let name = lock(&desk.extensions).find(request.headers())?.name.clone();
    let kind = request.headers().get("lambda-extension-function-error-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("Extension.UnknownReason").to_owned();
    let payload = read(request).await;
    let how = format!("{how}: {kind} {}", String::from_utf8_lossy(&payload));
    desk.say(Word::ExtensionFailed { name, kind, how });
    Ok(reply(StatusCode::ACCEPTED, &json!({"status": "OK"})))
}
