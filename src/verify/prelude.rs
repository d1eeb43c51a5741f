//! The head of a response that did not arrive over HTTP: a prelude in front of a stream, or a single JSON document.

use super::observation::Head;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Separates the prelude from the body.
const END: [u8; 8] = [0; 8];

/// The longest prelude that is recognised, in bytes.
const LARGEST: usize = 64 * 1024;

/// Collects the start of a response, in chunks of any size, until it is clear whether a prelude starts it. Lambda's
/// streaming invocation does not reliably say so, so the bytes decide.
#[derive(Default)]
pub(super) struct Beginning {
    gathered: Vec<u8>,
}

/// How a response starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// More bytes are needed to decide.
    Unclear,
    /// A prelude with this head, and the first bytes of the body.
    Prelude(Head, Vec<u8>),
    /// The body starts immediately.
    Body,
}

impl Beginning {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Lead {
        self.gathered.extend_from_slice(bytes);
        let mut values = serde_json::Deserializer::from_slice(&self.gathered).into_iter::<Value>();
        let head = match values.next() {
            None => return Lead::Unclear,
            Some(Err(error)) if error.is_eof() && self.gathered.len() <= LARGEST => return Lead::Unclear,
            Some(Ok(head)) if head.is_object() => head,
            Some(_) => return Lead::Body,
        };
        let rest = &self.gathered[values.byte_offset()..];
        if rest.len() < END.len() && END.starts_with(rest) {
            return Lead::Unclear;
        }
        match rest.strip_prefix(&END) {
            // If AWS cannot interpret the handler's status, it answers in its place.
            Some(body) => {
                let status = head.get("statusCode").map_or(Some(200), status).unwrap_or(502);
                let headers = headers(&head, "application/octet-stream");
                Lead::Prelude(Head { status, headers }, body.to_vec())
            }
            None => Lead::Body,
        }
    }
}

/// The head and body that a buffered URL would send for a buffered handler's response.
pub(super) fn unfold(answer: &[u8]) -> (Head, Vec<u8>) {
    const JSON: &str = "application/json";
    let of =
        |status: u16| (Head { status, headers: vec![("content-type".to_owned(), JSON.to_owned())] }, answer.to_vec());
    let Ok(described) = serde_json::from_slice::<Value>(answer) else { return of(200) };
    let Some(code) = described.get("statusCode") else { return of(200) };
    // If AWS cannot interpret the handler's response, it answers in its place.
    let Some(status) = status(code) else { return of(502) };
    let head = Head { status, headers: headers(&described, JSON) };
    let text = described.get("body").and_then(Value::as_str).unwrap_or_default();
    let encoded = described.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    match encoded.then(|| STANDARD.decode(text)) {
        Some(Ok(bytes)) => (head, bytes),
        Some(Err(_)) => of(502),
        None => (head, text.as_bytes().to_vec()),
    }
}

/// The headers of a response that is described in JSON, and the content type that AWS adds if there is none.
fn headers(described: &Value, content_type: &str) -> Vec<(String, String)> {
    let members = described.get("headers").and_then(Value::as_object).into_iter().flatten();
    let mut headers: Vec<(String, String)> =
        members.flat_map(|(name, value)| values(value).into_iter().map(|value| (name.to_lowercase(), value))).collect();
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), content_type.to_owned()));
    }
    headers
}

/// A header's values: some adapters write several as a list.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Array(several) => several.iter().flat_map(values).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn status(code: &Value) -> Option<u16> {
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (100..=999).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, content_type: &str) -> Head {
        Head { status, headers: vec![("content-type".into(), content_type.into())] }
    }

    fn prelude(status: u16, body: &[u8]) -> Lead {
        Lead::Prelude(head(status, "application/octet-stream"), body.to_vec())
    }

    #[test]
    fn a_prelude_is_found_however_it_is_cut() {
        let whole = b"{\"statusCode\":201,\"headers\":{}}\0\0\0\0\0\0\0\0hello";
        let head = whole.len() - 5;
        for cut in 0..whole.len() {
            let mut beginning = Beginning::default();
            let first = beginning.feed(&whole[..cut]);
            if cut < head {
                assert_eq!(first, Lead::Unclear, "cut at {cut}");
                assert_eq!(beginning.feed(&whole[cut..]), prelude(201, b"hello"), "cut at {cut}");
            } else {
                assert_eq!(first, prelude(201, &whole[head..cut]), "cut at {cut}");
            }
        }
        assert_eq!(Beginning::default().feed(b"{}\0\0\0\0\0\0\0\0"), prelude(200, b""));
        assert_eq!(Beginning::default().feed(b"{\"statusCode\":[]}\0\0\0\0\0\0\0\0"), prelude(502, b""));
    }

    #[test]
    fn a_body_without_a_prelude_is_known_at_once() {
        for body in ["words", "[1]", "{\"token\":1}\n{\"token\":2}", "{\"a\":1}x", "{nonsense", "7 "] {
            assert_eq!(Beginning::default().feed(body.as_bytes()), Lead::Body, "{body}");
        }
        for open in ["", " ", "{", "{\"token\":1}"] {
            assert_eq!(Beginning::default().feed(open.as_bytes()), Lead::Unclear, "{open}");
        }
    }

    #[test]
    fn a_buffered_answer_is_unfolded_as_a_url_does() {
        let json = |status| head(status, "application/json");
        assert_eq!(unfold(br#"{"statusCode":404,"body":"no"}"#), (json(404), b"no".to_vec()));
        assert_eq!(
            unfold(br#"{"statusCode":"200","body":"aGk=","isBase64Encoded":true}"#),
            (json(200), b"hi".to_vec())
        );
        assert_eq!(unfold(br#"{"answer":1}"#), (json(200), br#"{"answer":1}"#.to_vec()));
        assert_eq!(unfold(br#"{"statusCode":{}}"#).0, json(502));
        let described = br#"{"statusCode":200,"headers":{"Content-Type":"text/html","Vary":["a","b"],"X":1}}"#;
        let expected = [("content-type", "text/html"), ("vary", "a"), ("vary", "b"), ("x", "1")];
        assert_eq!(unfold(described).0.headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
