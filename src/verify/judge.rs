//! Decides whether a response passes its check, and when enough of it was read to decide.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fault::{Fault, Refusal};
use super::mcp::Messages;
use super::observation::{APART, Ending, Observation, Seen};
use super::quote::{error, report, words};
use super::requirements;
use super::shortcoming::Shortcoming;
use super::signs;
use crate::manifest::{Check, Expect};

/// How long to keep reading after the headers if the response cannot pass, or if the manifest has no check and the
/// response streams, so that an endless stream does not hold up a deploy.
const GRACE: Duration = Duration::from_secs(1);

/// How long an MCP server may keep a response open after its answer. Until it ends, its instance is busy, and the next
/// request would reach another one.
const AFTER_THE_ANSWER: Duration = Duration::from_millis(250);

/// The verdict on a response, as far as it was read.
pub fn judge(check: &Check, observation: &Observation) -> Result<Seen, Fault> {
    let seen = observation.seen();
    let words = words(&observation.body().beginning);
    if is_awss_own_403(observation) {
        return Err(Fault::Forbidden {
            words,
            signed: false,
            tried_for: Duration::ZERO,
            refusal: Refusal::Unknown,
            seen,
        });
    }
    if let Some(words) = runtime_error(observation) {
        return Err(Fault::RuntimeErrorText { words, seen, log: Vec::new() });
    }
    if is_raw_json(observation) {
        return Err(Fault::RawJson { seen });
    }
    if !is_accepted(check.expect, seen.status) {
        return Err(match seen.status {
            500.. => Fault::ServerError { words, seen, log: Vec::new() },
            _ => Fault::Status { expected: check.expect, words, seen },
        });
    }
    match &observation.ending {
        Ending::Cut(reason) => return Err(Fault::Cut { reason: reason.clone(), seen, log: Vec::new() }),
        Ending::TimedOut => return Err(Fault::Timeout { after: observation.ended_at, seen: Some(seen) }),
        _ => {}
    }
    let short = |shortcoming| Fault::Short { shortcoming, seen: seen.clone() };
    requirements::of_head(check, observation).map_err(short)?;
    let is_open = matches!(observation.ending, Ending::Silent | Ending::Endless);
    if check.streams && !is_proven(observation) && !is_open {
        return Err(match observation.head.encoding() {
            Some(encoding) if observation.is_held_back_by_encoding() => {
                short(Shortcoming::Compressed { encoding: encoding.to_owned() })
            }
            _ => Fault::Buffered { on_the_way: false, seen },
        });
    }
    requirements::of_body(check, observation).map_err(short)?;
    match check.first_byte_within.filter(|within| seen.first_byte > *within) {
        Some(within) => Err(Fault::Late { within, seen }),
        None => Ok(seen),
    }
}

/// When to stop reading unless the response ends before, and how it then counts as ended. `timeout` is the limit of
/// every request. Times are measured from sending the request.
pub(super) fn deadline(check: &Check, observation: &Observation, timeout: Duration) -> (Duration, Ending) {
    let mut soonest = (timeout, Ending::TimedOut);
    let mut add = |at: Duration, ending: Ending| {
        if at < soonest.0 {
            soonest = (at, ending);
        }
    };
    let head = observation.headers_at;
    if !is_accepted(check.expect, observation.head.status) {
        add(head + GRACE, Ending::Stopped);
        return soonest;
    }
    if check.is_default() && is_proven(observation) {
        add(head + GRACE, Ending::Stopped);
    }
    if let Some(within) = check.ends_within {
        add(head + within, Ending::Endless);
    }
    if observation.body().messages.as_ref().is_some_and(Messages::is_settled) {
        add(observation.last_at.unwrap_or_default() + AFTER_THE_ANSWER, Ending::Complete);
    }
    if let Some(gap) = check.max_gap {
        add(observation.last_at.unwrap_or_default() + gap, Ending::Silent);
        if let Some(first) = observation.first_at.filter(|_| is_shown(check, observation)) {
            // After this time it is known that one silence was not too long.
            add(first + gap, Ending::Stopped);
        }
    }
    soonest
}

/// How the response counts as ended if reading on cannot change the verdict, or is not worth the wait at this time.
pub(super) fn enough(check: &Check, observation: &Observation, now: Duration, timeout: Duration) -> Option<Ending> {
    let accepted = is_accepted(check.expect, observation.head.status);
    let body = observation.body();
    if accepted && body.events.as_ref().is_some_and(|events| events.is_done) {
        return Some(Ending::Complete);
    }
    if check.max_gap.is_none() && is_shown(check, observation) {
        return Some(Ending::Stopped);
    }
    let (at, ending) = deadline(check, observation, timeout);
    (now >= at).then_some(ending)
}

/// Whether a stream that need not end has shown all that is required of it.
fn is_shown(check: &Check, observation: &Observation) -> bool {
    let body = observation.body();
    check.streams
        && !check.reads_to_end()
        && is_accepted(check.expect, observation.head.status)
        && is_proven(observation)
        && body.contains_wanted()
        && body.events.as_ref().is_none_or(|events| events.count > 0)
}

fn is_proven(observation: &Observation) -> bool {
    observation.chunks >= 2 && observation.spread() >= APART
}

fn is_accepted(expect: Expect, status: u16) -> bool {
    match expect {
        Expect::Status(exactly) => status == exactly,
        Expect::Success => (200..400).contains(&status),
        Expect::Answer | Expect::Mcp => status < 500,
    }
}

fn is_awss_own_403(observation: &Observation) -> bool {
    if observation.head.status != 403 {
        return false;
    }
    let message = |body: Map<String, Value>| {
        let text = body.get("Message").or_else(|| body.get("message"))?.as_str()?.to_string();
        Some(text)
    };
    let message = object(&observation.body().beginning).and_then(message);
    let body = String::from_utf8_lossy(&observation.body().beginning);
    signs::is_refused_by_aws(observation.head.values("x-amzn-errortype").next(), &body, message.as_deref())
}

/// Detects a buffered handler behind a streaming URL: AWS passes the JSON of its response to the client as the body.
fn is_raw_json(observation: &Observation) -> bool {
    if observation.head.status != 200 {
        return false;
    }
    // The handler chooses the order of the keys. If the object is complete, any of the other keys is proof enough.
    let companions = ["headers", "body", "isBase64Encoded", "multiValueHeaders", "cookies"];
    match object(&observation.body().beginning) {
        Some(object) => object.contains_key("statusCode") && companions.iter().any(|key| object.contains_key(*key)),
        None => begins(&observation.body().beginning, "\"statusCode\""),
    }
}

fn runtime_error(observation: &Observation) -> Option<String> {
    if let Some(text) = &observation.body().error_text {
        return Some(report(text));
    }
    let beginning = &observation.body().beginning;
    begins(beginning, "\"errorType\"").then(|| error(&words(beginning)))
}

/// Whether a JSON object starts with this key. The object may be cut off.
fn begins(body: &[u8], key: &str) -> bool {
    let text = String::from_utf8_lossy(body);
    text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(key))
}

fn object(body: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(body).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::observation::Head;
    use super::*;

    pub(in crate::verify) fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A response with these chunks at these times (in milliseconds), complete after the last one.
    pub(in crate::verify) fn answer(status: u16, chunks: &[(u64, &str)]) -> Observation {
        answer_to(&Check::default(), status, &[], chunks)
    }

    /// The same with these headers, read for this check.
    pub(in crate::verify) fn answer_to(
        check: &Check,
        status: u16,
        headers: &[(&str, &str)],
        chunks: &[(u64, &str)],
    ) -> Observation {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut observation = Observation::begin(check, Head { status, headers }, ms(5));
        chunks.iter().for_each(|(at, text)| observation.chunk(ms(*at), text.as_bytes()));
        observation.end(ms(chunks.last().map_or(5, |(at, _)| *at)), Ending::Complete);
        observation
    }

    fn check(expect: Expect) -> Check {
        Check { expect, ..Check::default() }
    }

    fn streaming() -> Check {
        Check { expect: Expect::Success, streams: true, ends_within: None, ..Check::default() }
    }

    /// The shortcoming that a complete answer with this body and these headers has for a check.
    pub(in crate::verify) fn shortcoming(
        check: &Check,
        headers: &[(&str, &str)],
        chunks: &[(u64, &str)],
    ) -> Option<Shortcoming> {
        match judge(check, &answer_to(check, 200, headers, chunks)) {
            Ok(_) => None,
            Err(Fault::Short { shortcoming, .. }) => Some(shortcoming),
            Err(fault) => panic!("{fault:?}"),
        }
    }

    fn fault(check: &Check, observation: &Observation) -> Fault {
        judge(check, observation).unwrap_err()
    }

    #[test]
    fn each_expectation_has_its_statuses() {
        let table = [
            (
                Expect::Answer,
                vec![(200, true), (204, true), (302, true), (403, true), (404, true), (499, true), (500, false)],
            ),
            (Expect::Success, vec![(200, true), (399, true), (400, false), (403, false), (502, false)]),
            (Expect::Status(404), vec![(404, true), (200, false)]),
            (Expect::Status(503), vec![(503, true), (502, false)]),
        ];
        for (expect, statuses) in table {
            for (status, passes) in statuses {
                let verdict = judge(&check(expect), &answer(status, &[(9, "hello")]));
                assert_eq!(verdict.is_ok(), passes, "{expect:?} {status}: {verdict:?}");
            }
        }
    }

    #[test]
    fn awss_own_403_never_passes_and_a_functions_may() {
        let own = [
            "{\"Message\":\"Forbidden. For troubleshooting Function URL authorization issues, see: https://…\"}",
            "{\"Message\":\"Forbidden\"}",
            "{\"message\":\"AccessDeniedException\"}",
            "<AccessDeniedException/>",
        ];
        for body in own {
            let fault = fault(&check(Expect::Answer), &answer(403, &[(9, body)]));
            assert!(matches!(fault, Fault::Forbidden { .. }), "{body}: {fault:?}");
        }
        let header = [("x-amzn-errortype", "AccessDeniedException")];
        let named = answer_to(&Check::default(), 403, &header, &[(9, "{}")]);
        assert!(matches!(fault(&check(Expect::Status(403)), &named), Fault::Forbidden { .. }));
        assert!(judge(&check(Expect::Answer), &answer(403, &[(9, "{\"detail\":\"no\"}")])).is_ok());
    }

    #[test]
    fn raw_json_of_a_buffered_handler_is_recognised_whole_or_cut_off() {
        let long = format!("{{\"statusCode\":200,\"body\":\"{}\"}}", "x".repeat(5000));
        for body in ["{\"statusCode\":200,\"body\":\"hi\"}", " { \"headers\":{}, \"statusCode\": 200 }", &long] {
            let fault = fault(&streaming(), &answer(200, &[(9, body)]));
            assert!(matches!(fault, Fault::RawJson { .. }), "{body}: {fault:?}");
        }
        // An app may legitimately answer like this.
        assert!(judge(&check(Expect::Answer), &answer(404, &[(9, "{\"statusCode\":404,\"body\":\"\"}")])).is_ok());
        assert!(judge(&check(Expect::Answer), &answer(200, &[(9, "{\"statusCode\":7}")])).is_ok());
    }

    #[test]
    fn the_runtimes_error_text_is_recognised_at_the_start_and_in_the_middle() {
        let start =
            fault(&check(Expect::Answer), &answer(200, &[(9, "{\"errorType\":\"Unhandled\",\"errorMessage\":\"x\"}")]));
        assert!(matches!(&start, Fault::RuntimeErrorText { words, .. } if words.contains("Unhandled")), "{start:?}");
        let text =
            "Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\nLambda-Runtime-Function-Error-Body: eA==\r\n";
        let middle = fault(&streaming(), &answer(200, &[(9, "hello "), (90, text), (200, "more")]));
        assert!(
            matches!(&middle, Fault::RuntimeErrorText { words, .. } if words.contains("StreamError")),
            "{middle:?}"
        );
    }

    #[test]
    fn a_stream_is_two_chunks_at_least_50_ms_apart() {
        let table = [
            (vec![], false),
            (vec![(10, "all")], false),
            (vec![(10, "a"), (59, "b")], false),
            (vec![(10, "a"), (60, "b")], true),
            (vec![(10, "a"), (11, "b"), (12, "c"), (60, "d")], true),
        ];
        for (chunks, passes) in table {
            let verdict = judge(&streaming(), &answer(200, &chunks));
            assert_eq!(verdict.is_ok(), passes, "{chunks:?}: {verdict:?}");
            assert!(passes || matches!(verdict, Err(Fault::Buffered { .. })));
        }
    }

    #[test]
    fn the_ending_counts_after_the_contents() {
        let mut cut = answer(200, &[(10, "a"), (100, "b")]);
        cut.end(ms(110), Ending::Cut("connection reset".into()));
        assert!(matches!(fault(&streaming(), &cut), Fault::Cut { .. }));
        let mut late = answer(200, &[(10, "a")]);
        late.end(ms(3000), Ending::TimedOut);
        assert!(matches!(fault(&streaming(), &late), Fault::Timeout { after, seen: Some(_) } if after == ms(3000)));
        let mut failed = answer(502, &[(10, "Internal Server Error")]);
        failed.end(ms(11), Ending::Cut("connection reset".into()));
        let fault = fault(&streaming(), &failed);
        assert!(matches!(&fault, Fault::ServerError { words, .. } if words == "Internal Server Error"), "{fault:?}");
    }

    #[test]
    fn reading_stops_once_the_stream_is_proven_unless_all_of_it_is_wanted() {
        let (early, proven) = (answer(200, &[(10, "a"), (50, "b")]), answer(200, &[(10, "a"), (60, "b")]));
        let minute = ms(60_000);
        assert_eq!(enough(&streaming(), &early, ms(5000), minute), None);
        assert_eq!(enough(&streaming(), &proven, ms(60), minute), Some(Ending::Stopped));
        for check in [
            Check { whole: true, ..streaming() },
            Check { ends_within: Some(minute), ..streaming() },
            // Both have yet to be seen.
            Check { max_gap: Some(minute), ..streaming() },
        ] {
            assert_eq!(enough(&check, &proven, ms(59_999), minute), None, "{check:?}");
        }
        let wanted = Check { contains: Some("c".into()), ..streaming() };
        let mut observation = answer_to(&wanted, 200, &[], &[(10, "a"), (60, "b")]);
        assert_eq!(enough(&wanted, &observation, ms(60), minute), None);
        observation.chunk(ms(70), b"c");
        assert_eq!(enough(&wanted, &observation, ms(70), minute), Some(Ending::Stopped));
    }

    #[test]
    fn a_response_that_is_not_said_to_stream_must_end() {
        let check = check(Expect::Success);
        for chunks in [&[][..], &[(10, "a")], &[(10, "a"), (900, "b"), (9000, "c")]] {
            let mut open = answer(302, chunks);
            assert_eq!(deadline(&check, &open, ms(60_000)), (ms(10_005), Ending::Endless));
            assert_eq!(enough(&check, &open, ms(10_004), ms(60_000)), None);
            let ending = enough(&check, &open, ms(10_005), ms(60_000)).unwrap();
            open.end(ms(10_005), ending);
            let within = ms(10_000);
            let fault = fault(&check, &open);
            assert!(
                matches!(&fault, Fault::Short { shortcoming: Shortcoming::Endless { within: found }, .. } if *found == within),
                "{fault:?}"
            );
            assert!(fault.calls_for_moving_back() && !fault.may_be_cold());
        }
        // Without a check it is not known whether it should stream; if it does, it answers.
        let proven = answer(200, &[(10, "a"), (70, "b")]);
        assert_eq!(deadline(&Check::default(), &proven, ms(60_000)), (ms(1005), Ending::Stopped));
        // A wrong status fails at once, whether it ends or not.
        for check in [&check, &streaming()] {
            assert_eq!(deadline(check, &answer(404, &[(10, "a")]), ms(60_000)), (ms(1005), Ending::Stopped));
        }
        // A late end may be due to a cold start, and then to nothing else.
        let quick = Check { ends_within: Some(ms(100)), ..check };
        let late = fault(&quick, &answer(200, &[(90, "a"), (104, "b")]));
        assert!(
            matches!(&late, Fault::Short { shortcoming: Shortcoming::Overdue { .. }, .. }) && late.may_be_cold(),
            "{late:?}"
        );
    }

    #[test]
    fn silence_is_judged_as_soon_as_it_is_too_long() {
        let check = Check { max_gap: Some(ms(100)), ..streaming() };
        let minute = ms(60_000);
        let ends = |chunks: &[(u64, &str)]| deadline(&check, &answer(200, chunks), minute);
        assert_eq!(ends(&[]), (ms(100), Ending::Silent));
        assert_eq!(ends(&[(10, "a")]), (ms(110), Ending::Silent));
        // Enough was seen of a stream that need not end.
        assert_eq!(ends(&[(10, "a"), (90, "b")]), (ms(110), Ending::Stopped));
        let silent = |silence, is_first| Some(Shortcoming::Silent { allowed: ms(100), silence: ms(silence), is_first });
        assert_eq!(shortcoming(&check, &[], &[(10, "a"), (60, "b"), (161, "c")]), silent(101, false));
        assert_eq!(shortcoming(&check, &[], &[(101, "a"), (200, "b")]), silent(101, true));
        assert_eq!(shortcoming(&check, &[], &[(100, "a"), (200, "b")]), None);
    }
}
