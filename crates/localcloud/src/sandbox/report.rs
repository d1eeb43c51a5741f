//! The lines that the platform itself writes into a function's log, as text or as JSON. Sources: "Lambda Telemetry API
//! event schema" and "Log-level filtering" of AWS's documentation, and the events of AWS's runtime interface emulator.

use std::time::Duration;

use rustix::process::Pid;
use serde_json::{Value, json};

use super::spec::{LogForm, SystemLevel};
use crate::clock;
use crate::platform::processes;
use crate::wire::date;

/// How a start or a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status<'a> {
    Success,
    /// With its type, such as `Runtime.ExitError`.
    Error(&'a str),
    Timeout,
}

impl<'a> Status<'a> {
    fn word(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Error(_) => "error",
            Status::Timeout => "timeout",
        }
    }

    fn error_type(self) -> Option<&'a str> {
        match self {
            Status::Error(kind) => Some(kind),
            Status::Success | Status::Timeout => None,
        }
    }

    /// The level of an event, which has its own only if all went well.
    fn level(self, own: SystemLevel) -> SystemLevel {
        if self == Status::Success { own } else { SystemLevel::Warn }
    }
}

/// The phase that a start belongs to.
pub(super) fn phase(is_repeated: bool) -> &'static str {
    // AWS repeats a start that took too long within the first invocation.
    if is_repeated { "invoke" } else { "init" }
}

/// The response of one request.
#[derive(Clone, Copy)]
pub(super) struct ResponseTimes {
    /// From the request to the beginning of the response.
    pub(super) latency: Duration,
    /// From there to its end.
    pub(super) duration: Duration,
}

/// The report of one request.
pub(super) struct Report<'a> {
    pub(super) form: LogForm,
    pub(super) id: &'a str,
    pub(super) arn: &'a str,
    pub(super) version: &'a str,
    pub(super) memory: u32,
    pub(super) used: u64,
    /// When the request began, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) duration: Duration,
    /// How long the start took, if this is the first request of an instance.
    pub(super) init: Option<Duration>,
    /// `None` if there was none.
    pub(super) response: Option<ResponseTimes>,
    /// The size of the response.
    pub(super) bytes: u64,
    pub(super) status: Status<'a>,
}

/// A duration as AWS prints it.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// An event of this level, if the function's log has it.
fn event(level: SystemLevel, from: SystemLevel, kind: &str, record: &Value) -> Option<String> {
    let written = || format!("{}\n", json!({"time": date::log(clock::now()), "type": kind, "record": record}));
    (level >= from).then(written)
}

fn with_error(mut record: Value, status: Status<'_>) -> Value {
    if let Some(kind) = status.error_type() {
        record["errorType"] = json!(kind);
    }
    record
}

/// The first line of a stream.
pub(super) fn init_start(form: LogForm, phase: &str, function: &str, version: &str) -> Option<String> {
    let (runtime, arn) = ("provided:al2023.local", "arn:aws:lambda:us-east-1::runtime:local");
    let LogForm::Json(from) = form else {
        return Some(format!("INIT_START Runtime Version: {runtime}\tRuntime Version ARN: {arn}\n"));
    };
    let record = json!({
        "initializationType": "on-demand", "phase": phase, "runtimeVersion": runtime, "runtimeVersionArn": arn,
        "functionName": function, "functionVersion": version,
    });
    event(SystemLevel::Info, from, "platform.initStart", &record)
}

/// The end of a start. As text, only a start that failed is reported by itself.
pub(super) fn init_end(form: LogForm, phase: &str, took: Duration, status: Status<'_>) -> Vec<String> {
    let took = millis(took);
    let LogForm::Json(from) = form else {
        let kind = status.error_type().map(|kind| format!("\tError Type: {kind}")).unwrap_or_default();
        let line =
            format!("INIT_REPORT Init Duration: {took:.2} ms\tPhase: {phase}\tStatus: {}{kind}\n", status.word());
        return if status == Status::Success { Vec::new() } else { vec![line] };
    };
    let record = json!({"initializationType": "on-demand", "phase": phase, "status": status.word()});
    let done = with_error(record, status);
    let mut report = done.clone();
    report["metrics"] = json!({"durationMs": took});
    let events = [("platform.initRuntimeDone", done), ("platform.initReport", report)];
    events.iter().filter_map(|(kind, record)| event(status.level(SystemLevel::Debug), from, kind, record)).collect()
}

impl Report<'_> {
    pub(super) fn start(&self) -> Option<String> {
        let LogForm::Json(from) = self.form else {
            return Some(format!("START RequestId: {} Version: {}\n", self.id, self.version));
        };
        let record = json!({"requestId": self.id, "functionArn": self.arn, "version": self.version});
        event(SystemLevel::Info, from, "platform.start", &record)
    }

    /// END and REPORT; in JSON `runtimeDone` and `report`.
    pub(super) fn end(&self) -> Vec<String> {
        // For a custom runtime, the start is billed, too.
        let billed = ((self.duration + self.init.unwrap_or_default()).as_secs_f64() * 1000.0).ceil() as u64;
        match self.form {
            LogForm::Text => self.text(billed),
            LogForm::Json(from) => self.json(billed, from),
        }
    }

    fn text(&self, billed: u64) -> Vec<String> {
        let duration = millis(self.duration);
        let init = self.init.map(|init| format!("Init Duration: {:.2} ms\t", millis(init))).unwrap_or_default();
        let kind = self.status.error_type().map(|kind| format!("Error Type: {kind}\t")).unwrap_or_default();
        let status = match self.status {
            Status::Success => String::new(),
            status => format!("Status: {}\t{kind}", status.word()),
        };
        vec![
            format!("END RequestId: {}\n", self.id),
            format!(
                "REPORT RequestId: {}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t{init}{status}\n",
                self.id, self.memory, self.used
            ),
        ]
    }

    fn json(&self, billed: u64, from: SystemLevel) -> Vec<String> {
        let duration = millis(self.duration);
        let mut metrics = json!({"durationMs": duration, "billedDurationMs": billed, "memorySizeMB": self.memory, "maxMemoryUsedMB": self.used});
        if let Some(init) = self.init {
            metrics["initDurationMs"] = json!(millis(init));
        }
        let mut done = json!({
            "requestId": self.id, "status": self.status.word(),
            "metrics": {"durationMs": duration, "producedBytes": self.bytes},
        });
        if let Some(response) = self.response {
            done["spans"] = self.spans(response);
        }
        let report = json!({"requestId": self.id, "metrics": metrics, "status": self.status.word()});
        let of = |own, kind, record| event(self.status.level(own), from, kind, &with_error(record, self.status));
        let done = of(SystemLevel::Debug, "platform.runtimeDone", done);
        done.into_iter().chain(of(SystemLevel::Info, "platform.report", report)).collect()
    }

    fn spans(&self, ResponseTimes { latency, duration }: ResponseTimes) -> Value {
        let begin = |after: Duration| date::log(self.at + i64::try_from(after.as_millis()).unwrap_or_default());
        let overhead = self.duration.saturating_sub(latency + duration);
        json!([
            {"name": "responseLatency", "start": begin(Duration::ZERO), "durationMs": millis(latency)},
            {"name": "responseDuration", "start": begin(latency), "durationMs": millis(duration)},
            {"name": "runtimeOverhead", "start": begin(latency + duration), "durationMs": millis(overhead)},
        ])
    }
}

/// A process's peak memory so far, in MB.
pub(super) fn memory_used(pid: Option<u32>) -> u64 {
    pid.and_then(|pid| Pid::from_raw(pid.try_into().ok()?)).map_or(0, processes::peak_memory)
}
