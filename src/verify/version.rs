//! Runs a check on a version through Lambda's streaming invocation, before the version gets traffic.

use super::fault::Fault;
use super::judge::{deadline, enough, judge};
use super::last_words::last_words;
use super::observation::{Ending, Head, Observation, Seen};
use super::prelude::{Beginning, Lead, unfold};
use super::signs;
use crate::manifest::Check;
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

/// Runs the check until it passes or fails for good. `begin` sends the request, `buffered` says whether the version's
/// URL is buffered, and `timeout` is the longest that one response may take.
///
/// # Errors
/// Of the outer result: the call itself failed. Of the inner one: the fault of a version that answered.
pub async fn try_version<I: Invocation>(
    check: &Check,
    buffered: bool,
    timeout: Duration,
    begin: impl AsyncFn() -> Result<I, I::Error>,
) -> Result<Result<Seen, Fault>, I::Error> {
    let first = ask(check, buffered, timeout, &begin).await?;
    match first {
        // A new version's first request is nearly always a cold start.
        Err(fault) if fault.may_be_cold() => ask(check, buffered, timeout, &begin).await,
        other => Ok(other),
    }
}

async fn ask<I: Invocation>(
    check: &Check,
    buffered: bool,
    timeout: Duration,
    begin: &impl AsyncFn() -> Result<I, I::Error>,
) -> Result<Result<Seen, Fault>, I::Error> {
    let start = Instant::now();
    let mut invocation = match timeout_at(start + timeout, begin()).await {
        Err(_) => return Ok(Err(Fault::Timeout { after: start.elapsed(), seen: None })),
        Ok(begun) => begun?,
    };
    let mut reader = Reader::new(check, buffered);
    loop {
        let until = reader.seen.as_ref().map_or(timeout, |seen| deadline(check, seen, timeout).0);
        match timeout_at(start + until, invocation.next()).await {
            Ok(Ok(Frame::Chunk(bytes))) => reader.chunk(start.elapsed(), bytes),
            Ok(Ok(Frame::End { error, log })) => return Ok(reader.end(start.elapsed(), error, &log)),
            Ok(Err(error)) => return Err(error),
            Err(_) => {}
        }
        let now = start.elapsed();
        match &mut reader.seen {
            None if now >= timeout => return Ok(Err(Fault::Timeout { after: now, seen: None })),
            None => {}
            Some(seen) => {
                if let Some(ending) = enough(check, seen, now, timeout) {
                    seen.end(now, ending);
                    return Ok(judge(check, seen));
                }
            }
        }
    }
}

/// Turns the invocation's events into what a client of the URL would receive.
struct Reader<'a> {
    check: &'a Check,
    buffered: bool,
    beginning: Beginning,
    /// What arrived before it was clear whether a prelude starts the response, and when.
    waiting: Vec<(Duration, Vec<u8>)>,
    seen: Option<Observation>,
}

impl<'a> Reader<'a> {
    fn new(check: &'a Check, buffered: bool) -> Reader<'a> {
        Reader { check, buffered, beginning: Beginning::default(), waiting: Vec::new(), seen: None }
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

    fn end(mut self, at: Duration, error: Option<(String, String)>, log: &str) -> Result<Seen, Fault> {
        if self.seen.is_none() && error.is_none() && self.buffered {
            let whole: Vec<u8> = self.waiting.drain(..).flat_map(|(_, bytes)| bytes).collect();
            let (head, body) = unfold(&whole);
            self.begin(head, at).chunk(at, &body);
        } else if self.seen.is_none() && (error.is_none() || !self.waiting.is_empty()) {
            self.replay(at);
        }
        let check = self.check;
        let Some(mut seen) = self.seen else {
            let (code, details) = error.unwrap_or_else(|| (String::new(), "the answer is empty".to_owned()));
            return Err(crash(&code, &details, log));
        };
        seen.end(at, error.map_or(Ending::Complete, |(_, details)| Ending::Cut(words(&details))));
        judge(check, &seen).map_err(|fault| fault.with_log(last_words(&whole(log))))
    }
}

/// Why there was no response, according to Lambda and the function's last log lines.
fn crash(code: &str, details: &str, log: &str) -> Fault {
    let cause = signs::cause(&format!("{code} {details} {log}"));
    Fault::Crash { cause, words: words(details), log: last_words(&whole(log)) }
}

/// Marks a log whose beginning is missing.
fn whole(log: &str) -> String {
    if log.len() < TAIL { log.to_owned() } else { format!("…{}", log.trim_start_matches('\u{fffd}')) }
}

/// The message of an error's JSON, or the whole text if it is not JSON.
fn words(details: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(details).ok();
    let field = |name: &str| parsed.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match (field("errorType"), field("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (kind, message) => message.or(kind).unwrap_or_else(|| details.to_owned()),
    }
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
        let canned = RefCell::new(Some(Canned(frames.into())));
        let check = Check::default();
        let begin = async || canned.take().ok_or("asked twice");
        try_version(&check, buffered, Duration::from_secs(5), begin).await.unwrap()
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
}
