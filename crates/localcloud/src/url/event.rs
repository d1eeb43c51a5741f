//! The event for a request: payload format 2.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use serde_json::{Map, Value, json};

use super::request::UrlRequest;
use crate::clock;
use crate::options::ACCOUNT;
use crate::sandbox::INSTANCE;
use crate::signature::Caller;
use crate::wire::date;
use crate::world::url::Url;

/// Builds the event.
pub(super) fn build(request: &UrlRequest, url: &Url, parts: &Parts, body: &Bytes, caller: Option<&Caller>) -> Bytes {
    let now = clock::now();
    let domain = format!("127.0.0.1:{}", url.port);
    let query = parts.uri.query().unwrap_or_default();
    let mut headers = joined(&parts.headers);
    headers.remove(INSTANCE);
    headers.entry("host").or_insert_with(|| json!(domain));
    headers.insert("x-amzn-trace-id".into(), json!(request.trace));
    headers.insert("x-forwarded-for".into(), json!(request.source.to_string()));
    headers.insert("x-forwarded-port".into(), json!(url.port.to_string()));
    headers.insert("x-forwarded-proto".into(), json!("http"));
    let mut context = json!({
        "accountId": if caller.is_some() { ACCOUNT } else { "anonymous" },
        "apiId": url.id,
        "domainName": domain,
        "domainPrefix": url.id,
        "http": {
            "method": parts.method.as_str(),
            "path": decoded(parts.uri.path()),
            "protocol": format!("{:?}", parts.version),
            "sourceIp": request.source.to_string(),
            "userAgent": headers.get("user-agent").cloned().unwrap_or(json!("")),
        },
        "requestId": request.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": date::event(now),
        "timeEpoch": now,
    });
    if let Some(Caller { access_key_id, arn, id }) = caller {
        context["authorizer"] = json!({"iam": {
            "accessKey": access_key_id, "accountId": ACCOUNT, "callerId": id, "cognitoIdentity": null,
            "principalOrgId": null, "userArn": arn, "userId": id,
        }});
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.uri.path(),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": false,
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = parameters(query);
    }
    if !body.is_empty() {
        let text = is_text(&parts.headers).then(|| std::str::from_utf8(body).ok()).flatten();
        event["isBase64Encoded"] = json!(text.is_none());
        event["body"] = json!(text.map_or_else(|| STANDARD.encode(body), str::to_owned));
    }
    event.to_string().into()
}

fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Headers in lower case, those of the same name joined.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for name in headers.keys() {
        let separator = if name == header::COOKIE { "; " } else { "," };
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        all.insert(name.as_str().to_owned(), json!(values.join(separator)));
    }
    all
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

fn parameters(query: &str) -> Value {
    let mut parameters = Map::<String, Value>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match parameters.get_mut(name.as_ref()) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(&value);
            }
            _ => {
                parameters.insert(name.into_owned(), json!(value));
            }
        }
    }
    Value::Object(parameters)
}

/// Whether a body of this type is passed as text; all others are passed in base64.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(kind.as_str(), "application/json" | "application/xml" | "application/javascript")
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    #[test]
    fn repeated_names_are_joined() {
        assert_eq!(super::parameters("a=1&b=x%20y&a=2"), json!({"a": "1,2", "b": "x y"}));
        let mut headers = HeaderMap::new();
        headers.append("x-a", "1".parse().expect("a value"));
        headers.append("X-A", "2".parse().expect("a value"));
        headers.append("cookie", "k=v; l=w".parse().expect("a value"));
        assert_eq!(super::joined(&headers)["x-a"], json!("1,2"));
        assert_eq!(super::cookies(&headers), ["k=v", "l=w"]);
    }

    #[test]
    fn text_is_known_by_its_type() {
        let is_text = |kind: &str| {
            super::is_text(
                &[("content-type".parse().expect("a name"), kind.parse().expect("a value"))].into_iter().collect(),
            )
        };
        assert!(is_text("text/plain; charset=utf-8") && is_text("application/JSON") && is_text("image/svg+xml"));
        assert!(!is_text("application/octet-stream") && !is_text("multipart/form-data; boundary=x"));
    }
}
