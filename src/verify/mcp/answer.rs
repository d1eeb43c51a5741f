//! Judges the response to one request of an MCP client.

use super::messages::Found;
use super::problem::McpProblem;
use super::request::Request;
use crate::manifest::Check;
use crate::verify::fault::Fault;
use crate::verify::judge::judge;
use crate::verify::observation::{EVENT_STREAM, Observation, Seen};
use crate::verify::quote::words;
use crate::verify::shortcoming::Shortcoming;
use serde_json::Value;

/// An answer that passes.
pub(super) struct Answer {
    pub seen: Seen,
    /// `Null` for a notification.
    pub result: Value,
    /// The header `Mcp-Session-Id`.
    pub session: Option<String>,
}

/// # Errors
/// With what is wrong with the response.
pub(super) fn answer(check: &Check, request: &Request, observation: &Observation) -> Result<Answer, Fault> {
    let fault = |problem| Fault::Mcp { method: request.method, problem, seen: observation.seen() };
    let seen = match judge(check, observation) {
        Err(Fault::Short { shortcoming: Shortcoming::Endless { within }, .. }) => {
            return Err(fault(McpProblem::Unanswered { within }));
        }
        // The limit begins with the head of each response, because any instance may be new.
        Err(Fault::Short { shortcoming: Shortcoming::Overdue { .. }, seen }) => seen,
        other => other?,
    };
    let result = result(request, observation).map_err(fault)?;
    let session = observation.head.values("mcp-session-id").next().map(str::to_owned);
    Ok(Answer { seen, result, session })
}

fn result(request: &Request, observation: &Observation) -> Result<Value, McpProblem> {
    let body = observation.body();
    if !(200..300).contains(&observation.head.status) {
        return Err(McpProblem::Status { words: words(&body.beginning) });
    }
    let Some(id) = request.id else { return Ok(Value::Null) };
    match observation.head.media_type() {
        // A status such as 202 without a body.
        _ if body.bytes == 0 => return Err(McpProblem::NoAnswer),
        Some(kind) if kind == EVENT_STREAM || kind == "application/json" => {}
        other => return Err(McpProblem::ContentType(other.map(|kind| words(kind.as_bytes())))),
    }
    let answer = match body.messages.as_ref().map_or(Found::Nothing, |messages| messages.found()) {
        Found::Answer(answer) => answer,
        Found::Unreadable(bytes) => return Err(McpProblem::Unreadable(words(&bytes))),
        Found::TooLarge => return Err(McpProblem::TooLarge),
        Found::Nothing => return Err(McpProblem::NoAnswer),
    };
    if let Some(error) = answer.get("error") {
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => words(text.as_bytes()),
            Some(value) => words(value.to_string().as_bytes()),
            None => String::new(),
        };
        let code = text(error.get("code"));
        return Err(McpProblem::Error { code, message: text(error.get("message")) });
    }
    match answer.get("id") {
        Some(found) if *found == id => {}
        found => return Err(McpProblem::Id(found.map_or_else(String::new, ToString::to_string))),
    }
    match answer.get("result") {
        Some(result) if result.is_object() && answer.get("jsonrpc").is_some_and(|version| version == "2.0") => {
            Ok(result.clone())
        }
        _ => Err(McpProblem::Unreadable(words(answer.to_string().as_bytes()))),
    }
}
