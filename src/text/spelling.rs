//! The forms in which a value may appear in other programs' output.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that every URL encoder leaves unchanged.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters that JavaScript's `encodeURIComponent` leaves unchanged, too.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');
/// Characters that many encoders leave unchanged in a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/').remove(b':').remove(b'@');

/// The value itself, and as JSON, XML, shells, source code and URLs write it, on its own or within a JSON string. The
/// value comes first; there are no duplicates.
pub(super) fn escaped(value: &str) -> Vec<String> {
    let json = as_json(value);
    let ascii = in_ascii(&json);
    let slashes = json.replace('/', "\\/");
    let line = value.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let xml = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes = [("&quot;", "&apos;"), ("&quot;", "&#39;"), ("&#34;", "&#39;"), ("&quot;", "'"), ("\"", "'")];
    let mut all = vec![value.to_owned(), as_json(&json), as_json(&ascii), json, ascii, slashes, line];
    all.extend(quotes.map(|(double, single)| xml.replace('"', double).replace('\'', single)));
    // As Python, Ruby and shells quote it.
    all.push(value.escape_debug().to_string());
    all.push(as_json(value).replace("\\\"", "\"").replace('\'', "\\'"));
    all.push(value.replace('\'', "'\\''"));
    for set in [UNRESERVED, COMPONENT, PATH] {
        let url = utf8_percent_encode(value, set).to_string();
        all.extend([url.replace("%20", "+"), lower(&url), url]);
    }
    let mut kept: Vec<String> = Vec::new();
    for spelling in all.into_iter().filter(|spelling| !spelling.is_empty()) {
        if !kept.contains(&spelling) {
            kept.push(spelling);
        }
    }
    kept
}

/// The part of a base64 text that does not depend on what surrounds the value: without the characters at its ends,
/// which also hold bits of the neighbouring bytes.
pub(super) fn in_base64(value: &str) -> Vec<String> {
    let shifted = |shift: usize| {
        let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(value.bytes()).collect();
        let whole = bytes.len() * 8 / 6;
        let begins = (shift * 8).div_ceil(6);
        [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
            .map(|text| text.get(begins..whole).unwrap_or_default().to_owned())
    };
    let alone = [STANDARD_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(value)];
    alone.into_iter().chain((0..3).flat_map(shifted)).collect()
}

/// As between the quotes of a JSON string.
fn as_json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// As JSON in pure ASCII.
fn in_ascii(json: &str) -> String {
    let unit = |letter: char| letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    json.chars().map(|letter| if letter.is_ascii() { letter.to_string() } else { unit(letter) }).collect()
}

/// With lower-case hexadecimal digits.
fn lower(url: &str) -> String {
    let mut parts = url.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |url, part| format!("{url}%{}{}", part[..2].to_lowercase(), &part[2..]))
}
