//! Runs a check on a version through Lambda's streaming invocation, before the version gets traffic.

use super::cause::Kind;
use super::fault::Fault;
use super::judge::{deadline, enough, judge};
use super::last_words::last_words;
use super::mcp::{Instance, Instances, Sender, Sent, Stop, converse};
use super::observation::{Ending, Head, Observation, Seen};
use super::prelude::{Beginning, Lead, unfold};
use super::quote::error as error_words;
use super::signs;
use crate::manifest::Check;
use std::marker::PhantomData;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How much of the log Lambda returns, in bytes. The beginning of a longer log is missing.
const TAIL: usize = 4096;

/// One event of a streaming invocation.
#[derive(Clone, Debug)]
pub enum Frame {
    Chunk(Vec<u8>),
    /// The last event: the error's code and details, if there was one, and the end of the function's log.
    End {
        error: Option<(String, String)>,
        log: String,
    },
}

/// A running invocation.
#[expect(async_fn_in_trait, reason = "it is only used within one task")]
pub trait Invocation {
    type Error;

    async fn next(&mut self) -> Result<Frame, Self::Error>;
}

/// Sends the request of a check to an instance of the version.
pub trait Begin<I: Invocation>: AsyncFn(&Check, Instance) -> Result<I, I::Error> {}

impl<I: Invocation, F: AsyncFn(&Check, Instance) -> Result<I, I::Error>> Begin<I> for F {}

/// How a version is asked.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// What the version is made of.
    pub kind: Kind,
    /// Whether the version's URL is buffered.
    pub buffered: bool,
    /// How a second instance of the version can be reached.
    pub instances: Instances,
    /// The longest that one response may take.
    pub timeout: Duration,
}

/// Runs the check until it passes or fails for good. `begin` sends a request.
///
/// # Errors
/// Of the outer result: the call itself failed. Of the inner one: the fault of a version that answered.
pub async fn try_version<I: Invocation>(
    check: &Check,
    trial: Trial,
    begin: impl Begin<I>,
) -> Result<Result<Seen, Fault>, I::Error> {
    let version = VersionSender { trial, begin: &begin, invocation: PhantomData };
    if check.is_mcp() {
        return match converse(check, trial.instances, &version).await {
            Ok(seen) => Ok(Ok(seen)),
            Err(Stop::Fault(fault)) => Ok(Err(*fault)),
            Err(Stop::Call(error)) => Err(error),
        };
    }
    match version.ask(check).await? {
        // A new version's first request is nearly always a cold start.
        Err(fault) if fault.may_be_cold() => version.ask(check).await,
        other => Ok(other),
    }
}

/// Sends requests to a version.
struct VersionSender<'a, I, B> {
    trial: Trial,
    begin: &'a B,
    invocation: PhantomData<I>,
}

impl<I: Invocation, B: Begin<I>> VersionSender<'_, I, B> {
    async fn ask(&self, check: &Check) -> Result<Result<Seen, Fault>, I::Error> {
        let answered = self.observe(check, Instance::Any).await?;
        Ok(answered.and_then(|answered| judge(check, &answered.seen).map_err(|fault| answered.with_log(fault))))
    }

    /// Sends one request, and reads until enough was observed.
    async fn observe(&self, check: &Check, to: Instance) -> Result<Result<Answered, Fault>, I::Error> {
        let Trial { kind, buffered, timeout, .. } = self.trial;
        let start = Instant::now();
        let mut invocation = match timeout_at(start + timeout, (self.begin)(check, to)).await {
            Err(_) => return Ok(Err(Fault::Timeout { after: start.elapsed(), seen: None })),
            Ok(begun) => begun?,
        };
        let mut reader = Reader::new(check, kind, buffered);
        loop {
            let until = reader.seen.as_ref().map_or(timeout, |seen| deadline(check, seen, timeout).0);
            match timeout_at(start + until, invocation.next()).await {
                Ok(Ok(Frame::Chunk(bytes))) => reader.chunk(start.elapsed(), bytes),
                Ok(Ok(Frame::End { error, log })) => return Ok(reader.end(start.elapsed(), error, log)),
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
            let now = start.elapsed();
            let ending = reader.seen.as_ref().and_then(|seen| enough(check, seen, now, timeout));
            match (reader.seen.take(), ending) {
                (Some(mut seen), Some(ending)) => {
                    seen.end(now, ending);
                    // The log says whether the instance is new, and why the stream failed.
                    let needs_log = to == Instance::New || seen.body().error_text.is_some();
                    let log = match needs_log {
                        true => last_log(invocation, check.ends_within.unwrap_or(timeout)).await,
                        false => None,
                    };
                    return Ok(Ok(Answered { seen, log }));
                }
                (None, _) if now >= timeout => return Ok(Err(Fault::Timeout { after: now, seen: None })),
                (seen, _) => reader.seen = seen,
            }
        }
    }
}

impl<I: Invocation, B: Begin<I>> Sender for VersionSender<'_, I, B> {
    type Error = I::Error;

    async fn send(&self, check: &Check, to: Instance) -> Result<Sent, Stop<I::Error>> {
        let answered = self.observe(check, to).await.map_err(Stop::Call)??;
        // What fails without the server's doing is judged here, where the log is known.
        if let Err(fault @ (Fault::ServerError { .. } | Fault::Cut { .. })) = judge(check, &answered.seen) {
            return Err(answered.with_log(fault).into());
        }
        let by_new_instance = answered.log.as_deref().is_some_and(signs::is_first_report);
        Ok(Sent { observation: answered.seen, by_new_instance })
    }
}

/// The end of the log, which arrives when the invocation ends, if it ends in this time.
async fn last_log(mut invocation: impl Invocation, within: Duration) -> Option<String> {
    let until = Instant::now() + within;
    loop {
        match timeout_at(until, invocation.next()).await.ok()?.ok()? {
            Frame::Chunk(_) => {}
            Frame::End { log, .. } => return Some(log),
        }
    }
}

/// A response, and the end of the log if the invocation has ended.
struct Answered {
    seen: Observation,
    log: Option<String>,
}

impl Answered {
    fn with_log(&self, fault: Fault) -> Fault {
        fault.with_log(self.log.as_deref().map(|log| last_words(&whole(log))).unwrap_or_default())
    }
}

/// Turns the invocation's events into what a client of the URL would receive.
struct Reader<'a> {
    check: &'a Check,
    kind: Kind,
    buffered: bool,
    beginning: Beginning,
    /// What arrived before it was clear whether a prelude starts the response, and when.
    waiting: Vec<(Duration, Vec<u8>)>,
    seen: Option<Observation>,
}

impl<'a> Reader<'a> {
    fn new(check: &'a Check, kind: Kind, buffered: bool) -> Reader<'a> {
        Reader { check, kind, buffered, beginning: Beginning::default(), waiting: Vec::new(), seen: None }
    }

    fn chunk(&mut self, at: Duration, bytes: Vec<u8>) {
        if let Some(seen) = &mut self.seen {
            return seen.chunk(at, &bytes);
        }
        let lead = self.beginning.feed(&bytes);
        self.waiting.push((at, bytes));
        match lead {
            Lead::Prelude(head, first) => self.begin(head, at).chunk(at, &first),
            Lead::Body if !self.buffered => self.replay(at),
            Lead::Body | Lead::Unclear => {}
        }
    }

    /// These bytes are already the body.
    fn replay(&mut self, now: Duration) {
        let begun = self.waiting.first().map_or(now, |(at, _)| *at);
        let waiting = std::mem::take(&mut self.waiting);
        let headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
        let seen = self.begin(Head { status: 200, headers }, begun);
        waiting.into_iter().for_each(|(at, bytes)| seen.chunk(at, &bytes));
    }

    fn begin(&mut self, head: Head, at: Duration) -> &mut Observation {
        self.seen.insert(Observation::begin(self.check, head, at).of_version())
    }

    fn end(mut self, at: Duration, error: Option<(String, String)>, log: String) -> Result<Answered, Fault> {
        if self.seen.is_none() && error.is_none() && self.buffered {
            let whole: Vec<u8> = self.waiting.drain(..).flat_map(|(_, bytes)| bytes).collect();
            let (head, body) = unfold(&whole);
            self.begin(head, at).chunk(at, &body);
        } else if self.seen.is_none() && (error.is_none() || !self.waiting.is_empty()) {
            self.replay(at);
        }
        let Some(mut seen) = self.seen else {
            let (code, details) = error.unwrap_or_else(|| (String::new(), "the answer is empty".to_owned()));
            return Err(crash(self.kind, &code, &details, &log));
        };
        seen.end(at, error.map_or(Ending::Complete, |(_, details)| Ending::Cut(error_words(&details))));
        Ok(Answered { seen, log: Some(log) })
    }
}

/// Why there was no response, according to Lambda and the function's last log lines.
fn crash(kind: Kind, code: &str, details: &str, log: &str) -> Fault {
    let cause = signs::cause(&format!("{code} {details} {log}")).of(kind);
    Fault::Crash { cause, words: error_words(details), log: last_words(&whole(log)) }
}

/// Marks a log whose beginning is missing.
fn whole(log: &str) -> String {
    if log.len() < TAIL { log.to_owned() } else { format!("…{}", log.trim_start_matches('\u{fffd}')) }
}

#[cfg(test)]
mod tests {
    use super::super::cause::Cause;
    use super::*;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    struct Canned(VecDeque<Frame>);

    impl Invocation for Canned {
        type Error = &'static str;

        async fn next(&mut self) -> Result<Frame, &'static str> {
            self.0.pop_front().ok_or("read on after the end")
        }
    }

    fn chunk(text: &str) -> Frame {
        Frame::Chunk(text.as_bytes().to_vec())
    }

    fn end(error: Option<(&str, &str)>, log: &str) -> Frame {
        let error = error.map(|(code, details)| (code.to_owned(), details.to_owned()));
        Frame::End { error, log: log.to_owned() }
    }

    async fn verdict(buffered: bool, frames: Vec<Frame>) -> Result<Seen, Fault> {
        verdict_of(Kind::Package, buffered, frames).await
    }

    async fn verdict_of(kind: Kind, buffered: bool, frames: Vec<Frame>) -> Result<Seen, Fault> {
        let canned = RefCell::new(Some(Canned(frames.into())));
        let check = Check::default();
        let begin = async |_: &Check, _| canned.take().ok_or("asked twice");
        let trial = Trial { kind, buffered, instances: Instances::OnRequest, timeout: Duration::from_secs(5) };
        try_version(&check, trial, begin).await.unwrap()
    }

    #[tokio::test]
    async fn a_stream_is_judged_as_its_url_would_be() {
        let head = "{\"statusCode\":201}\0\0\0\0";
        let seen = verdict(false, vec![chunk(head), chunk("\0\0\0\0a"), chunk("b"), end(None, "")]).await;
        assert_eq!(seen.map(|seen| (seen.status, seen.chunks, seen.bytes)), Ok((201, 2, 2)));
        let raw = verdict(false, vec![chunk("{\"statusCode\":200,\"body\":\"\"}"), end(None, "")]).await;
        assert!(matches!(raw, Err(Fault::RawJson { .. })), "{raw:?}");
        let buffered = vec![chunk("{\"statusCode\":200,"), chunk("\"body\":\"hi\"}"), end(None, "")];
        let seen = verdict(true, buffered).await;
        assert_eq!(seen.map(|seen| (seen.status, seen.bytes)), Ok((200, 2)));
        let cut = vec![chunk("half"), end(Some(("Unhandled", "cut")), "")];
        assert!(matches!(verdict(false, cut).await, Err(Fault::Cut { .. })));
    }

    #[tokio::test]
    async fn a_stream_that_fails_has_the_functions_last_words() {
        let report = "Lambda-Runtime-Function-Error-Type: X\r\nLambda-Runtime-Function-Error-Body: eA==\r\n";
        let fault = verdict(false, vec![chunk("half"), chunk(report), end(None, "NameError: wrod\n")]).await;
        let expected = ("X: x", ["NameError: wrod".to_owned()]);
        assert!(
            matches!(&fault, Err(Fault::RuntimeErrorText { words, log, .. }) if (&**words, &**log) == (expected.0, &expected.1)),
            "{fault:?}"
        );
    }

    #[tokio::test]
    async fn a_crash_is_reported_by_its_cause_with_the_last_lines() {
        let glibc = "/var/task/bootstrap: /lib64/libc.so.6: version `GLIBC_2.38' not found\n";
        let report = "INIT_REPORT Init Duration: 3.2 ms\tPhase: init\tStatus: error\n";
        let late = "INIT_REPORT Init Duration: 60000.00 ms\tPhase: invoke\tStatus: timeout\n";
        let rust = "failed to deserialize the incoming data into the function's payload type: missing field `Records`";
        let entrypoint = r#"{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"none"}"#;
        for (details, log, cause) in [
            ("fork/exec /var/task/bootstrap: exec format error", "", Cause::Architecture),
            ("Runtime exited", glibc, Cause::Glibc),
            (entrypoint, "", Cause::Entrypoint),
            ("Runtime exited", report, Cause::Start),
            ("Runtime exited without providing a reason", report, Cause::Ended),
            ("Task timed out after 60.00 seconds", late, Cause::NeverAsked),
            ("Init timed out after 60.00 seconds", "", Cause::NeverAsked),
            ("Task timed out", &format!("app is not ready after 2000ms\n{late}"), Cause::NotReady),
            // Its start took long, and then it was asked.
            ("Task timed out after 60.00 seconds", &late.replace("Phase: invoke", "Phase: init"), Cause::Start),
            (rust, "", Cause::Event),
            (r#"{"errorType":"KeyError","errorMessage":"'Records'"}"#, "", Cause::Event),
            ("TypeError", "at file:///var/task/index.mjs: for (const record of event.Records)", Cause::Event),
            ("Runtime exited", "", Cause::Request),
        ] {
            let fault = verdict(false, vec![end(Some(("Unhandled", details)), log)]).await.unwrap_err();
            assert!(matches!(&fault, Fault::Crash { cause: found, .. } if *found == cause), "{fault:?}");
        }
        let lines: String = (0..20).map(|line| format!("line {line}\n")).collect();
        let fault = verdict(false, vec![end(Some(("Unhandled", "x")), &lines)]).await.unwrap_err();
        assert!(matches!(&fault, Fault::Crash { log, .. } if log.len() == 10 && log[9] == "line 19"));
        let again = "no database\napp is not ready after 2000ms\napp is not ready after 4000ms\n";
        let fault = verdict(false, vec![end(Some(("Unhandled", "x")), again)]).await.unwrap_err();
        assert!(matches!(&fault, Fault::Crash { log, .. } if log == &["no database", "app is not ready after 2000ms"]));
        let cut = format!("{}\nlast", "x".repeat(TAIL));
        let fault = verdict(false, vec![end(Some(("Unhandled", "x")), &cut)]).await.unwrap_err();
        assert!(matches!(&fault, Fault::Crash { log, .. } if log[0].starts_with("…x") && log[1] == "last"));
        let late =
            vec![end(Some(("Sandbox.Timedout", "Task timed out after 3.00 seconds")), "waiting for the database")];
        let fault = verdict(false, late).await.unwrap_err();
        assert!(matches!(&fault, Fault::Crash { cause: Cause::Time, log, .. } if log == &["waiting for the database"]));
    }
    #[tokio::test]
    async fn a_web_app_does_not_ask_lambda_itself() {
        let report = "bye\nINIT_REPORT Init Duration: 3.2 ms\tPhase: init\tStatus: error\n";
        for (details, log, cause) in [
            ("Runtime exited without providing a reason", report, Cause::ServerEnded),
            ("Init timed out after 60.00 seconds", "", Cause::NotReady),
            ("Runtime exited", report, Cause::Start),
        ] {
            let frames = vec![end(Some(("Unhandled", details)), log)];
            let fault = verdict_of(Kind::Web, false, frames).await.unwrap_err();
            assert!(matches!(&fault, Fault::Crash { cause: found, .. } if *found == cause), "{fault:?}");
        }
    }
}
