//! What an instance does with one request, from its delivery to its report.

use std::process::ExitStatus;

use bytes::Bytes;
use serde_json::json;
use tokio::time::{Duration, Instant};

use super::instance::{Busy, Instance};
use super::report::{self, Report};
use super::spawn::{ending, kill_group};
use super::{Failure, Order, Outcome, Start};
use crate::cloud::lock;
use crate::runtime::{Delivery, Ending, Open, Word};
use crate::wire::date;

/// An error that the platform words, as AWS does.
fn failure(kind: &str, request_id: &str, how: &str) -> Bytes {
    let message = format!("RequestId: {request_id} Error: {how}");
    serde_json::json!({"errorType": kind, "errorMessage": message}).to_string().into()
}

/// So many of its own lines go with a function's failure.
const LINES: usize = 8;

/// How long a killed process has to be gone.
const GONE: Duration = Duration::from_secs(10);

impl Instance {
    /// Gives the waiting process a request.
    pub(super) fn deliver(&mut self, order: Order) -> bool {
        let idle = Instant::now() + self.cloud.options.idle;
        if order.reply.is_closed() {
            // The client left while the process was starting: nobody waits for this one.
            self.deadline = idle;
            drop(order);
            return self.cloud.fleet.rest(&self.blueprint.build, self.id);
        }
        let Order { request, arn, reply, finished, seat, .. } = order;
        let seconds = self.blueprint.configuration.timeout;
        // A second start is part of the first invocation, and of its time.
        let used = if self.start.patient && !self.warm { self.started.elapsed() } else { Duration::ZERO };
        let left = Duration::from_secs(seconds.into()).saturating_sub(used);
        self.deadline = Instant::now() + left;
        let invocation_id = uuid::Uuid::new_v4().to_string();
        let deadline = date::now() + crate::cloud::millis(left);
        let invoke = json!({
            "eventType": "INVOKE", "deadlineMs": deadline, "requestId": request.id, "invokedFunctionArn": arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace},
        });
        let mut headers = vec![
            ("lambda-runtime-aws-request-id", request.id.clone()),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", arn),
            ("lambda-runtime-trace-id", request.trace),
            ("lambda-runtime-invocation-id", invocation_id.clone()),
        ];
        headers.extend(request.client_context.map(|context| ("lambda-runtime-client-context", context)));
        let (request_id, failure) = (request.id.clone(), Failure::default());
        *lock(&self.desk.open) = Some(Open { request_id, invocation_id, reply: Some(reply), failure, seat });
        self.busy = Some(Busy {
            id: request.id,
            finished,
            since: Instant::now(),
            answering: false,
            answered: false,
            failed: false,
            timed_out: false,
            cold: !std::mem::replace(&mut self.warm, true),
        });
        self.tail.clear();
        if let Some(start) = self.report("").map(|report| report.start()) {
            self.log_line(&start);
        }
        lock(&self.desk.extensions).invoke(&invoke);
        if let Some(waiting) = self.waiting.take() {
            // A process that is gone will be seen to have exited.
            let _ = waiting.send(Delivery { headers, event: request.event });
        }
        true
    }

    /// Something the process said; false when the instance is no longer wanted.
    pub(super) fn heard(&mut self, word: Word) -> bool {
        match word {
            Word::Next(waiting) => {
                self.waiting = Some(waiting);
                return self.came_back();
            }
            Word::ExtensionWaits if self.waiting.is_some() => return self.came_back(),
            Word::ExtensionWaits => {}
            Word::ExtensionFailed { name, kind, how } => self.extension_failed(&name, &kind, &how),
            Word::Answering => {
                if let Some(busy) = &mut self.busy {
                    busy.answering = true;
                }
            }
            Word::Answered(ending) => self.answered(&ending),
            Word::Stale { id } => self.loud(&format!("an answer to an earlier delivery of {id} was refused: 410")),
            Word::Words(text) => self.loud(&format!("the client got an error as text in the body: {text}")),
            Word::TooLong(message) => {
                self.log_line(&format!("[local cloud] {message}"));
                self.loud(&message);
            }
            Word::Failed { text } => self.loud(&format!("the function failed: {text}")),
            Word::InitFailed { payload } => self.init_failed(&payload),
        }
        true
    }

    /// The process is ready for a request, its first or another.
    fn came_back(&mut self) -> bool {
        let complete = {
            let extensions = lock(&self.desk.extensions);
            if self.init.is_none() { extensions.started() } else { extensions.back() }
        };
        // Its extensions are not; or there is nothing to come back from.
        if !complete || (self.init.is_some() && self.busy.is_none()) {
            return true;
        }
        if self.init.is_none() {
            // Its first request is in the inbox already.
            self.init = Some(self.started.elapsed());
            return true;
        }
        if self.busy.as_ref().is_some_and(|busy| !busy.answering && !busy.answered) {
            self.loud("it asked for the next request without answering the last");
            self.reply(Outcome::failed(
                "Runtime.Unknown",
                "the runtime asked for the next request without answering this one",
            ));
        }
        // Idle first, then the seat: who finds a free seat finds this instance, too, and starts no other.
        let wanted = self.cloud.fleet.rest(&self.blueprint.build, self.id);
        self.finish(if self.busy.as_ref().is_some_and(|busy| busy.failed) { "error" } else { "" });
        self.deadline = Instant::now() + self.cloud.options.idle;
        wanted
    }

    fn answered(&mut self, ending: &Ending) {
        match ending {
            Ending::Whole => {}
            Ending::Unread => self.loud("the client went away before the end; the function has gone on"),
            Ending::Cut => self.loud("the answer was cut in mid-stream"),
            Ending::Trailers(error) => self.loud(&format!("the function failed in mid-stream: {error}")),
        }
        if let Some(busy) = &mut self.busy {
            busy.failed = matches!(ending, Ending::Trailers(_));
            busy.answered = true;
        }
    }

    fn init_failed(&mut self, payload: &Bytes) {
        self.loud(&format!("the function failed to start: {}", String::from_utf8_lossy(payload)));
        let failure: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
        let kind = failure.as_ref().and_then(|failure| failure["errorType"].as_str()).unwrap_or("Runtime.Unknown");
        self.refuse_first("error", kind, |_| payload.clone());
    }

    /// An extension cannot go on, and so nothing of the instance can.
    fn extension_failed(&mut self, name: &str, kind: &str, how: &str) {
        if self.reason != "spindown" {
            return;
        }
        self.loud(&format!("the extension `{name}` failed: {how}"));
        self.print();
        self.log_line(&format!("EXTENSION\tName: {name}\tState: Failed\tError Type: {kind}\n"));
        let how = format!("exit of the extension {name}: {how}");
        if self.init.is_none() {
            self.refuse_first("error", kind, |id| failure(kind, id, &how));
        } else if let Some(id) = self.busy.as_ref().map(|busy| busy.id.clone()) {
            self.reply(Outcome::failed(kind, &format!("RequestId: {id} Error: {how}")));
            self.finish("error");
        }
        self.reason = "failure";
        kill_group(&self.child);
    }

    /// The process has ended, by itself or by our hand.
    pub(super) async fn exited(&mut self, status: ExitStatus) {
        self.print();
        if self.reason == "spindown" {
            self.reason = "failure";
        }
        self.say_goodbye().await;
        // What an extension has open would never end by itself.
        self.companions.kill().await;
        self.end_the_rest().await;
        self.hear_out().await;
        self.print_all();
        let timed_out = self.busy.as_ref().is_some_and(|busy| busy.timed_out);
        let how = ending(status);
        if !timed_out {
            self.loud(&how);
        }
        if self.init.is_none() && self.is_elsewhere() && !self.start.on_its_port {
            self.start_again(Start { on_its_port: true, ..self.start });
        } else if self.init.is_none() {
            self.refuse_first("error", "Runtime.ExitError", |id| failure("Runtime.ExitError", id, &how));
        }
        if let Some(id) = self.busy.as_ref().map(|busy| busy.id.clone()) {
            let message = format!("RequestId: {id} Error: {how}");
            self.reply(Outcome::failed("Runtime.ExitError", &message));
            if timed_out {
                self.finish("timeout");
            } else {
                self.finish("error");
                self.log_line(&format!("{message}\nRuntime.ExitError\n"));
            }
        }
    }

    /// What the process sent before its end may not have been read yet, or be on its way to a slow client.
    async fn hear_out(&mut self) {
        drop(self.gone.take());
        if tokio::time::timeout_at(self.deadline, &mut self.api).await.is_err() {
            self.api.abort();
            let _ = (&mut self.api).await;
        }
        while let Ok(word) = self.words.try_recv() {
            self.heard(word);
        }
    }

    /// The deadline of what the process is doing has passed; false when it was only idle.
    pub(super) async fn late(&mut self) -> bool {
        self.deadline = Instant::now() + GONE;
        let seconds = f64::from(self.blueprint.configuration.timeout);
        if let Some(busy) = &mut self.busy {
            busy.timed_out = true;
            let id = busy.id.clone();
            let how = format!("Task timed out after {seconds:.2} seconds");
            let message = format!("RequestId: {id} Error: {how}");
            self.loud(&message);
            self.print_all();
            self.log_line(&format!("{} {id} {how}\n\n", date::log(date::now())));
            if let Some(open) = &*lock(&self.desk.open) {
                let _ = open.failure.set(failure("Sandbox.Timedout", &id, &how));
            }
            self.reply(Outcome::failed("Sandbox.Timedout", &message));
        } else if self.init.is_none() {
            self.start_was_late();
        } else {
            return false;
        }
        self.reason = "timeout";
        kill_group(&self.child);
        self.say_goodbye().await;
        // Clients that are being answered see their stream break.
        self.api.abort();
        true
    }

    /// The process has not asked for a request in time: it is started once more, as on AWS, or it has failed.
    fn start_was_late(&mut self) {
        let seconds = f64::from(self.blueprint.configuration.timeout);
        let limit = if self.start.patient { seconds } else { self.cloud.options.init_timeout.as_secs_f64() };
        self.loud(&format!("no request was asked for within {limit} seconds of the start"));
        let missing = lock(&self.desk.extensions).missing();
        let waited = if missing.is_empty() {
            String::new()
        } else {
            format!(": it waited for its extensions: {}", missing.join(", "))
        };
        let how = format!("Init timed out after {limit:.2} seconds{waited}");
        self.loud(&how);
        if self.start.patient {
            self.refuse_first("timeout", "Sandbox.Timedout", |id| failure("Sandbox.Timedout", id, &how));
        } else {
            self.start_again(Start { patient: true, on_its_port: self.start.on_its_port || self.is_elsewhere() });
        }
    }

    /// Asks for another start for the request that was to be the first.
    fn start_again(&mut self, start: Start) {
        let Ok(order) = self.orders.try_recv() else { return };
        let status = if start.patient { "timeout" } else { "error" };
        self.report_start(status, "Runtime.Unknown");
        let why =
            if start.on_its_port { "on the port that it asks for" } else { "with the time that an invocation has" };
        self.log_line(&format!("[local cloud] it is started once more, {why}"));
        self.loud(&format!("it is started once more, {why}"));
        let _ = order.reply.send(Err(start));
    }

    fn report_start(&mut self, status: &str, kind: &str) {
        self.print_all();
        let json = self.blueprint.configuration.logging.log_format == "JSON";
        let phase = if self.start.patient { "invoke" } else { "init" };
        self.log_line(&report::init_report(json, phase, self.started.elapsed(), status, kind));
    }

    /// Answers the client whose request was to be the first of a process that did not start.
    fn refuse_first(&mut self, status: &str, kind: &str, payload: impl FnOnce(&str) -> Bytes) {
        let Ok(order) = self.orders.try_recv() else { return };
        self.report_start(status, kind);
        let last = self.last_lines();
        let _ = order.reply.send(Ok(Outcome::Error { payload: payload(&order.request.id), last }));
        let _ = order.finished.send(std::mem::take(&mut self.tail));
    }

    /// Answers the waiting client if nothing has yet.
    fn reply(&self, outcome: Outcome) {
        let client = lock(&self.desk.open).as_mut().and_then(|open| open.reply.take());
        let Some(client) = client else { return };
        let outcome = match outcome {
            Outcome::Error { payload, .. } => Outcome::Error { payload, last: self.last_lines() },
            answer => answer,
        };
        let _ = client.send(Ok(outcome));
    }

    /// What the function itself printed last, of what is in the tail.
    fn last_lines(&self) -> String {
        const PLATFORM: [&str; 6] = ["INIT_", "START ", "END ", "REPORT ", "EXTENSION\t", "{\"time\":"];
        let tail = String::from_utf8_lossy(&self.tail);
        let own = |line: &&str| !line.trim().is_empty() && !PLATFORM.iter().any(|word| line.starts_with(word));
        let mut lines: Vec<&str> = tail.lines().filter(own).collect();
        // What Lambda Web Adapter says again and again while it waits is told once.
        let waits = |line: &str| line.contains("app is not ready after");
        lines.dedup_by(|later, earlier| waits(later) && waits(earlier));
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Writes the report and gives the seat back.
    fn finish(&mut self, status: &str) {
        self.print();
        let Some(lines) = self.report(status).map(|report| report.end()) else { return };
        for line in lines {
            self.log_line(&line);
        }
        *lock(&self.desk.open) = None;
        if let Some(busy) = self.busy.take() {
            let _ = busy.finished.send(std::mem::take(&mut self.tail));
        }
    }

    fn report<'a>(&'a self, status: &'a str) -> Option<Report<'a>> {
        let busy = self.busy.as_ref()?;
        Some(Report {
            json: self.blueprint.configuration.logging.log_format == "JSON",
            id: &busy.id,
            version: &self.blueprint.number,
            memory: self.blueprint.configuration.memory,
            used: report::memory_used(self.child.id()),
            duration: busy.since.elapsed(),
            init: self.init.filter(|_| busy.cold),
            status,
        })
    }

    /// A line in `cloud.log`.
    pub(super) fn loud(&self, line: &str) {
        self.cloud.note(&format!("{}: {line}", self.name));
    }
}
