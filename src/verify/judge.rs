//! Decides whether a response passes its check, and when enough of it was read to decide.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fault::{Fault, Refusal};
use super::observation::{APART, Ending, Observation, Seen};
use super::signs;
use crate::manifest::{Check, Expect};

/// How long to keep reading after the headers if the check requires neither streaming nor a complete response, so that
/// an endless stream does not hold up a deploy.
const GRACE: Duration = Duration::from_secs(1);

/// The verdict on a response, as far as it was read.
pub fn judge(check: &Check, observation: &Observation) -> Result<Seen, Fault> {
    let seen = observation.seen();
    let words = words(&observation.beginning);
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
        return Err(Fault::RuntimeErrorText { words, seen });
    }
    if is_raw_json(observation) {
        return Err(Fault::RawJson { seen });
    }
    if !is_accepted(check.expect, observation.status) {
        return Err(match observation.status {
            500.. => Fault::ServerError { words, seen, log: Vec::new() },
            _ => Fault::Status { expected: check.expect, words, seen },
        });
    }
    match &observation.ending {
        Ending::Cut(reason) => Err(Fault::Cut { reason: reason.clone(), seen, log: Vec::new() }),
        Ending::TimedOut => Err(Fault::Timeout { after: observation.ended_at, seen: Some(seen) }),
        _ if check.streams && !is_proven(observation) => Err(Fault::Buffered { on_the_way: false, seen }),
        _ if check.first_byte_within.is_some_and(|within| seen.first_byte > within) => {
            Err(Fault::Late { within: check.first_byte_within.unwrap_or_default(), seen })
        }
        _ => Ok(seen),
    }
}

/// Whether reading on cannot change the verdict, or is not worth the wait. `now` is measured from sending the request,
/// like the observation's times.
pub(super) fn is_enough(check: &Check, observation: &Observation, now: Duration) -> bool {
    let proven = check.streams && is_proven(observation) && is_accepted(check.expect, observation.status);
    (proven && !check.whole) || patience(check, observation).is_some_and(|end| now >= end)
}

/// How long to wait for a response that went silent, within the limit of every request; `None` means no extra limit.
pub(super) fn patience(check: &Check, observation: &Observation) -> Option<Duration> {
    let more_is_wanted = check.whole || (check.streams && is_accepted(check.expect, observation.status));
    (!more_is_wanted).then(|| observation.headers_at + GRACE)
}

fn is_proven(observation: &Observation) -> bool {
    observation.chunks >= 2 && observation.spread() >= APART
}

fn is_accepted(expect: Expect, status: u16) -> bool {
    match expect {
        Expect::Status(exactly) => status == exactly,
        Expect::Success => (200..400).contains(&status),
        Expect::Answer => status < 500,
    }
}

fn is_awss_own_403(observation: &Observation) -> bool {
    if observation.status != 403 {
        return false;
    }
    let message = |body: Map<String, Value>| {
        let text = body.get("Message").or_else(|| body.get("message"))?.as_str()?.to_string();
        Some(text)
    };
    let message = object(&observation.beginning).and_then(message);
    let body = String::from_utf8_lossy(&observation.beginning);
    signs::is_refused_by_aws(observation.error_type.as_deref(), &body, message.as_deref())
}

/// Detects a buffered handler behind a streaming URL: AWS passes the JSON of its response to the client as the body.
fn is_raw_json(observation: &Observation) -> bool {
    if observation.status != 200 {
        return false;
    }
    // The handler chooses the order of the keys. If the object is complete, any of the other keys is proof enough.
    let companions = ["headers", "body", "isBase64Encoded", "multiValueHeaders", "cookies"];
    match object(&observation.beginning) {
        Some(object) => object.contains_key("statusCode") && companions.iter().any(|key| object.contains_key(*key)),
        None => begins(&observation.beginning, "\"statusCode\""),
    }
}

fn runtime_error(observation: &Observation) -> Option<String> {
    if let Some(text) = &observation.error_text {
        return Some(words(text));
    }
    begins(&observation.beginning, "\"errorType\"").then(|| words(&observation.beginning))
}

/// Whether a JSON object starts with this key. The object may be cut off.
fn begins(body: &[u8], key: &str) -> bool {
    let text = String::from_utf8_lossy(body);
    text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(key))
}

fn object(body: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(body).ok()
}

/// How many characters of a body are quoted.
const LONGEST: usize = 600;

/// The start of a body on one line, ready to be quoted.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).replace(|character: char| character.is_control(), " ");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A response with these chunks at these times (in milliseconds), complete after the last one.
    fn answer(status: u16, chunks: &[(u64, &str)]) -> Observation {
        let mut observation = Observation::begin(status, ms(5));
        chunks.iter().for_each(|(at, text)| observation.chunk(ms(*at), text.as_bytes()));
        observation.end(ms(chunks.last().map_or(5, |(at, _)| *at)), Ending::Complete);
        observation
    }

    fn check(expect: Expect) -> Check {
        Check { expect, ..Check::default() }
    }

    fn streaming() -> Check {
        Check { expect: Expect::Success, streams: true, ..Check::default() }
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
        let mut named = answer(403, &[(9, "{}")]);
        named.error_type = Some("AccessDeniedException".into());
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
        assert!(!is_enough(&streaming(), &early, ms(5000)));
        assert!(is_enough(&streaming(), &proven, ms(60)));
        let whole = Check { whole: true, ..streaming() };
        assert!(!is_enough(&whole, &proven, ms(60_000)));
        assert_eq!(patience(&whole, &proven), None);
    }

    #[test]
    fn without_a_stream_to_prove_a_second_after_the_headers_is_enough() {
        let check = check(Expect::Answer);
        let endless = answer(200, &[(10, "a")]);
        assert_eq!(patience(&check, &endless), Some(ms(1005)));
        assert!(!is_enough(&check, &endless, ms(1004)));
        assert!(is_enough(&check, &endless, ms(1005)));
        // A wrong status proves nothing about streaming, no matter how long the response takes.
        assert_eq!(patience(&streaming(), &answer(404, &[(10, "a")])), Some(ms(1005)));
    }

    #[test]
    fn quoted_words_are_one_short_line() {
        assert_eq!(words(b"a\n\t b\x1b[31m"), "a b [31m");
        assert_eq!(words("é".repeat(700).as_bytes()).chars().count(), LONGEST + 1);
    }
}
