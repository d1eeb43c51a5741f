//! The single JSON document on stdout. Unknown values are null, no key is ever missing, and values of the environment
//! never appear.

use super::printed::Text;
use super::renderer::{Page, Renderer};
use crate::apply::{Step, Verified};
use crate::failure::Failure;
use crate::plan::{Change, Plan};
use crate::report::answer::{Answer, Detail, Extra, FunctionAnswer, LocalAnswer, LogLine, Response, State};
use crate::report::log_line::log_json;
use crate::stack::{Auth, InvokeMode, Published, Share, Verdict};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use import::LeftOver;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) struct Json;

impl Renderer for Json {
    fn answer(&self, command: &str, answer: &Answer, failure: Option<&Failure>, _: Page) -> Text {
        Text::json(&document(command, answer, failure))
    }

    fn log_lines(&self, lines: &[LogLine], _: bool, _: Page) -> Text {
        lines.iter().map(|line| Text::json(&log_json(line))).collect()
    }

    fn is_document(&self) -> bool {
        true
    }
}

/// Schema 1. `failure` is the failure of the command as a whole.
fn document(command: &str, answer: &Answer, failure: Option<&Failure>) -> Value {
    let found = &answer.found;
    let mut document = json!({
        "schema": 1,
        "command": command,
        "ok": failure.is_none(),
        "account": found.account,
        "region": found.region,
        "endpoint": found.endpoint,
        "stage": found.stage,
        "functions": found.functions.iter().map(function).collect::<Vec<_>>(),
        "error": failure.map(error),
    });
    match &answer.extra {
        Extra::Nothing => {}
        Extra::Local(found) => document["local"] = local(found),
        Extra::Path(path) => {
            document["path"] = json!(path.as_ref().map(|path| path.display().to_string()));
        }
        Extra::Import(import) => {
            let import = import.as_ref();
            document["out"] = json!(import.and_then(|import| import.out.as_ref()));
            document["manifest"] = json!(import.and_then(|import| import.manifest.as_ref()));
            document["left_over"] = json!(import.map(|import| import.left.iter().map(left_over).collect::<Vec<_>>()));
        }
        Extra::Init(init) => {
            let init = init.as_ref();
            document["app"] = json!(init.map(|init| &init.app));
            document["files"] = json!(init.map(|init| &init.files));
            document["template"] = json!(init.and_then(|init| init.template));
            document["found"] = json!(init.and_then(|init| init.found.as_ref()));
            document["notes"] = json!(init.map(|init| &init.notes));
            document["next"] = json!(init.map(|init| &init.next));
        }
        Extra::Templates(templates) => {
            let template = |(name, about): &(&str, &str)| json!({ "name": name, "about": about });
            document["templates"] = templates.iter().map(template).collect();
        }
        Extra::Events(events) => {
            document["events"] = json!(events.as_ref().map(|events| events.iter().map(log_json).collect::<Vec<_>>()));
        }
        Extra::Response(found) => document["response"] = json!(found.as_ref().map(response)),
    }
    document
}

fn local(local: &LocalAnswer) -> Value {
    let env: serde_json::Map<String, Value> =
        local.env.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({ "running": local.endpoint().is_some(), "endpoint": local.endpoint(), "data": local.data, "env": env })
}

fn left_over(left: &LeftOver) -> Value {
    json!({
        "file": left.file,
        "line": (left.line > 0).then_some(left.line),
        "path": left.path,
        "what": left.what,
        "advice": left.advice,
        "blocks": left.blocks,
    })
}

fn response(response: &Response) -> Value {
    let Verified { status, first_byte, chunks, duration, streamed } = response.seen;
    let mut headers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &response.headers {
        headers.entry(name).or_default().push(value);
    }
    let text = std::str::from_utf8(&response.body);
    json!({
        "status": status,
        "headers": headers,
        "first_byte_ms": milliseconds(first_byte),
        "chunks": chunks,
        "duration_ms": milliseconds(duration),
        "streamed": streamed,
        "body": text.map_or_else(|_| STANDARD.encode(&response.body), str::to_owned),
        "body_is_base64": text.is_err(),
    })
}

fn function(function: &FunctionAnswer) -> Value {
    let mut value = json!({
        "name": function.name,
        "function_name": function.function_name,
        "function_arn": function.names.as_ref().map(|names| names.function_arn()),
        "state": match function.state {
            State::Deployed => Some("deployed"),
            State::Absent => Some("absent"),
            State::Failed => Some("failed"),
            State::Unknown => None,
        },
        "changed": function.changed,
        "url": function.outputs.url,
        "auth": function.url.as_ref().map(|url| Auth::as_str(url.auth)),
        "mode": function.url.as_ref().map(|url| InvokeMode::as_str(url.mode)),
        "release": function.outputs.version.as_ref().map(|version| json!({
            "version": version,
            "previous": function.outputs.previous,
            "code_sha256": function.release.as_ref().and_then(|release| release.code.as_ref()),
            "verification": function.verdict.map(Verdict::as_str),
            "shift": function.outputs.shifted.as_ref().map(|version| json!({
                "version": version,
                "percent": function.shift.map(|weight| weight.fraction() * 100.0),
            })),
        })),
        "changes": function.plan.iter().flat_map(|plan| changes(function, plan)).collect::<Vec<_>>(),
        "set_outside": function.set_outside,
        "verified": function.verified.as_ref().map(verified),
        "done": kinds(&function.done),
        "left": kinds(&function.left),
        "error": function.error.as_ref().map(error),
    });
    match &function.detail {
        Detail::Url | Detail::Changes | Detail::Checks => {}
        Detail::Zip(zip) => {
            value["zip"] = json!(zip.path);
            value["sha256"] = json!(zip.sha256);
            value["size"] = json!(zip.size);
        }
        Detail::Releases(releases) => value["releases"] = releases.iter().map(published).collect(),
        Detail::Comparison { in_manifest, not_compared } => {
            value["in_manifest"] = json!(in_manifest);
            value["not_compared"] =
                not_compared.iter().map(|one| json!({ "field": one.field, "why": one.why })).collect();
        }
    }
    value
}

fn published(published: &Published) -> Value {
    json!({
        "version": published.version,
        "published_at": published.at,
        "origin": published.origin,
        "code_sha256": published.release.code,
        "live": matches!(published.share, Share::Whole | Share::Rest(_)),
        "previous": published.is_previous,
        "verification": published.verdict.as_str(),
        "percent": match published.share {
            Share::Part(weight) => weight.fraction() * 100.0,
            Share::Rest(weight) => 100.0 - weight.fraction() * 100.0,
            Share::Whole => 100.0,
            Share::None => 0.0,
        },
    })
}

fn changes(function: &FunctionAnswer, plan: &Plan) -> Vec<Value> {
    let change = |change: &Change| {
        let fields: Vec<String> = change.fields().into_iter().map(|field| field.name).collect();
        json!({
            "action": change.action().as_str(),
            "kind": change.kind().as_str(),
            "name": function.names.as_ref().map(|names| change.name(names)),
            "fields": fields,
        })
    };
    plan.changes.iter().map(change).collect()
}

/// Each kind once, in the order of the steps.
fn kinds(steps: &[Step]) -> Vec<&'static str> {
    let mut kinds: Vec<&'static str> = steps.iter().map(|step| step.kind.as_str()).collect();
    kinds.dedup();
    kinds
}

fn verified(verified: &Verified) -> Value {
    json!({
        "status": verified.status,
        "first_byte_ms": milliseconds(verified.first_byte),
        "chunks": verified.chunks,
        "duration_ms": milliseconds(verified.duration),
        "streamed": verified.streamed,
    })
}

/// Rounded to one decimal.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn error(failure: &Failure) -> Value {
    json!({
        "kind": failure.kind.as_str(),
        "message": failure.message.to_string(),
        "caused_by": failure.caused_by,
        "log": failure.log,
        "request_id": failure.request_id,
        "hints": failure.hints,
    })
}
