//! The prelude of a streaming answer: JSON and eight NUL bytes, which may arrive in any pieces.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Map, Value};

const DELIMITER: [u8; 8] = [0; 8];
/// If there is no delimiter in this many bytes, there is none.
const LONGEST: usize = 1024 * 1024;

/// Status, headers and cookies that a streaming handler sends before its body.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Prelude {
    pub(crate) status_code: Option<u16>,
    pub(crate) headers: Map<String, Value>,
    pub(crate) cookies: Vec<String>,
}

/// Collects bytes until the prelude is complete.
#[derive(Default)]
pub(crate) struct Reader {
    seen: BytesMut,
}

impl Reader {
    /// Takes the next bytes; returns the prelude, and the bytes after it, once the delimiter has arrived.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Option<(Prelude, Bytes)>, String> {
        let from = self.seen.len().saturating_sub(DELIMITER.len() - 1);
        self.seen.extend_from_slice(bytes);
        let found = self.seen[from..].windows(DELIMITER.len()).position(|window| window == DELIMITER);
        let Some(at) = found.map(|at| from + at) else {
            return if self.seen.len() > LONGEST { Err("no delimiter in the first megabyte".into()) } else { Ok(None) };
        };
        let mut head = self.seen.split();
        let body = head.split_off(at + DELIMITER.len()).freeze();
        head.truncate(at);
        let prelude = serde_json::from_slice(&head).map_err(|error| format!("the prelude is not JSON: {error}"))?;
        Ok(Some((prelude, body)))
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    const WHOLE: &[u8] = b"{\"statusCode\":201,\"headers\":{\"a\":\"b\"},\"cookies\":[\"c=d\"]}\0\0\0\0\0\0\0\0body";

    #[test]
    fn the_head_is_found_however_the_bytes_are_cut() {
        for cut in 0..WHOLE.len() {
            let mut reader = Reader::default();
            let mut rest = Vec::new();
            let mut found = None;
            for piece in [&WHOLE[..cut], &WHOLE[cut..]] {
                if found.is_some() {
                    rest.extend_from_slice(piece);
                } else if let Some((prelude, body)) = reader.feed(piece).expect("a good head") {
                    found = Some(prelude);
                    rest.extend_from_slice(&body);
                }
            }
            let prelude = found.expect("a head");
            assert_eq!(prelude.status_code, Some(201));
            assert_eq!(prelude.cookies, ["c=d"]);
            assert_eq!(rest, b"body", "cut at {cut}");
        }
    }

    #[test]
    fn a_head_that_is_not_json_is_an_error() {
        assert!(Reader::default().feed(b"hello\0\0\0\0\0\0\0\0").is_err());
    }
}
