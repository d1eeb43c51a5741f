//! How an instance handles one request, from its delivery to its report.

use std::process::ExitStatus;

use bytes::Bytes;
use serde_json::json;
use tokio::time::{Duration, Instant};

use super::answer::FailureReason;
use super::channel::OpenRequest;
use super::child::ending;
use super::instance::{Current, Instance};
use super::message::{AnswerEnd, BodyEnd, Delivery, RuntimeMessage};
use super::port_check::PORT_TAKEN;
use super::report::Status;
use super::request::{Outcome, PortChoice, QueuedRequest, Start};
use crate::clock;
use crate::random;
use crate::sync::lock;
use crate::wire::date;

/// An error in the platform's words.
pub(super) fn failure(kind: &str, request_id: &str, how: &str) -> Bytes {
    let message = format!("RequestId: {request_id} Error: {how}");
    serde_json::json!({"errorType": kind, "errorMessage": message}).to_string().into()
}

/// How many of its last lines are sent with a function's failure.
const LINES: usize = 20;

/// How long to wait for the end of a killed process.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

impl Instance {
    /// Gives the waiting process a request.
    pub(super) fn deliver(&mut self, queued: QueuedRequest) -> bool {
        let idle = Instant::now() + self.host.options.idle;
        if queued.reply.is_closed() {
            // The client has left while the process was starting.
            self.deadline = idle;
            if self.start.is_spare {
                self.host.fleet.end_spare(&self.spec.build);
            }
            drop(queued);
            return self.host.fleet.set_idle(&self.spec.build, self.id);
        }
        let QueuedRequest { request, arn, reply, finished, permit, .. } = queued;
        let seconds = self.spec.configuration.timeout;
        // A repeated start is part of the first invocation, and of its time.
        let used = if self.start.patient && !self.warm { self.started.elapsed() } else { Duration::ZERO };
        let left = Duration::from_secs(seconds.into()).saturating_sub(used);
        self.deadline = Instant::now() + left;
        let invocation_id = random::uuid();
        let deadline = clock::after(left);
        let invoke = json!({
            "eventType": "INVOKE", "deadlineMs": deadline, "requestId": request.id, "invokedFunctionArn": arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace},
        });
        let mut headers = vec![
            ("lambda-runtime-aws-request-id", request.id.clone()),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", arn.clone()),
            ("lambda-runtime-trace-id", request.trace),
            ("lambda-runtime-invocation-id", invocation_id.clone()),
        ];
        headers.extend(request.client_context.map(|context| ("lambda-runtime-client-context", context)));
        let (request_id, failure) = (request.id.clone(), FailureReason::default());
        *lock(&self.channel.open) =
            Some(OpenRequest { request_id, invocation_id, reply: Some(reply), failure, permit });
        self.current = Some(Current {
            id: request.id,
            arn,
            finished,
            since: Instant::now(),
            at: clock::now(),
            answering: None,
            answered: None,
            bytes: 0,
            failed: None,
            timed_out: false,
            cold: !std::mem::replace(&mut self.warm, true),
        });
        self.tail.clear();
        lock(&self.channel.extensions).invoke(&invoke);
        if let Some(waiting) = self.waiting.take() {
            // If the process is gone, its exit is handled next.
            let _ = waiting.send(Delivery { headers, event: request.event });
        }
        true
    }

    /// Handles a message of the processes; false if the instance is no longer wanted.
    pub(super) fn handle_message(&mut self, message: RuntimeMessage) -> bool {
        match message {
            RuntimeMessage::Next(waiting) => {
                self.waiting = Some(waiting);
                return self.process_ready();
            }
            RuntimeMessage::ExtensionWaits if self.waiting.is_some() => return self.process_ready(),
            RuntimeMessage::ExtensionWaits => {}
            RuntimeMessage::ExtensionFailed { name, kind, how } => self.extension_failed(&name, &kind, &how),
            RuntimeMessage::PortTaken(problem) => return self.answer_taken(&problem),
            RuntimeMessage::Answering { at } => {
                if let Some(current) = &mut self.current {
                    current.answering = Some(at);
                }
            }
            RuntimeMessage::Answered(end) => self.answered(end),
            RuntimeMessage::Stale { id } => {
                self.note(&format!("an answer to an earlier delivery of {id} was refused: 410"))
            }
            RuntimeMessage::ErrorInBody(text) => {
                self.note(&format!("the client got an error as text in the body: {text}"))
            }
            RuntimeMessage::TooLong(problem) => {
                self.log_line(&format!("[local cloud] {problem}"));
                self.note(&problem);
            }
            RuntimeMessage::Failed { text } => self.note(&format!("the function failed: {text}")),
            RuntimeMessage::InitFailed { payload } => self.init_failed(&payload),
        }
        true
    }

    /// The runtime, or an extension, has asked for the next event.
    fn process_ready(&mut self) -> bool {
        let complete = {
            let extensions = lock(&self.channel.extensions);
            if self.init.is_none() { extensions.all_started() } else { extensions.all_finished() }
        };
        // Others have not asked yet; or there was no request.
        if !complete || (self.init.is_some() && self.current.is_none()) {
            return true;
        }
        if self.init.is_none() {
            // Its first request is already in the inbox.
            self.init = Some(self.started.elapsed());
            self.report_init_end(Status::Success);
            if self.is_elsewhere() {
                self.host.fleet.note_movable(self.spec.key(), true);
            }
            return true;
        }
        let unanswered = |current: &&mut Current| current.answering.is_none() && current.answered.is_none();
        if let Some(current) = self.current.as_mut().filter(unanswered) {
            current.failed = Some("Runtime.Unknown".to_owned());
            self.note("it asked for the next request without answering the last");
            self.reply(Outcome::failed(
                "Runtime.Unknown",
                "the runtime asked for the next request without answering this one",
            ));
        }
        // Idle first, then the permit is given back: a request that gets the permit then finds this instance, and
        // starts no other.
        let wanted = self.host.fleet.set_idle(&self.spec.build, self.id);
        let failed = self.current.as_ref().and_then(|current| current.failed.clone());
        self.finish(failed.as_deref().map_or(Status::Success, Status::Error));
        self.deadline = Instant::now() + self.host.options.idle;
        wanted
    }

    fn answered(&mut self, answer: AnswerEnd) {
        let AnswerEnd { end, bytes, at } = answer;
        match &end {
            BodyEnd::Complete => {}
            BodyEnd::Unread => self.note("the client left before the end; the function continued"),
            BodyEnd::Cut => self.note("the answer was cut in mid-stream"),
            BodyEnd::Trailers { kind, body } => {
                self.note(&format!("the function failed in mid-stream: {kind} {body}"));
            }
        }
        if let Some(current) = &mut self.current {
            current.failed = match end {
                BodyEnd::Complete | BodyEnd::Unread => None,
                BodyEnd::Cut => Some("Runtime.TruncatedResponse".to_owned()),
                BodyEnd::Trailers { kind, .. } => Some(kind),
            };
            (current.answered, current.bytes) = (Some(at), bytes);
        }
    }

    fn init_failed(&mut self, payload: &Bytes) {
        self.note(&format!("the function failed to start: {}", String::from_utf8_lossy(payload)));
        let failure: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
        let kind = failure.as_ref().and_then(|failure| failure["errorType"].as_str()).unwrap_or("Runtime.Unknown");
        self.refuse_first(Status::Error(kind), |_| payload.clone());
    }

    /// An extension cannot continue, so the whole instance ends.
    fn extension_failed(&mut self, name: &str, kind: &str, how: &str) {
        if self.reason != "spindown" {
            return;
        }
        self.note(&format!("the extension `{name}` failed: {how}"));
        self.print();
        self.log_line(&format!("EXTENSION\tName: {name}\tState: Failed\tError Type: {kind}\n"));
        let how = format!("exit of the extension {name}: {how}");
        if self.init.is_none() {
            self.refuse_first(Status::Error(kind), |id| failure(kind, id, &how));
        } else if let Some(id) = self.current.as_ref().map(|current| current.id.clone()) {
            self.reply(Outcome::failed(kind, &format!("RequestId: {id} Error: {how}")));
            self.finish(Status::Error(kind));
        }
        self.reason = "failure";
        self.child.kill_group();
    }

    /// The process has ended, by itself or because it was killed.
    pub(super) async fn exited(&mut self, status: ExitStatus) {
        self.print();
        if self.reason == "spindown" {
            self.reason = "failure";
        }
        self.shut_down().await;
        // A connection of an extension would never end by itself.
        self.extensions.kill().await;
        self.end_remaining_processes().await;
        self.handle_remaining_messages().await;
        self.print_all();
        let timed_out = self.current.as_ref().is_some_and(|current| current.timed_out);
        let how = ending(status);
        if !timed_out {
            self.note(&how);
        }
        // None of its own processes is left, so what listens on its port now was probably in its way.
        let taken = if self.init.is_none() { self.channel.stranger().await } else { None };
        if let Some(problem) = taken {
            self.lost_port(&problem);
        } else if self.init.is_none() && self.may_need_asked_port() {
            self.host.fleet.note_movable(self.spec.key(), false);
            self.start_again(Start { port: PortChoice::Asked, ..self.start });
        } else if self.init.is_none() {
            match self.port_conflict() {
                Some(problem) => self.refuse_first(Status::Error(PORT_TAKEN), |id| failure(PORT_TAKEN, id, &problem)),
                None => {
                    self.refuse_first(Status::Error("Runtime.ExitError"), |id| failure("Runtime.ExitError", id, &how))
                }
            }
        }
        if let Some(id) = self.current.as_ref().map(|current| current.id.clone()) {
            let message = format!("RequestId: {id} Error: {how}");
            self.reply(Outcome::failed("Runtime.ExitError", &message));
            if timed_out {
                self.finish(Status::Timeout);
            } else {
                self.finish(Status::Error("Runtime.ExitError"));
                self.log_line(&format!("{message}\nRuntime.ExitError\n"));
            }
        }
    }

    /// Whether an app that ended at its start may do better at the port that it asks for. One that has started elsewhere
    /// before is wrong in another way, unless it says that its port is taken.
    fn may_need_asked_port(&self) -> bool {
        let is_movable = self.host.fleet.is_movable(&self.spec.key());
        self.is_elsewhere() && self.start.port != PortChoice::Asked && (!is_movable || self.says_that_a_port_is_taken())
    }

    /// Waits for what the process has sent before its end: it may not have been read yet, or be on its way to a slow
    /// client.
    async fn handle_remaining_messages(&mut self) {
        drop(self.gone.take());
        if tokio::time::timeout_at(self.deadline, &mut self.api).await.is_err() {
            self.api.abort();
            let _ = (&mut self.api).await;
        }
        while let Ok(message) = self.messages.try_recv() {
            self.handle_message(message);
        }
    }

    /// The deadline of the start or of a request has passed, or the instance was idle for too long: then it returns
    /// false.
    pub(super) async fn deadline_passed(&mut self) -> bool {
        self.deadline = Instant::now() + KILL_TIMEOUT;
        let seconds = f64::from(self.spec.configuration.timeout);
        if let Some(current) = &mut self.current {
            current.timed_out = true;
            let id = current.id.clone();
            let how = format!("Task timed out after {seconds:.2} seconds");
            let message = format!("RequestId: {id} Error: {how}");
            self.note(&message);
            self.print_all();
            self.log_line(&format!("{} {id} {how}\n\n", date::log(clock::now())));
            if let Some(open) = &*lock(&self.channel.open) {
                let _ = open.failure.set(failure("Sandbox.Timedout", &id, &how));
            }
            self.reply(Outcome::failed("Sandbox.Timedout", &message));
        } else if self.init.is_none() {
            match self.channel.stranger().await {
                Some(problem) => {
                    self.lost_port(&problem);
                }
                None => self.start_timed_out(),
            }
        } else {
            return false;
        }
        self.reason = "timeout";
        self.child.kill_group();
        self.shut_down().await;
        // This breaks the streams of clients that are being answered.
        self.api.abort();
        true
    }

    /// The process has not asked for a request in time: it is started again, as on AWS, or has failed.
    fn start_timed_out(&mut self) {
        let seconds = f64::from(self.spec.configuration.timeout);
        let limit = if self.start.patient { seconds } else { self.host.options.init_timeout.as_secs_f64() };
        self.note(&format!("it did not ask for a request within {limit} seconds of its start"));
        let missing = lock(&self.channel.extensions).missing();
        let waited = if missing.is_empty() {
            String::new()
        } else {
            format!(": it waited for its extensions: {}", missing.join(", "))
        };
        let how = format!("Init timed out after {limit:.2} seconds{waited}");
        self.note(&how);
        if let Some(problem) = self.taken_port().filter(|_| self.start.patient) {
            self.refuse_first(Status::Timeout, |id| failure(PORT_TAKEN, id, &format!("{problem}: {how}")));
        } else if self.start.patient {
            self.refuse_first(Status::Timeout, |id| failure("Sandbox.Timedout", id, &how));
        } else {
            // Not every app reads its port from a variable: the next start waits for the port of this one.
            self.host.fleet.note_movable(self.spec.key(), false);
            let port = if self.has_port() { PortChoice::Asked } else { PortChoice::Preferred };
            self.start_again(Start { patient: true, port, ..self.start });
        }
    }

    /// Asks for another start for the first request.
    pub(super) fn start_again(&mut self, start: Start) {
        let Ok(queued) = self.requests.try_recv() else { return };
        self.report_init_end(if start.patient { Status::Timeout } else { Status::Error("Runtime.Unknown") });
        let how = match (start.patient, start.port == PortChoice::Asked && self.is_elsewhere()) {
            (_, _) if start.port == PortChoice::Another => "on another port",
            (false, _) => "on the port that it asks for",
            (true, false) => "with the time limit of an invocation",
            (true, true) => "with the time limit of an invocation, on the port that it asks for",
        };
        self.log_line(&format!("[local cloud] it is started again, {how}"));
        self.note(&format!("it is started again, {how}"));
        let _ = queued.reply.send(Err(start));
    }

    /// Answers the waiting client, unless it already has an answer.
    pub(super) fn reply(&self, outcome: Outcome) {
        let client = lock(&self.channel.open).as_mut().and_then(|open| open.reply.take());
        let Some(client) = client else { return };
        let outcome = match outcome {
            Outcome::Error { payload, .. } => Outcome::Error { payload, last: self.last_lines() },
            answer => answer,
        };
        let _ = client.send(Ok(outcome));
    }

    /// The last lines that the function itself printed, as far as they are in the tail.
    pub(super) fn last_lines(&self) -> String {
        const PLATFORM: [&str; 6] = ["INIT_", "START ", "END ", "REPORT ", "EXTENSION\t", "{\"time\":"];
        let tail = String::from_utf8_lossy(&self.tail);
        let own = |line: &&str| !line.trim().is_empty() && !PLATFORM.iter().any(|word| line.starts_with(word));
        let mut lines: Vec<&str> = tail.lines().filter(own).collect();
        // Lambda Web Adapter repeats this line while it waits; one is enough.
        let waits = |line: &str| line.contains("app is not ready after");
        lines.dedup_by(|later, earlier| waits(later) && waits(earlier));
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Appends a line to `cloud.log`.
    pub(super) fn note(&self, line: &str) {
        self.host.note(&format!("{}: {line}", self.name));
    }
}
