//! A request from the page to a function's URL. The times of the response's chunks are measured here, because a browser
//! joins chunks before a page sees them.

use super::targets::{Target, Targets};
use crate::failure::Failure;
use crate::report::{Console, failure_lines};
use crate::text;
use crate::verify::{Exchange, Fault, Question, Sign};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// HTTP sets these headers itself, from the connection and the body.
const NOT_TO_BE_SET: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

/// What the page asks for.
#[derive(Debug, Deserialize)]
pub(super) struct PageRequest {
    function: String,
    method: String,
    /// With the query.
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// Sends the request, and the response line by line: its head, its chunks, its end. Stops when the page stops reading.
pub(super) async fn run(targets: &Targets, console: &Console, wanted: PageRequest, lines: Sender<Bytes>) {
    tokio::select! {
        () = ask(targets, console, wanted, &lines) => {}
        () = lines.closed() => {}
    }
}

async fn ask(targets: &Targets, console: &Console, wanted: PageRequest, lines: &Sender<Bytes>) {
    let Some(target) = targets.find(&wanted.function) else {
        let why = format!("`{}` has no URL yet", wanted.function);
        return send(lines, json!({ "failed": [why] })).await;
    };
    let refused = wanted.headers.iter().find(|(name, _)| NOT_TO_BE_SET.contains(&name.to_lowercase().as_str()));
    if let Some((name, _)) = refused {
        let why = format!("the header `{name}` is set by the connection; remove it");
        return send(lines, json!({ "failed": [why] })).await;
    }
    let headers = target.with_kept(wanted.headers);
    let signer = target.signer.as_ref().map(|signer| {
        |method: &http::Method, url: &str, headers: &[(String, String)], body: &[u8]| {
            signer.headers(method, url, headers, body)
        }
    });
    let question = Question {
        url: &target.url,
        path: &wanted.path,
        method: &wanted.method,
        headers: &headers,
        body: wanted.body.as_deref().map(str::as_bytes),
        sign: signer.as_ref().map(|sign| sign as Sign<'_>),
        silence: target.silence(),
    };
    let mut exchange = match Exchange::begin(&question).await {
        Ok(exchange) => exchange,
        Err(fault) => return send(lines, json!({ "failed": words(console, &target, &fault) })).await,
    };
    let (status, at) = (exchange.seen().status, milliseconds(exchange.head_at()));
    send(lines, json!({ "head": { "status": status, "headers": exchange.headers(), "at": at } })).await;
    while let Some(chunk) = exchange.next().await {
        let at = milliseconds(exchange.elapsed());
        send(lines, json!({ "at": at, "bytes": chunk.len(), "data": BASE64_STANDARD.encode(&chunk) })).await;
    }
    // The page shows a status as such, and a body of JSON in any case.
    let fault = exchange.verdict().err().filter(|fault| !matches!(fault, Fault::Status { .. } | Fault::RawJson { .. }));
    let fault = fault.map(|fault| words(console, &target, &fault));
    send(lines, json!({ "end": { "at": milliseconds(exchange.seen().duration), "fault": fault } })).await;
}

async fn send(lines: &Sender<Bytes>, line: Value) {
    // If the page has stopped reading, the work is about to be dropped.
    let _ = lines.send(format!("{line}\n").into()).await;
}

fn words(console: &Console, target: &Target, fault: &Fault) -> Vec<String> {
    let failure = console.completed_in(&Failure::not_invoked(&target.function, fault));
    failure_lines(&failure).iter().map(|line| text::uncoloured(&line.to_string())).collect()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
