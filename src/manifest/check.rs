//! The request that a URL is sent after a deploy, and the response it must give.

use super::expectation;
use super::http::{PATH_FORM, control_character, is_path, is_token};
use super::mcp;
use super::outside::{Outside, read_value};
use super::section::{Entry, Section};
use crate::stack::Secret;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;
use toml::Spanned;

/// HTTP sets these headers itself, from the connection and the body.
const NOT_TO_BE_SET: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];
/// How long a response may take to end if the manifest has no other limit. Most proxies and browsers wait for longer,
/// and an answer that is not a stream should not need it.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
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
    /// The time limit for the end of the response once the function is warm; `None` if it need not end.
    pub ends_within: Option<Duration>,
    /// The longest silence before the response, between its chunks and before its end.
    pub max_gap: Option<Duration>,
    /// Text that the decoded body must contain.
    pub contains: Option<String>,
    /// Text with which the decoded body must end, apart from white space.
    pub ends_with: Option<String>,
    /// Names in lower case, and the value that each must have: exact, or any that starts with what is before `*`.
    pub expect_headers: Vec<(String, String)>,
    /// Whether the response must be an event stream.
    pub sse: bool,
    /// Set if a page of another origin must be allowed to read the response.
    pub origin: Option<PageOrigin>,
}

/// A page's origin that is sent with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOrigin {
    /// `SCHEME://HOST`, optionally with a port.
    pub name: String,
    /// Whether the URL's own `cors` answers it. Then the function's own response need not.
    pub by_url: bool,
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
    /// Anything below 500 to each of MCP's requests, whose protocol decides the rest (`mcp`).
    Mcp,
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
            ends_within: Some(ENDS_WITHIN),
            max_gap: None,
            contains: None,
            ends_with: None,
            expect_headers: Vec::new(),
            sse: false,
            origin: None,
        }
    }
}

impl Check {
    /// The headers that the manifest has.
    pub fn revealed_headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect()
    }

    /// The headers that the check's other keys add. A header that the manifest has is not added.
    pub fn added_headers(&self) -> Vec<(&'static str, &str)> {
        // A browser accepts compressed responses, and a compressor may hold back what the app has sent.
        let is_timed = self.streams || self.sse || self.max_gap.is_some();
        let origin = self.origin.iter().map(|origin| ("origin", origin.name.as_str()));
        let accept = self.sse.then_some(("accept", "text/event-stream"));
        let encodings = is_timed.then_some(("accept-encoding", "gzip, br"));
        let written = |name: &str| self.headers.iter().any(|(written, _)| written.eq_ignore_ascii_case(name));
        origin.chain(accept).chain(encodings).filter(|(name, _)| !written(name)).collect()
    }

    /// Whether the manifest has no check, so that all that is known is that the function should answer.
    pub fn is_default(&self) -> bool {
        self.expect == Expect::Answer
    }

    /// Whether it asks an MCP server, which takes several requests to its path.
    pub fn is_mcp(&self) -> bool {
        self.expect == Expect::Mcp
    }

    /// Whether the response is read to its end.
    pub fn reads_to_end(&self) -> bool {
        self.whole || self.ends_within.is_some()
    }

    /// The whole check as text. For values from outside it has their source instead of the value. It may contain
    /// secrets.
    pub fn definition(&self) -> String {
        let outside: Vec<_> = self.outside.iter().map(|outside| (&outside.name, &outside.origin)).collect();
        let headers = self.revealed_headers();
        // All fields are named, so that a new one cannot be forgotten here.
        let Check {
            method,
            path,
            query,
            headers: _,
            outside: _,
            body: _,
            expect,
            streams,
            whole,
            first_byte_within,
            ends_within,
            max_gap,
            contains,
            ends_with,
            expect_headers,
            sse,
            origin,
        } = self;
        let request = (method, path, query, headers, outside, self.revealed_body(), origin);
        let times = (first_byte_within, ends_within, max_gap);
        format!("{:?}", (request, expect, streams, whole, times, contains, ends_with, expect_headers, sse))
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

    /// The checks of a function with these keys and this timeout, in seconds. A function with a URL has at least the default check.
    pub(super) fn read_all(function: &Section<'_>, timeout: u32) -> Vec<Check> {
        let around = Around::of(function, timeout);
        let Some(entry) = function.entry("check") else {
            let check = Check { ends_within: Some(ENDS_WITHIN.min(around.timeout)), ..Check::default() };
            return function.has("url").then_some(check).into_iter().collect();
        };
        if !function.has("url") {
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
        checks.into_iter().map(|keys| Check::read(keys, &around)).collect()
    }

    fn read(keys: Section<'_>, around: &Around) -> Check {
        if let Some(path) = mcp::path(&keys) {
            return Check::read_mcp(&keys, path, around);
        }
        let method = keys.entry("method").and_then(|entry| entry.word()).unwrap_or("GET");
        let path = keys.matching("path", is_path, PATH_FORM);
        let query = keys.section("query").map(|query| read_pairs(&query));
        let (headers, outside) = keys.section("headers").map(|headers| read_headers(&headers)).unwrap_or_default();
        let body = keys.entry("body").and_then(|entry| entry.string("a string"));
        let status = keys.written_number("expect_status").map(|status| status.into_inner() as u16);
        let streams = read_streams(&keys, around.buffered);
        let (whole, sse) = (keys.switch("whole"), keys.switch("sse"));
        let (contains, ends_with) = (expectation::text(&keys, "contains"), expectation::text(&keys, "ends_with"));
        let need_body =
            [("streams", streams), ("sse", sse), ("contains", contains.is_some()), ("ends_with", ends_with.is_some())];
        refuse_without_body(&keys, method, status, need_body);
        // The end of a response is known only once it is there.
        let is_read = whole || ends_with.is_some();
        let usual = match (streams, is_read) {
            (true, false) => None,
            (_, true) => Some(around.timeout),
            (false, false) => Some(ENDS_WITHIN.min(around.timeout)),
        };
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
            first_byte_within: expectation::time(&keys, "first_byte_within", None),
            ends_within: expectation::time(&keys, "ends_within", Some(around.timeout)).or(usual),
            max_gap: expectation::time(&keys, "max_gap", Some(around.timeout)),
            contains,
            ends_with,
            expect_headers: expectation::headers(&keys),
            sse,
            origin: expectation::origin(&keys).map(|name| PageOrigin { name, by_url: around.has_cors }),
        }
    }
}

impl Check {
    /// A check of an MCP server, whose requests differ only in what the protocol needs.
    fn read_mcp(keys: &Section<'_>, path: &str, around: &Around) -> Check {
        mcp::refuse_others(keys);
        let (headers, outside) = keys.section("headers").map(|headers| read_headers(&headers)).unwrap_or_default();
        let usual = Some(ENDS_WITHIN.min(around.timeout));
        Check {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: keys.section("query").map(|query| read_pairs(&query)).unwrap_or_default(),
            headers,
            outside,
            expect: Expect::Mcp,
            ends_within: expectation::time(keys, "ends_within", Some(around.timeout)).or(usual),
            ..Check::default()
        }
    }
}

/// What a check must fit.
struct Around {
    /// Whether the URL is buffered.
    buffered: bool,
    /// Whether the URL answers other origins itself.
    has_cors: bool,
    /// The function's.
    timeout: Duration,
}

impl Around {
    fn of(function: &Section<'_>, timeout: u32) -> Around {
        Around {
            buffered: function.peek("url", "mode").is_some_and(|mode| mode == "buffered"),
            has_cors: function.peek_all("url").iter().any(|entry| entry.name == "cors"),
            timeout: Duration::from_secs(timeout.into()),
        }
    }
}

/// Refuses keys that require a body, as far as they are set, together with a response that has none.
fn refuse_without_body(keys: &Section<'_>, method: &str, status: Option<u16>, need_body: [(&'static str, bool); 4]) {
    let (reason, what) = match (method, status) {
        ("HEAD", _) => ("`method = \"HEAD\"`".to_owned(), "method"),
        (_, Some(status @ (204 | 205 | 304))) => (format!("`expect_status = {status}`"), "status"),
        _ => return,
    };
    for (key, _) in need_body.into_iter().filter(|(_, is_set)| *is_set) {
        let Some(entry) = keys.entry(key) else { continue };
        let written = if entry.is_string() { format!("`{key}`") } else { format!("`{key} = true`") };
        entry.problem_with_name(format!(
            "{written} and {reason} cannot be used together: such a response has no body, expected another {what}"
        ));
    }
}

fn read_streams(keys: &Section<'_>, buffered: bool) -> bool {
    let Some(entry) = keys.entry("streams") else { return false };
    let streams = entry.boolean().is_some_and(Spanned::into_inner);
    if streams && buffered {
        entry.problem_with_name(
            "`streams = true` and the URL's `mode = \"buffered\"` cannot be used together, \
             expected `mode = \"response-stream\"`",
        );
    }
    streams
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
