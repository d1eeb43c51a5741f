//! The single JSON document on stdout. Unknown values are null, no key is ever missing, and values of the environment
//! never appear.

use super::printed::Text;
use super::renderer::{Page, Renderer};
use crate::apply::{Step, Verified};
use crate::failure::Failure;
use crate::logs::{Percentiles, ReleaseFigures};
use crate::plan::{Change, Plan};
use crate::report::answer::{
    Answer, Comparison, DeployedStage, Detail, Extra, Figures, FunctionAnswer, LocalAnswer, LogLine, Response,
    SecretAnswer, State, StepAnswer, StepVerdict,
};
use crate::report::diagnosis::Diagnosis;
use crate::report::log_line::log_json;
use crate::report::moment::{utc_milliseconds, utc_seconds};
use crate::stack::{Auth, Caller, InvokeMode, Published, Share, Steps, Verdict};
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
        Extra::Script(script) => document["script"] = json!(script),
        Extra::Schema(schema) => document["json_schema"] = json!(schema),
        Extra::Files(files) => document["files"] = json!(files),
        Extra::Import(import) => {
            let import = import.as_ref();
            document["out"] = json!(import.and_then(|import| import.out.as_ref()));
            document["manifest"] = json!(import.and_then(|import| import.manifest.as_ref()));
            document["left_over"] = json!(import.map(|import| import.left.iter().map(left_over).collect::<Vec<_>>()));
        }
        Extra::Policy(policy) => document["policy"] = json!(policy.as_ref().map(|policy| &policy.json)),
        Extra::Checks(doctor) => {
            document["checks"] =
                json!(doctor.as_ref().map(|doctor| doctor.checks.iter().map(diagnosis).collect::<Vec<_>>()));
        }
        Extra::Secrets(secrets) => {
            document["secrets"] = json!(secrets.as_ref().map(|secrets| secrets.iter().map(secret).collect::<Vec<_>>()));
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
        Extra::Stages(stages) => {
            document["stages"] = json!(stages.as_ref().map(|stages| stages.iter().map(stage).collect::<Vec<_>>()));
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

fn stage(stage: &DeployedStage) -> Value {
    json!({
        "stage": stage.stage,
        "functions": stage.functions,
        "live_since": stage.live_since,
        "origin": stage.origin.code,
        "published_by": stage.origin.by.as_ref().map(|by| by.name()),
        "expires": stage.expires,
        "expired": stage.is_expired,
    })
}

fn diagnosis(found: &Diagnosis) -> Value {
    json!({
        "name": found.name,
        "result": found.result.as_str(),
        "message": found.message.to_string(),
        "hints": found.hints,
    })
}

fn secret(secret: &SecretAnswer) -> Value {
    json!({
        "name": secret.name,
        "parameter": secret.parameter,
        "version": secret.version,
        "changed_at": secret.changed_at.map(|at| utc_seconds(at / 1000)),
        "changed_by": secret.changed_by,
    })
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
    let Verified { status, first_byte, chunks, duration, streamed, mcp: _ } = response.seen;
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
        "init_ms": response.init.map(milliseconds),
        "billed_ms": response.billed.map(milliseconds),
        "body": text.map_or_else(|_| STANDARD.encode(&response.body), str::to_owned),
        "body_is_base64": text.is_err(),
    })
}

fn function(function: &FunctionAnswer) -> Value {
    let mut value = json!({
        "name": function.name,
        "function_name": function.function_name,
        "function_arn": function.names.as_ref().map(|names| names.function_arn()),
        "stage": function.names.as_ref().and_then(|names| names.stage.as_ref()),
        "state": match function.state {
            State::Deployed => Some("deployed"),
            State::Absent => Some("absent"),
            State::Failed => Some("failed"),
            State::Unknown => None,
        },
        "changed": function.changed,
        "url": function.url(),
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
                "steps": function.outputs.steps.as_ref().map(Steps::percents),
                "step_ms": function.outputs.steps.as_ref().map(|steps| milliseconds(steps.each)),
            })),
        })),
        "changes": function.plan.iter().flat_map(|plan| changes(function, plan)).collect::<Vec<_>>(),
        "set_outside": function.set_outside,
        "rollout": function.rollout.as_ref().map(|steps| json!({ "steps": steps.iter().map(step).collect::<Vec<_>>() })),
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
        Detail::Releases(releases) => {
            value["releases"] = releases.iter().map(|release| published(function, release)).collect();
        }
        Detail::Stats(figures) => value["stats"] = json!(figures.as_ref().map(stats)),
        Detail::Comparison(comparison) => {
            value["in_manifest"] = json!(comparison.in_manifest);
            value["live"] = live(function, comparison);
            value["other_regions"] = json!(comparison.other_regions);
            value["not_compared"] =
                comparison.not_compared.iter().map(|one| json!({ "field": one.field, "why": one.why })).collect();
        }
    }
    value
}

fn step(step: &StepAnswer) -> Value {
    json!({
        "percent": step.weight.fraction() * 100.0,
        "held_ms": milliseconds(step.held),
        "checks": step.checks,
        "requests": step.requests,
        "errors": step.errors,
        "first_byte_p95_ms": step.first_byte.map(milliseconds),
        "enough_requests": step.is_enough,
        "verdict": match step.verdict {
            StepVerdict::Passed => Some("passed"),
            StepVerdict::Failed => Some("failed"),
            StepVerdict::Unknown => None,
        },
    })
}

fn stats(figures: &Figures) -> Value {
    json!({
        "from": utc_milliseconds(figures.time.start),
        "to": utc_milliseconds(figures.time.end),
        "releases": figures.releases.iter().map(release_stats).collect::<Vec<_>>(),
    })
}

fn release_stats(release: &ReleaseFigures) -> Value {
    let percentiles = |found: Option<Percentiles>| {
        found
            .map(|Percentiles { p50, p95, p99, longest }| json!({ "p50": p50, "p95": p95, "p99": p99, "max": longest }))
    };
    json!({
        "version": release.version,
        "first_at": utc_milliseconds(release.first),
        "last_at": utc_milliseconds(release.last),
        "requests": release.requests,
        "first_byte_ms": percentiles(release.first_byte),
        "duration_ms": percentiles(release.duration),
        "bytes": release.bytes,
        "cold_starts": release.cold_starts,
        "cold_start_ms": percentiles(release.start),
        "errors": release.errors,
        "timeouts": release.timeouts,
        "cut_streams": release.cut_streams,
        // Lambda's records have no requests that it refused.
        "throttles": null,
    })
}

fn live(function: &FunctionAnswer, comparison: &Comparison) -> Value {
    let Comparison { origin, published_at, .. } = comparison;
    let arrival = function.outputs.arrival.as_ref();
    let live = json!({
        "since": arrival.map(|arrival| utc_seconds(arrival.at)),
        "by": arrival.and_then(|arrival| arn(function, arrival.by.as_ref())),
        "origin": origin.code,
        "published_at": published_at,
        "published_by": arn(function, origin.by.as_ref()),
    });
    function.outputs.version.as_ref().map_or(Value::Null, |_| live)
}

fn arn(function: &FunctionAnswer, caller: Option<&Caller>) -> Option<String> {
    Some(caller?.arn(function.names.as_ref()?))
}

fn published(function: &FunctionAnswer, published: &Published) -> Value {
    let arrival = published.arrival.as_ref();
    json!({
        "version": published.version,
        "published_at": published.at,
        "origin": published.origin.code,
        "published_by": arn(function, published.origin.by.as_ref()),
        "code_sha256": published.release.code,
        "live": matches!(published.share, Share::Whole | Share::Rest(_)),
        "live_since": arrival.map(|arrival| utc_seconds(arrival.at)),
        "live_by": arrival.and_then(|arrival| arn(function, arrival.by.as_ref())),
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
        "mcp": verified.mcp.as_ref().map(|mcp| json!({
            "protocol": mcp.protocol,
            "server": mcp.server,
            "tools": mcp.tools,
            "sessions": mcp.sessions.as_str(),
        })),
    })
}

/// Rounded to one decimal.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn error(failure: &Failure) -> Value {
    let place = failure.place();
    json!({
        "kind": failure.kind.as_str(),
        "message": failure.message.to_string(),
        "file": place.as_ref().map(|place| &place.file),
        "line": place.as_ref().and_then(|place| place.line),
        "column": place.as_ref().and_then(|place| place.column),
        "caused_by": failure.caused_by,
        "check": failure.check.as_ref().map(|check| json!({
            "number": check.number,
            "method": check.method,
            "path": check.path,
        })),
        "log": failure.log,
        "request_id": failure.request_id,
        "hints": failure.hints,
    })
}
