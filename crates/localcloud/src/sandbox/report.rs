//! The lines that the platform itself writes into a function's log.

use std::time::Duration;

use serde_json::json;

use crate::clock;
use crate::wire::date;

/// The report of one request.
pub(super) struct Report<'a> {
    pub(super) json: bool,
    /// Whether events of the level of debugging are written, too; only in JSON.
    pub(super) all: bool,
    pub(super) id: &'a str,
    pub(super) version: &'a str,
    pub(super) memory: u32,
    pub(super) used: u64,
    pub(super) duration: Duration,
    /// The time until the answer began, if it did.
    pub(super) latency: Option<Duration>,
    /// How long the start took, if this is the first request of an instance.
    pub(super) init: Option<Duration>,
    /// `timeout` or `error`; empty after a success.
    pub(super) status: &'a str,
}

/// A duration as AWS prints it.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn event(kind: &str, record: &serde_json::Value) -> String {
    format!("{}\n", json!({"time": date::log(clock::now()), "type": kind, "record": record}))
}

/// The first line of a stream.
pub(super) fn init_start(json: bool) -> String {
    if json {
        return event(
            "platform.initStart",
            &json!({"initializationType": "on-demand", "phase": "init", "runtimeVersion": "provided:al2023.local"}),
        );
    }
    "INIT_START Runtime Version: provided:al2023.local\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:local\n"
        .to_owned()
}

/// The report of a start that failed.
pub(super) fn init_report(json: bool, phase: &str, took: Duration, status: &str, kind: &str) -> String {
    let took = millis(took);
    if json {
        let record = json!({"phase": phase, "status": status, "errorType": kind, "metrics": {"durationMs": took}});
        return event("platform.initReport", &record);
    }
    format!("INIT_REPORT Init Duration: {took:.2} ms\tPhase: {phase}\tStatus: {status}\tError Type: {kind}\n")
}

impl Report<'_> {
    pub(super) fn start(&self) -> String {
        if self.json {
            return event("platform.start", &json!({"requestId": self.id, "version": self.version}));
        }
        format!("START RequestId: {} Version: {}\n", self.id, self.version)
    }

    /// What the runtime took: until the answer began, and from then on. Lambda logs it of a request that succeeds only at the
    /// level of debugging.
    fn runtime_done(&self, status: &str) -> Option<String> {
        let answered = self.latency.map(|latency| {
            let rest = self.duration.saturating_sub(latency);
            json!([{"name": "responseLatency", "durationMs": millis(latency)},
                   {"name": "responseDuration", "durationMs": millis(rest)}])
        });
        let record = json!({"requestId": self.id, "status": status, "spans": answered.unwrap_or(json!([])),
                            "metrics": {"durationMs": millis(self.duration)}});
        (self.all || status != "success").then(|| event("platform.runtimeDone", &record))
    }

    /// END and REPORT; in JSON there is one line instead of them, and at the level of debugging another one before it.
    pub(super) fn end(&self) -> Vec<String> {
        let duration = millis(self.duration);
        // For a custom runtime, the start is billed, too.
        let billed = (self.duration + self.init.unwrap_or_default()).as_secs_f64() * 1000.0;
        let billed = billed.ceil();
        if self.json {
            let mut metrics = json!({"durationMs": duration, "billedDurationMs": billed, "memorySizeMB": self.memory, "maxMemoryUsedMB": self.used});
            if let Some(init) = self.init {
                metrics["initDurationMs"] = json!(millis(init));
            }
            let status = if self.status.is_empty() { "success" } else { self.status };
            let report = json!({"requestId": self.id, "metrics": metrics, "status": status});
            return self.runtime_done(status).into_iter().chain([event("platform.report", &report)]).collect();
        }
        let init = self.init.map(|init| format!("Init Duration: {:.2} ms\t", millis(init))).unwrap_or_default();
        let status = if self.status.is_empty() { String::new() } else { format!("Status: {}\t", self.status) };
        vec![
            format!("END RequestId: {}\n", self.id),
            format!(
                "REPORT RequestId: {}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t{init}{status}\n",
                self.id, self.memory, self.used
            ),
        ]
    }
}

/// A process's peak memory so far, in MB.
pub(super) fn memory_used(pid: Option<u32>) -> u64 {
    let status = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok()).unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    peak.unwrap_or_default().div_ceil(1024)
}
