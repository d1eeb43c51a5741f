//! Finds the secrets within a value: a password in a URL, a token after `Bearer`, the strings of a JSON document, the
//! items of a list. Other programs may repeat such a part without the rest of the value.

use super::hidden::tells;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// How deeply parts are searched for parts of their own.
const DEPTH: usize = 5;
/// What precedes the secret in a header.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "apikey", "digest"];
/// Names of secrets contain one of these words. Other settings, such as `sslmode`, stay readable.
const NAMES: [&str; 9] = ["pass", "pwd", "secret", "token", "key", "sig", "auth", "credential", "code"];

/// The parts of a value that are secrets themselves, without the value as a whole. Parts that are too short or too
/// common to identify a secret are left out.
pub fn parts(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, DEPTH, &mut found);
    found.retain(|part| part != value && tells(part));
    found.sort_unstable();
    found.dedup();
    found
}

fn collect(text: &str, depth: usize, found: &mut Vec<String>) {
    let text = text.trim();
    let Some(depth) = depth.checked_sub(1) else { return };
    if text.starts_with(['{', '[', '"'])
        && let Ok(document) = serde_json::from_str::<Value>(text)
    {
        return strings(&document, depth, found);
    }
    if let Some((scheme, rest)) = text.split_once(char::is_whitespace)
        && SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme.trim_end_matches(':')))
    {
        add(rest.trim(), depth, found);
        if let Some(pair) = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            let (_, password) = pair.split_once(':').unwrap_or_default();
            found.extend([password.to_owned(), pair]);
        }
    }
    found.extend(of_url(text).into_iter().flat_map(spelled));
    let settings = text.split(|letter: char| letter.is_whitespace() || ",;&?#".contains(letter));
    found.extend(settings.filter_map(setting).flat_map(spelled));
    // URLs are divided by their own rules, and a list may contain URLs.
    for separator in [',', ';', '\n'] {
        let items: Vec<&str> = text.split(separator).map(|item| item.trim().trim_matches(['"', '\''])).collect();
        for item in items.iter().filter(|item| items.len() > 1 && !item.is_empty()) {
            match item.split_once('=') {
                // In base64, only at the end.
                Some((_, rest)) if !rest.trim_matches('=').is_empty() => collect(item, depth, found),
                _ => add(item, depth, found),
            }
        }
    }
}

fn add(part: &str, depth: usize, found: &mut Vec<String>) {
    found.push(part.to_owned());
    collect(part, depth, found);
}

fn strings(document: &Value, depth: usize, found: &mut Vec<String>) {
    match document {
        Value::String(text) => add(text, depth, found),
        Value::Array(items) => items.iter().for_each(|item| strings(item, depth, found)),
        Value::Object(members) => members.values().for_each(|member| strings(member, depth, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The password before a URL's host, or the user name if no password is given.
fn of_url(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, _) = authority.rsplit_once('@')?;
    Some(user.split_once(':').map_or(user, |(_, password)| password))
}

/// The value of `NAME=value`, if the name says that it is a secret.
fn setting(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|known| name.contains(known)).then(|| value.trim_matches(['"', '\'']))
}

/// The part as written, and percent-decoded.
fn spelled(part: &str) -> [String; 2] {
    [part.to_owned(), percent_decode_str(part).decode_utf8_lossy().into_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_tells_something_is_found() {
        for (value, expected) in [
            ("postgres://app:p4ssw0rdXY@db.internal/x", &["p4ssw0rdXY"][..]),
            ("redis://:p4ss%2Fw0rd@cache:6379/0?ssl=true", &["p4ss%2Fw0rd", "p4ss/w0rd"]),
            ("https://k3y0fSentry@sentry.example/1", &["k3y0fSentry"]),
            ("https://x.example/hook?region=one&token=t0k3n-1", &["t0k3n-1"]),
            (r#"{"username": "app", "a": {"password": "rds-4711"}, "port": 5432}"#, &["rds-4711"]),
            (r#"["one-1111", "https://u:pl4nted@h"]"#, &["https://u:pl4nted@h", "one-1111", "pl4nted"]),
            ("Bearer tok3n-1", &["tok3n-1"]),
            ("bearer  tok3n-1", &["tok3n-1"]),
            ("Basic bWU6YmFzaWMtNDcxMQ==", &["bWU6YmFzaWMtNDcxMQ==", "basic-4711", "me:basic-4711"]),
            ("key-one1,key-two2, 1", &["key-one1", "key-two2"]),
            ("key-one1; key-two2", &["key-one1", "key-two2"]),
            ("Server=db.internal;Password=ado-4711;", &["ado-4711"]),
            ("host=db user=me password='lib-4711' sslmode=require", &["lib-4711"]),
            ("A=1\nAPI_KEY=line-4711", &["line-4711"]),
        ] {
            let found = parts(value);
            for part in expected {
                assert!(found.iter().any(|found| found == part), "{value}: {found:?}");
            }
        }
    }

    #[test]
    fn what_tells_nothing_is_no_part() {
        for value in
            ["", "planted-4711", "https://example.com/a", "1,2,3", "a;b", "production, debug", "{}", "Bearer", "[1]"]
        {
            assert_eq!(parts(value), Vec::<String>::new(), "{value}");
        }
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parts(&deep), Vec::<String>::new());
    }
}
