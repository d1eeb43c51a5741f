//! The head of a response that did not arrive over HTTP: a prelude in front of a stream, or a single JSON document.

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
    /// A prelude with this status, and the first bytes of the body.
    Prelude(u16, Vec<u8>),
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
            Some(body) => Lead::Prelude(head.get("statusCode").map_or(Some(200), status).unwrap_or(502), body.to_vec()),
            None => Lead::Body,
        }
    }
}

/// Status and body that a buffered URL would send for a buffered handler's response.
pub(super) fn unfold(answer: &[u8]) -> (u16, Vec<u8>) {
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(answer) else { return (200, answer.to_vec()) };
    let Some(code) = members.get("statusCode") else { return (200, answer.to_vec()) };
    // If AWS cannot interpret the handler's response, it answers in its place.
    let Some(code) = status(code) else { return (502, answer.to_vec()) };
    let text = members.get("body").and_then(Value::as_str).unwrap_or_default();
    let encoded = members.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    match encoded.then(|| STANDARD.decode(text)) {
        Some(Ok(bytes)) => (code, bytes),
        Some(Err(_)) => (502, answer.to_vec()),
        None => (code, text.as_bytes().to_vec()),
    }
}

fn status(code: &Value) -> Option<u16> {
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (100..=999).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prelude_is_found_however_it_is_cut() {
        let whole = b"{\"statusCode\":201,\"headers\":{}}\0\0\0\0\0\0\0\0hello";
        let head = whole.len() - 5;
        for cut in 0..whole.len() {
            let mut beginning = Beginning::default();
            let first = beginning.feed(&whole[..cut]);
            if cut < head {
                assert_eq!(first, Lead::Unclear, "cut at {cut}");
                assert_eq!(beginning.feed(&whole[cut..]), Lead::Prelude(201, b"hello".to_vec()), "cut at {cut}");
            } else {
                assert_eq!(first, Lead::Prelude(201, whole[head..cut].to_vec()), "cut at {cut}");
            }
        }
        assert_eq!(Beginning::default().feed(b"{}\0\0\0\0\0\0\0\0"), Lead::Prelude(200, Vec::new()));
        assert_eq!(Beginning::default().feed(b"{\"statusCode\":[]}\0\0\0\0\0\0\0\0"), Lead::Prelude(502, Vec::new()));
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
        assert_eq!(unfold(br#"{"statusCode":404,"body":"no"}"#), (404, b"no".to_vec()));
        assert_eq!(unfold(br#"{"statusCode":"200","body":"aGk=","isBase64Encoded":true}"#), (200, b"hi".to_vec()));
        assert_eq!(unfold(br#"{"answer":1}"#), (200, br#"{"answer":1}"#.to_vec()));
        assert_eq!(unfold(br#"{"statusCode":{}}"#).0, 502);
    }
}
