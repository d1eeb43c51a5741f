//! The request that a URL is sent after a deploy, and the response it must give.

use super::http::{control_character, is_token};
use super::outside::{Outside, read_value};
use super::section::{Entry, Section};
use crate::stack::Secret;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;
use toml::Spanned;

/// HTTP sets these headers itself, from the connection and the body.
const NOT_TO_BE_SET: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];
/// Characters that must be encoded in a path. `%` is not one of them: an encoded path stays as written.
const PATH: AsciiSet =
    CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'\\').add(b'^').add(b'|');
/// Characters that must be encoded in a query: all except the unreserved ones.
const QUERY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An HTTP request and the expected response. Source: `check` in `deploy.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub method: String,
    /// Starts with `/`.
    pub path: String,
    /// Decoded pairs, in the manifest's order.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, Secret)>,
    /// Headers whose values come from outside and are not among `headers` yet.
    pub outside: Vec<Outside>,
    pub body: Option<Secret>,
    pub expect: Expect,
    /// Whether at least two chunks must arrive at least 50 ms apart.
    pub streams: bool,
    /// Whether the response is read to its end, or only until the check has passed.
    pub whole: bool,
    /// The time limit for the first byte of the response once the function is warm.
    pub first_byte_within: Option<Duration>,
}

/// Which statuses pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exactly this one (`expect_status`).
    Status(u16),
    /// 200–399, for a check that names no status.
    Success,
    /// Anything below 500, for a function without a check: all that is known is that it should answer.
    Answer,
}

impl Default for Check {
    /// `GET /`, which proves that the function answers, but not that it streams.
    fn default() -> Self {
        Check {
            method: "GET".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: Vec::new(),
            outside: Vec::new(),
            body: None,
            expect: Expect::Answer,
            streams: false,
            whole: false,
            first_byte_within: None,
        }
    }
}

impl Check {
    /// The headers to send.
    pub fn revealed_headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect()
    }

    /// The whole check as text. For values from outside it has their source instead of the value. It may contain
    /// secrets.
    pub fn definition(&self) -> String {
        let outside: Vec<_> = self.outside.iter().map(|outside| (&outside.name, &outside.origin)).collect();
        let headers = self.revealed_headers();
        // All fields are named, so that a new one cannot be forgotten here.
        let Check { method, path, query, expect, streams, whole, first_byte_within, headers: _, outside: _, body: _ } =
            self;
        let body = self.revealed_body();
        format!("{:?}", (method, path, query, headers, outside, body, expect, streams, whole, first_byte_within))
    }

    /// The body to send; empty if there is none.
    pub fn revealed_body(&self) -> &str {
        self.body.as_ref().map_or("", |body| body.reveal())
    }

    /// `PATH?NAME=VALUE&…`, percent-encoded.
    pub fn path_and_query(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, &QUERY).to_string();
        let pairs: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let path = utf8_percent_encode(&self.path, &PATH);
        if pairs.is_empty() { path.to_string() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The checks of a function with these keys. A function with a URL has at least the default check.
    pub(super) fn read_all(function: &Section<'_>) -> Vec<Check> {
        let has_url = function.has("url");
        let buffered = function.peek("url", "mode").is_some_and(|mode| mode == "buffered");
        let Some(entry) = function.entry("check") else {
            return has_url.then(Check::default).into_iter().collect();
        };
        if !has_url {
            entry.problem_with_name("`check` requires `url`");
        }
        if entry.is_empty_array() {
            entry.problem("`check` is empty, expected at least one, or no `check` at all");
        }
        let checks = if entry.is_array() {
            entry.sections("a check")
        } else {
            entry.section("`check`".into()).into_iter().collect()
        };
        checks.into_iter().map(|keys| Check::read(keys, buffered)).collect()
    }

    fn read(keys: Section<'_>, buffered: bool) -> Check {
        let method = keys.entry("method").and_then(|entry| entry.word()).unwrap_or("GET");
        let path = keys.matching("path", is_path, "a path that begins with `/`, without `?`, `#`");
        let query = keys.section("query").map(|query| read_pairs(&query));
        let (headers, outside) = keys.section("headers").map(|headers| read_headers(&headers)).unwrap_or_default();
        let body = keys.entry("body").and_then(|entry| entry.string("a string"));
        let status = keys.written_number("expect_status").map(|status| status.into_inner() as u16);
        let streams = read_streams(&keys, method, status, buffered);
        let whole = read_whole(&keys, streams);
        let time = "a time above 0 such as `500ms` or `2s`";
        let first_byte_within = keys.matching("first_byte_within", |text| duration(text).is_some(), time);
        Check {
            method: method.to_owned(),
            path: path.unwrap_or("/").to_owned(),
            query: query.unwrap_or_default(),
            headers,
            outside,
            body: body.map(|body| Secret::new(body.into_inner())),
            expect: status.map_or(Expect::Success, Expect::Status),
            streams,
            whole,
            first_byte_within: first_byte_within.and_then(duration),
        }
    }
}

/// `500ms`, `2s`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u32 = digits.parse().ok().filter(|number| *number > 0)?;
    match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        _ => None,
    }
}

fn read_streams(keys: &Section<'_>, method: &str, status: Option<u16>, buffered: bool) -> bool {
    let Some(entry) = keys.entry("streams") else { return false };
    let streams = entry.boolean().is_some_and(Spanned::into_inner);
    if streams && buffered {
        entry.problem_with_name(
            "`streams = true` and the URL's `mode = \"buffered\"` cannot be used together, \
             expected `mode = \"response-stream\"`",
        );
    }
    let without_body = match (method, status) {
        ("HEAD", _) => Some(("`method = \"HEAD\"`".to_owned(), "method")),
        (_, Some(status @ (204 | 205 | 304))) => Some((format!("`expect_status = {status}`"), "status")),
        _ => None,
    };
    if let Some((reason, what)) = without_body.filter(|_| streams) {
        entry.problem_with_name(format!(
            "`streams = true` and {reason} cannot be used together: such a response has no body, expected another {what}"
        ));
    }
    streams
}

fn read_whole(keys: &Section<'_>, streams: bool) -> bool {
    let Some(entry) = keys.entry("whole") else { return false };
    let whole = entry.boolean().is_some_and(Spanned::into_inner);
    if whole && !streams {
        entry.problem_with_name("`whole` requires `streams = true`");
    }
    whole
}

fn read_pairs(section: &Section<'_>) -> Vec<(String, String)> {
    let pair = |entry: Entry<'_>| {
        let value = entry.string("a string")?;
        Some((entry.name.to_owned(), value.into_inner().to_owned()))
    };
    section.all().into_iter().filter_map(pair).collect()
}

/// The headers with values, and those whose values come from outside.
fn read_headers(section: &Section<'_>) -> (Vec<(String, Secret)>, Vec<Outside>) {
    let (mut headers, mut outside) = (Vec::new(), Vec::new());
    for entry in section.all() {
        refuse_header(&entry);
        let value = read_value(&entry, &mut outside);
        headers.extend(value.map(|value| (entry.name.to_owned(), Secret::new(value))));
    }
    (headers, outside)
}

/// Values may be credentials, so no message contains one.
fn refuse_header(entry: &Entry<'_>) {
    let name = entry.name;
    if !is_token(name) {
        entry.problem_with_name(format!("`{name}` is not a valid header name, expected letters, digits and `-`"));
    } else if NOT_TO_BE_SET.contains(&name.to_lowercase().as_str()) {
        entry.problem_with_name(format!("the header `{name}` is set automatically; remove it from `headers`"));
    }
    if let Some(control) = entry.text().and_then(control_character) {
        let control = control.escape_unicode();
        entry.problem_with_name(format!(
            "the header `{name}` contains the control character `{control}`, expected a value without control characters"
        ));
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(['?', '#']) && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_target_is_encoded() {
        let query = [("q", "a b&c=d"), ("é", "+/?")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let check = Check { path: "/chat/ü b%20c".into(), query, ..Check::default() };
        assert_eq!(check.path_and_query(), "/chat/%C3%BC%20b%20c?q=a%20b%26c%3Dd&%C3%A9=%2B%2F%3F");
        assert_eq!(Check::default().path_and_query(), "/");
    }
}
