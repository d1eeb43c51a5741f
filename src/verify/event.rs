//! The event that a URL would make of a check's request: payload format 2.0. Source: docs/aws.md, "Function URLs".

use crate::manifest::Check;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::macros::format_description;

/// Where the event claims to come from.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The caller's account, 12 digits; `None` for a public URL.
    pub account: Option<&'a str>,
    /// The host of the URL.
    pub host: &'a str,
    pub now: SystemTime,
}

/// The event as JSON.
pub fn event(check: &Check, caller: &Caller<'_>) -> Value {
    let path = percent_decode_str(&check.path).decode_utf8_lossy().into_owned();
    let target = check.path_and_query();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let headers = headers(check, caller.host);
    let milliseconds = caller.now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let mut context = json!({
        "accountId": caller.account.unwrap_or("anonymous"),
        "apiId": caller.host.split('.').next(),
        "domainName": caller.host,
        "domainPrefix": caller.host.split('.').next(),
        "http": {
            "method": check.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": headers["user-agent"],
        },
        "requestId": format!("lamstream-check-{milliseconds}"),
        "routeKey": "$default",
        "stage": "$default",
        "time": time(caller.now),
        "timeEpoch": milliseconds,
    });
    if let Some(account) = caller.account {
        context["authorizer"] = json!({ "iam": { "accountId": account, "cognitoIdentity": null } });
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": check.path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": false,
    });
    if !check.query.is_empty() {
        event["queryStringParameters"] = joined(&check.query, str::to_owned);
    }
    let sent = check.revealed_headers();
    let cookies = sent.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    let cookies: Vec<&str> = cookies.flat_map(|(_, value)| value.split(';')).map(str::trim).collect();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !check.revealed_body().is_empty() {
        event["body"] = json!(check.revealed_body());
    }
    event
}

/// `22/Nov/2026:18:00:00 +0000`
fn time(now: SystemTime) -> String {
    let form = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    OffsetDateTime::from(now).format(form).unwrap_or_default()
}

fn headers(check: &Check, host: &str) -> Value {
    let own = [
        ("host", host),
        ("user-agent", concat!("lamstream/", env!("CARGO_PKG_VERSION"))),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-for", "127.0.0.1"),
    ];
    let written = |name: &str| check.headers.iter().any(|(written, _)| written.eq_ignore_ascii_case(name));
    let own = own.into_iter().filter(|(name, _)| !written(name));
    let mut all: Vec<(String, String)> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if !check.revealed_body().is_empty() {
        all.push(("content-length".to_owned(), check.revealed_body().len().to_string()));
    }
    all.extend(check.added_headers().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    all.extend(check.revealed_headers());
    joined(&all, str::to_lowercase)
}

/// An object in which the values of a repeated name are joined.
fn joined(pairs: &[(String, String)], key: impl Fn(&str) -> String) -> Value {
    let mut all = Map::<String, Value>::new();
    for (name, value) in pairs {
        match all.get_mut(&key(name)) {
            Some(Value::String(values)) => *values = format!("{values},{value}"),
            _ => drop(all.insert(key(name), json!(value))),
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_check_becomes_the_event_of_its_request() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let check = Check {
            method: "POST".into(),
            path: "/a%20b".into(),
            query: vec![pair("q", "x y"), pair("q", "z")],
            headers: [("X-Own", "1"), ("x-own", "2"), ("Cookie", "a=b; c=d")]
                .map(|(name, value)| (name.to_owned(), value.into()))
                .to_vec(),
            body: Some("hello".into()),
            ..Check::default()
        };
        let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let caller = Caller { account: None, host: "abc.lambda-url.eu-central-1.on.aws", now };
        let event = super::event(&check, &caller);
        assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/a%20b"), &json!("q=x%20y&q=z")));
        assert_eq!(event["queryStringParameters"], json!({"q": "x y,z"}));
        assert_eq!((&event["headers"]["x-own"], &event["headers"]["content-length"]), (&json!("1,2"), &json!("5")));
        assert_eq!((&event["cookies"], &event["body"]), (&json!(["a=b", "c=d"]), &json!("hello")));
        let context = &event["requestContext"];
        assert_eq!(context["http"]["path"], "/a b");
        assert_eq!((&context["accountId"], &context["domainPrefix"]), (&json!("anonymous"), &json!("abc")));
        assert_eq!(context["time"], "14/Nov/2023:22:13:20 +0000");
        assert_eq!((&context["http"]["method"], &context["timeEpoch"]), (&json!("POST"), &json!(1_700_000_000_123u64)));
        let signed = super::event(&check, &Caller { account: Some("123456789012"), ..caller });
        assert_eq!(signed["requestContext"]["authorizer"]["iam"]["accountId"], "123456789012");
    }
}
