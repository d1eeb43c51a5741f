//! Converts the answer of a function into the response to the client.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::request::{Refusal, UrlRequest};
use crate::sandbox::{Answer, LARGEST, Outcome};
use crate::wire::error::{Body, full};
use crate::wire::prelude::{Prelude, Reader};
use crate::world::url::Url;

/// What AWS puts before the name of a header that only the URL itself may send.
const REMAPPED: &str = "x-amzn-remapped-";

/// The headers that it renames in every answer.
const RENAMED: [&str; 2] = ["date", "www-authenticate"];

/// The content type of a streaming handler's answer that begins with a prelude.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

/// Answers the client. A streamed answer without a body stays open until `open_until`, if that is given.
pub(super) async fn convert(
    request: &UrlRequest,
    url: &Url,
    method: &Method,
    outcome: Outcome,
    open_until: Option<Instant>,
) -> Result<Response<Body>, Refusal> {
    let answer = match outcome {
        Outcome::Answer(answer) => answer,
        Outcome::Error { payload, last } => {
            let failed = format!("the function failed: {}", String::from_utf8_lossy(&payload));
            return Err(request.failed(if last.is_empty() { failed } else { format!("{last}\n{failed}") }));
        }
    };
    let kind = answer.content_type.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let prelude = answer.streaming && kind.starts_with(WITH_PRELUDE);
    match (url.streams(), prelude) {
        (true, true) => streamed(request, method, answer, open_until).await,
        (true, false) => {
            if !answer.streaming {
                request.note("a RESPONSE_STREAM url over a buffered handler: the client gets the raw answer");
            }
            let content_type = answer.content_type.clone().filter(|_| answer.streaming);
            Ok(raw(answer, content_type, open_until))
        }
        (false, true) => {
            request.note("a BUFFERED url over a streaming handler: the client gets nothing before the end");
            collected_stream(request, method, answer).await
        }
        (false, false) => buffered(request, method, answer).await,
    }
}

/// Reads the prelude, and what follows it in the same bytes.
async fn prelude(request: &UrlRequest, answer: &mut Answer) -> Result<(Prelude, Bytes), Refusal> {
    let mut reader = Reader::default();
    while let Some(bytes) = answer.next().await {
        let found = bytes.map_err(|error| error.to_string()).and_then(|bytes| reader.feed(&bytes));
        match found {
            Ok(Some((prelude, _))) if prelude.status_code.is_some_and(|code| !(200..=599).contains(&code)) => {
                return Err(request.failed(format!("no status: {}", prelude.status_code.unwrap_or_default())));
            }
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => {
                return Err(request.failed(format!("no prelude: {error}")));
            }
        }
    }
    Err(request.failed("the answer ended before its prelude did".to_owned()))
}

async fn streamed(
    request: &UrlRequest,
    method: &Method,
    mut answer: Answer,
    open_until: Option<Instant>,
) -> Result<Response<Body>, Refusal> {
    let (prelude, first) = prelude(request, &mut answer).await?;
    let mut response = head(request, &prelude)?;
    remap_length(response.headers_mut());
    if bodyless(method, response.status()) {
        let begun = drain(answer);
        // For HTTP such an answer is over with its head, so the head itself is held back: until the function has ended its
        // stream, because AWS keeps the answer open for as long.
        match open_until {
            Some(until) => sleep_until(until).await,
            None if first.is_empty() => begun.await,
            None => {}
        }
        return Ok(response.map(|_| full("")));
    }
    Ok(response.map(|()| body(first, answer, open_until)))
}

/// The answer of a streaming handler behind a BUFFERED URL: the same, but complete.
async fn collected_stream(
    request: &UrlRequest,
    method: &Method,
    mut answer: Answer,
) -> Result<Response<Body>, Refusal> {
    let (prelude, first) = prelude(request, &mut answer).await?;
    let mut response = head(request, &prelude)?;
    response.headers_mut().remove("content-length");
    let rest = collect(request, answer, LARGEST.saturating_sub(first.len())).await?;
    if bodyless(method, response.status()) {
        return Ok(response.map(|()| full("")));
    }
    Ok(response.map(|()| full([first, rest].concat())))
}

async fn collect(request: &UrlRequest, answer: Answer, limit: usize) -> Result<Bytes, Refusal> {
    answer
        .collect(limit)
        .await
        .map_err(|broken| request.failed(String::from_utf8_lossy(&broken.payload(&request.request_id)).into_owned()))
}

/// A complete answer: JSON with a `statusCode` describes the response, a string is sent as its text, and other JSON is
/// sent without its white space.
async fn buffered(request: &UrlRequest, method: &Method, answer: Answer) -> Result<Response<Body>, Refusal> {
    let bytes = collect(request, answer, LARGEST).await?;
    let whole = |bytes: Bytes| {
        let mut response = Response::new(full(bytes));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        Ok(response)
    };
    let members = match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) if members.get("statusCode").is_some_and(|code| !code.is_null()) => members,
        Ok(Value::String(text)) => return whole(text.into()),
        Ok(_) => return whole(compact(&bytes)),
        Err(_) => return whole(bytes),
    };
    let (prelude, content) = from_json(&members)
        .ok_or_else(|| request.failed("the answer has a `statusCode`, but is not of payload format 2.0".to_owned()))?;
    let mut response = head(request, &prelude)?;
    let headers = response.headers_mut();
    headers.remove("content-length");
    headers.entry("content-type").or_insert(HeaderValue::from_static("application/json"));
    let content = if bodyless(method, response.status()) { Bytes::new() } else { content };
    Ok(response.map(|()| full(content)))
}

/// JSON without white space between its tokens, in the same order.
fn compact(json: &[u8]) -> Bytes {
    let (mut quoted, mut escaped) = (false, false);
    let kept = json.iter().copied().filter(|byte| {
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        quoted || !byte.is_ascii_whitespace()
    });
    kept.collect()
}

fn from_json(members: &Map<String, Value>) -> Option<(Prelude, Bytes)> {
    let code = &members["statusCode"];
    let code = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    let list = |name: &str| members.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let prelude = Prelude {
        status_code: Some(u16::try_from(code).ok()?),
        headers: members.get("headers").and_then(Value::as_object).cloned().unwrap_or_default(),
        cookies: list("cookies").iter().filter_map(|cookie| cookie.as_str().map(str::to_owned)).collect(),
    };
    prelude.status_code.filter(|code| (200..=599).contains(code))?;
    let content = match members.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if members.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            STANDARD.decode(text).ok()?.into()
        }
        Some(Value::String(text)) => text.clone().into(),
        Some(other) => other.to_string().into(),
    };
    Some((prelude, content))
}

/// Status and headers, as far as they can be sent.
///
/// # Errors
/// 500 if the function sends a header under a name that the URL gives to renamed headers.
fn head(request: &UrlRequest, prelude: &Prelude) -> Result<Response<()>, Refusal> {
    if let Some(name) = prelude.headers.keys().find(|name| name.to_ascii_lowercase().starts_with(REMAPPED)) {
        let why = format!("the answer has a header `{name}`, which only the URL may send");
        return Err(request.failed_with(StatusCode::INTERNAL_SERVER_ERROR, why));
    }
    let mut response = Response::new(());
    *response.status_mut() =
        prelude.status_code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in &prelude.headers {
        // A function cannot set the headers of the connection.
        let hop =
            ["connection", "transfer-encoding", "keep-alive", "upgrade"].contains(&name.to_ascii_lowercase().as_str());
        let Some(name) = name.parse::<HeaderName>().ok().filter(|_| !hop) else { continue };
        for value in values(value) {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(name.clone(), value);
            }
        }
    }
    for cookie in &prelude.cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            headers.append("set-cookie", cookie);
        }
    }
    RENAMED.iter().for_each(|name| remap(headers, name));
    Ok(response)
}

/// Renames a header, as AWS does.
fn remap(headers: &mut HeaderMap, name: &'static str) {
    let Ok(remapped) = format!("{REMAPPED}{name}").parse::<HeaderName>() else { return };
    let values: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    for value in values {
        headers.append(remapped.clone(), value);
    }
}

/// A header's values: some runtime clients write several as a list.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Array(several) => several.iter().flat_map(values).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// Renames the function's `Content-Length`, as AWS does: the length of a stream is not known before its end.
fn remap_length(headers: &mut HeaderMap) {
    remap(headers, "content-length");
    headers.entry("content-type").or_insert(HeaderValue::from_static("application/octet-stream"));
}

fn bodyless(method: &Method, status: StatusCode) -> bool {
    method == Method::HEAD || status.is_informational() || matches!(status.as_u16(), 204 | 304)
}

/// Reads the rest and drops it, so that the function can finish. The result is ready once the function has sent a byte or
/// ended its stream.
fn drain(mut answer: Answer) -> impl Future<Output = ()> {
    let (sender, begun) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut sender = Some(sender);
        while let Some(next) = answer.next().await {
            if next.is_ok_and(|bytes| !bytes.is_empty()) {
                drop(sender.take());
            }
        }
    });
    async move { drop(begun.await) }
}

fn raw(answer: Answer, content_type: Option<HeaderValue>, open_until: Option<Instant>) -> Response<Body> {
    let mut response = Response::new(body(Bytes::new(), answer, open_until));
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert("content-type", content_type);
    response
}

/// The rest of an answer, piece by piece. If it was cut, it ends in an error, which breaks the client's connection. So
/// does an answer without a single byte, at the moment until which it stays open.
fn body(first: Bytes, answer: Answer, open_until: Option<Instant>) -> Body {
    let pieces = stream::unfold((first, answer, open_until), |(first, mut answer, open_until)| async move {
        if !first.is_empty() {
            return Some((Ok(Frame::data(first)), (Bytes::new(), answer, None)));
        }
        let Some(next) = answer.next().await else {
            sleep_until(open_until?).await;
            let error = std::io::Error::other("an answer without a body stays open until the function's timeout");
            return Some((Err(error), (Bytes::new(), answer, None)));
        };
        if next.is_err() {
            // An error breaks the connection at once, so this lets hyper send what came before it.
            tokio::task::yield_now().await;
        }
        let open_until = open_until.filter(|_| next.as_ref().is_ok_and(Bytes::is_empty));
        Some((next.map(Frame::data), (Bytes::new(), answer, open_until)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn white_space_goes_between_words_alone() {
        for (given, sent) in [
            (r#"{"hello": "world"}"#, r#"{"hello":"world"}"#),
            ("[\"hello\",\t3,\n true]", r#"["hello",3,true]"#),
            (r#"{ "a b" : "c \" d" , "e\\" : 1.0 }"#, r#"{"a b":"c \" d","e\\":1.0}"#),
            (r#" "\\\" x" "#, r#""\\\" x""#),
        ] {
            assert_eq!(compact(given.as_bytes()), sent);
        }
    }
}
