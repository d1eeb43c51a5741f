//! Compares a response with the requirements of its check, apart from its status and whether it streams.

use super::observation::{EVENT_STREAM, Ending, Observation};
use super::quote::words;
use super::shortcoming::{NoEvents, Shortcoming};
use crate::manifest::Check;

/// # Errors
/// With the first header that is not as required.
pub(super) fn of_head(check: &Check, observation: &Observation) -> Result<(), Shortcoming> {
    let stream = ("content-type".to_owned(), EVENT_STREAM.to_owned());
    let headers = check.expect_headers.iter().chain(check.sse.then_some(&stream));
    for (name, expected) in headers {
        if !observation.head.values(name).any(|value| fits(name, expected, value)) {
            let found = observation.head.values(name).next().map(|value| words(value.as_bytes()));
            return Err(Shortcoming::Header { name: name.clone(), expected: expected.clone(), found });
        }
    }
    let Some(origin) = check.origin.as_ref().filter(|origin| !(origin.by_url && observation.is_of_version)) else {
        return Ok(());
    };
    // Browsers join several headers, and refuse the list.
    let found = observation.head.values("access-control-allow-origin").flat_map(|value| value.split(','));
    let found: Vec<String> = found.map(|value| words(value.as_bytes())).collect();
    match &found[..] {
        [one] if *one == "*" || *one == origin.name => Ok(()),
        _ => Err(Shortcoming::Origin { origin: origin.name.clone(), found, by_url: origin.by_url }),
    }
}

/// # Errors
/// With the first requirement that the body, its times or its end do not meet.
pub(super) fn of_body(check: &Check, observation: &Observation) -> Result<(), Shortcoming> {
    let needs_body = check.sse || check.contains.is_some() || check.ends_with.is_some();
    if let Some(reason) = &observation.undecodable {
        let encoding = observation.head.encoding().unwrap_or_default();
        return Err(Shortcoming::Undecodable { encoding: words(encoding.as_bytes()), reason: reason.clone() });
    }
    if let Some(encoding) = observation.unknown_encoding().filter(|_| needs_body) {
        let reason = "lamstream decodes `gzip` and `br`".to_owned();
        return Err(Shortcoming::Undecodable { encoding: words(encoding.as_bytes()), reason });
    }
    of_times(check, observation)?;
    of_events(observation)?;
    let body = observation.body();
    if let Some(text) = check.contains.as_ref().filter(|_| !body.contains_wanted()) {
        return Err(Shortcoming::Lacks(text.clone()));
    }
    if let Some(expected) = check.ends_with.as_ref().filter(|text| !body.end().ends_with(text.trim_end().as_bytes())) {
        let found = body.end();
        let found = &found[found.len().saturating_sub(expected.len())..];
        return Err(Shortcoming::End { expected: expected.clone(), found: words(found) });
    }
    Ok(())
}

fn of_times(check: &Check, observation: &Observation) -> Result<(), Shortcoming> {
    let (silence, is_first) = observation.gap;
    if let Some(allowed) = check.max_gap.filter(|allowed| silence > *allowed || observation.ending == Ending::Silent) {
        return Err(Shortcoming::Silent { allowed, silence, is_first });
    }
    match check.ends_within {
        Some(within) if observation.ending == Ending::Endless => Err(Shortcoming::Endless { within }),
        Some(within) if observation.ending == Ending::Complete && observation.ended_at > within => {
            Err(Shortcoming::Overdue { within })
        }
        _ => Ok(()),
    }
}

fn of_events(observation: &Observation) -> Result<(), Shortcoming> {
    let Some(events) = &observation.body().events else { return Ok(()) };
    if let Some(line) = &events.ignored {
        return Err(Shortcoming::Events(NoEvents::Ignored(words(line))));
    }
    if let Some(line) = events.incomplete().filter(|_| observation.ending == Ending::Complete) {
        return Err(Shortcoming::Events(NoEvents::Incomplete(words(line))));
    }
    if events.count == 0 { Err(Shortcoming::Events(NoEvents::Nothing)) } else { Ok(()) }
}

/// Whether a header has the expected value. A content type may have parameters.
fn fits(name: &str, expected: &str, value: &str) -> bool {
    if let Some(beginning) = expected.strip_suffix('*') {
        return value.get(..beginning.len()).is_some_and(|found| found.eq_ignore_ascii_case(beginning));
    }
    let media_type = value.split(';').next().unwrap_or_default().trim();
    value == expected || (name == "content-type" && media_type.eq_ignore_ascii_case(expected))
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::{answer, answer_to, ms, shortcoming};
    use super::super::judge::{enough, judge};
    use super::*;
    use crate::manifest::{Expect, PageOrigin};

    fn success() -> Check {
        Check { expect: Expect::Success, ..Check::default() }
    }

    #[test]
    fn headers_are_compared_exactly_or_up_to_the_star() {
        for (name, expected, value, fitting) in [
            ("content-type", "text/*", "Text/HTML; charset=utf-8", true),
            ("content-type", "text/*", "application/json", false),
            ("content-type", "text/event-stream", "text/event-stream;charset=UTF-8", true),
            ("content-type", "text/plain; charset=utf-8", "text/plain; charset=utf-8", true),
            ("content-type", "text/plain; charset=utf-8", "text/plain", false),
            ("cache-control", "no-store", "no-store", true),
            ("cache-control", "no-store", "no-store; x", false),
            ("etag", "*", "anything", true),
            ("x-é", "é*", "e", false),
        ] {
            assert_eq!(fits(name, expected, value), fitting, "{name}: {value} for {expected}");
        }
    }

    #[test]
    fn texts_are_looked_for_in_the_decoded_body() {
        let check = Check { contains: Some("ll".into()), ends_with: Some("o\n".into()), ..success() };
        assert_eq!(shortcoming(&check, &[], &[(9, "hel"), (10, "lo\n\n")]), None);
        assert_eq!(shortcoming(&check, &[], &[(9, "hel o")]), Some(Shortcoming::Lacks("ll".into())));
        let end = |found: &str| Some(Shortcoming::End { expected: "o\n".into(), found: found.into() });
        assert_eq!(shortcoming(&check, &[], &[(9, "hell no!")]), end("o!"));
        assert_eq!(shortcoming(&Check { contains: None, ..check.clone() }, &[], &[]), end(""));
        let zstd = shortcoming(&check, &[("content-encoding", "zstd")], &[(9, "hello")]);
        assert!(matches!(zstd, Some(Shortcoming::Undecodable { .. })), "{zstd:?}");
        let gzip = shortcoming(&check, &[("content-encoding", "gzip")], &[(9, "hello")]);
        assert!(matches!(gzip, Some(Shortcoming::Undecodable { .. })), "{gzip:?}");
    }

    #[test]
    fn an_event_stream_is_one_by_its_type_and_its_lines() {
        let check = Check { sse: true, ..success() };
        let stream = [("content-type", "text/event-stream; charset=utf-8")];
        assert_eq!(shortcoming(&check, &stream, &[(9, "data: a\n\n")]), None);
        let plain = shortcoming(&check, &[("content-type", "text/plain")], &[(9, "data: a\n\n")]);
        assert!(matches!(plain, Some(Shortcoming::Header { found: Some(_), .. })), "{plain:?}");
        let events = |body: &str| match shortcoming(&check, &stream, &[(9, body)]) {
            Some(Shortcoming::Events(wrong)) => Some(wrong),
            other => panic!("{body:?}: {other:?}"),
        };
        assert_eq!(events(": ping\n\n"), Some(NoEvents::Nothing));
        assert_eq!(events("data: a\n"), Some(NoEvents::Incomplete("data: a".into())));
        assert_eq!(events("data: a\n\nhi\n"), Some(NoEvents::Ignored("hi".into())));
        // `[DONE]` ends it, whether the response ends or not.
        let done = answer_to(&check, 200, &stream, &[(9, "data: a\n\n"), (10, "data: [DONE]\n\n")]);
        assert_eq!(enough(&check, &done, ms(11), ms(60_000)), Some(Ending::Complete));
    }

    #[test]
    fn one_header_must_allow_the_origin() {
        let page = |by_url| Some(PageOrigin { name: "https://example.com".into(), by_url });
        let check = Check { origin: page(false), ..success() };
        let allow = "access-control-allow-origin";
        let found = |headers: &[(&str, &str)]| match shortcoming(&check, headers, &[(9, "a")]) {
            Some(Shortcoming::Origin { found, .. }) => Some(found),
            other => {
                assert_eq!(other, None);
                None
            }
        };
        assert_eq!(found(&[(allow, "*")]), None);
        assert_eq!(found(&[(allow, "https://example.com")]), None);
        assert_eq!(found(&[]), Some(vec![]));
        assert_eq!(found(&[(allow, "https://example.org")]), Some(vec!["https://example.org".to_owned()]));
        let two = Some(vec!["*".to_owned(), "https://example.com".to_owned()]);
        assert_eq!(found(&[(allow, "*"), (allow, "https://example.com")]), two);
        assert_eq!(found(&[(allow, "*, https://example.com")]), two);
        // Where the URL answers for the function, only the URL can be asked.
        let by_url = Check { origin: page(true), ..check };
        let of_version = answer(200, &[(9, "a")]).of_version();
        assert!(judge(&by_url, &of_version).is_ok());
        assert!(judge(&by_url, &answer(200, &[(9, "a")])).is_err());
    }
}
