//! The keys of a check that say what its response must be like.

use super::http::{control_character, is_origin, is_token};
use super::section::Section;
use std::time::Duration;
use toml::Spanned;

/// The longest text to look for, in bytes. A response is searched as it arrives, and only this much of it is kept.
const LONGEST: usize = 1000;

/// A time of this key, at most `limit`, which is the function's timeout.
pub(super) fn time(keys: &Section<'_>, key: &'static str, limit: Option<Duration>) -> Option<Duration> {
    let entry = keys.entry(key)?;
    let expected = "a time above 0 such as `500ms` or `2s`";
    let written = entry.matching(|text| duration(text).is_some(), expected)?.into_inner();
    let time = duration(written)?;
    if let Some(limit) = limit.filter(|limit| time > *limit) {
        let limit = limit.as_secs();
        entry.problem(format!("`{key}` is `{written}`, expected at most the function's `timeout`, {limit} s"));
    }
    Some(time)
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

/// A text that the body must have.
pub(super) fn text(keys: &Section<'_>, key: &'static str) -> Option<String> {
    let entry = keys.entry(key)?;
    let text = entry.string("a string")?.into_inner();
    if text.trim().is_empty() || text.len() > LONGEST {
        let length = text.len();
        entry.problem(format!("`{key}` has {length} bytes, expected 1 to {LONGEST}, and not only white space"));
    }
    Some(text.to_owned())
}

/// The expected headers, with names in lower case.
pub(super) fn headers(keys: &Section<'_>) -> Vec<(String, String)> {
    let Some(section) = keys.section("expect_headers") else { return Vec::new() };
    let mut headers = Vec::new();
    for entry in section.all() {
        let name = entry.name;
        if !is_token(name) {
            entry.problem_with_name(format!("`{name}` is not a valid header name, expected letters, digits and `-`"));
        }
        let expected = "a value, or its beginning and `*`";
        let is_value = |text: &str| !text.is_empty() && control_character(text).is_none();
        let value = entry.matching(is_value, expected).map(Spanned::into_inner);
        headers.extend(value.map(|value| (name.to_lowercase(), value.to_owned())));
    }
    headers
}

/// The origin of a page.
pub(super) fn origin(keys: &Section<'_>) -> Option<String> {
    let expected = "an origin such as `https://example.com`, without a path";
    keys.matching("origin", is_origin, expected).map(str::to_owned)
}
