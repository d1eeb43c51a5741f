//! What is known of a decoded body while it arrives. However long it is, only a few kilobytes of it are kept.

use super::events::Events;
use super::mcp::Messages;
use crate::manifest::Check;
use std::io::{self, Write};

/// How much of the start of a body is kept, in bytes: enough to recognise every error that AWS or a runtime writes
/// there.
const KEPT: usize = 2048;

/// How lambda_runtime reports that a handler's stream failed: as text in the middle of the body, with status 200.
const ERROR_TEXT: &[u8] = b"Lambda-Runtime-Function-Error-Type:";

/// How much white space may follow the text with which a body must end, in bytes.
const WHITE_SPACE: usize = 256;

/// A body, as far as it was read and decoded.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Decoded bytes.
    pub(super) bytes: u64,
    /// The first 2048 bytes at most.
    pub(super) beginning: Vec<u8>,
    /// The runtime's report of a failed stream and what follows it, at most 2048 bytes.
    pub(super) error_text: Option<Vec<u8>>,
    /// The events, if the check requires an event stream.
    pub(super) events: Option<Events>,
    /// The messages, if an MCP server is asked.
    pub(super) messages: Option<Messages>,
    /// Looks for the runtime's report.
    report: Finder,
    /// Looks for what the body must contain.
    wanted: Option<Finder>,
    /// The last bytes, if the check says how the body must end.
    end: Option<Vec<u8>>,
    /// How many of them are kept.
    end_length: usize,
}

impl Body {
    pub(super) fn of(check: &Check) -> Body {
        let end_length = check.ends_with.as_ref().map_or(0, |text| text.len() + WHITE_SPACE);
        Body {
            events: check.sse.then(Events::default),
            report: Finder::of(ERROR_TEXT),
            wanted: check.contains.as_ref().map(|text| Finder::of(text.as_bytes())),
            end: check.ends_with.as_ref().map(|_| Vec::new()),
            end_length,
            ..Body::default()
        }
    }

    /// The same body, in which these messages are looked for.
    pub(super) fn with(self, messages: Option<Messages>) -> Body {
        Body { messages, ..self }
    }

    /// Whether the body contains what it must, as far as it was read.
    pub(super) fn contains_wanted(&self) -> bool {
        self.wanted.as_ref().is_none_or(|finder| finder.is_found)
    }

    /// The last bytes, without white space at their end.
    pub(super) fn end(&self) -> &[u8] {
        self.end.as_deref().unwrap_or_default().trim_ascii_end()
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        append(&mut self.beginning, bytes);
        match &mut self.error_text {
            Some(text) => append(text, bytes),
            None => {
                if let Some(found) = self.report.find(bytes) {
                    let mut text = Vec::new();
                    append(&mut text, &found);
                    self.error_text = Some(text);
                }
            }
        }
        if let Some(finder) = self.wanted.as_mut().filter(|finder| !finder.is_found) {
            finder.find(bytes);
        }
        if let Some(end) = &mut self.end {
            end.extend_from_slice(&bytes[bytes.len().saturating_sub(self.end_length)..]);
            end.drain(..end.len().saturating_sub(self.end_length));
        }
        if let Some(events) = &mut self.events {
            events.read(bytes);
        }
        if let Some(messages) = &mut self.messages {
            messages.read(bytes);
        }
    }
}

/// Decoders write into a body what they have decoded.
impl Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Finds a text that may be split between chunks.
#[derive(Debug, Default)]
struct Finder {
    text: Vec<u8>,
    /// The end of the bytes that were searched, because the next chunk may complete the text.
    searched: Vec<u8>,
    is_found: bool,
}

impl Finder {
    fn of(text: &[u8]) -> Finder {
        Finder { text: text.to_vec(), ..Finder::default() }
    }

    /// The text and what follows it in these bytes, once it is found.
    fn find(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.searched.extend_from_slice(bytes);
        let at = self.searched.windows(self.text.len()).position(|window| window == self.text);
        if let Some(at) = at {
            self.is_found = true;
            return Some(std::mem::take(&mut self.searched).split_off(at));
        }
        let keep = self.searched.len().min(self.text.len() - 1);
        self.searched.drain(..self.searched.len() - keep);
        None
    }
}

fn append(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT.saturating_sub(kept.len()).min(bytes.len());
    kept.extend_from_slice(&bytes[..room]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(check: &Check, pieces: &[&[u8]]) -> Body {
        let mut body = Body::of(check);
        pieces.iter().for_each(|piece| body.add(piece));
        body
    }

    #[test]
    fn memory_stays_small_however_much_is_read() {
        let check =
            Check { contains: Some("never".into()), ends_with: Some("x".into()), sse: true, ..Check::default() };
        let piece = [b'x'; 10_000];
        let body = body(&check, &[&piece[..]; 100]);
        assert_eq!(body.bytes, 1_000_000);
        assert_eq!(body.beginning.len(), KEPT);
        assert!(body.report.searched.len() < ERROR_TEXT.len());
        assert!(body.wanted.as_ref().is_some_and(|finder| finder.searched.len() < 5));
        assert_eq!(body.end.as_ref().map(Vec::len), Some(1 + WHITE_SPACE));
        assert!(body.events.as_ref().is_some_and(|events| events.kept() < 1000));
    }

    #[test]
    fn the_error_text_is_found_across_chunks() {
        let pieces: [&[u8]; 4] = [b"hello Lambda-Runtime-Func", b"tion-Error-", b"Type: Run", b"time.StreamError\r\n"];
        let body = body(&Check::default(), &pieces);
        let text = body.error_text.as_deref();
        assert_eq!(text, Some(&b"Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n"[..]));
    }

    #[test]
    fn a_text_is_found_wherever_it_is_split() {
        let (whole, check) = (
            b"one [END]\r\n\n",
            Check { contains: Some("[END]".into()), ends_with: Some("[END]".into()), ..Check::default() },
        );
        for cut in 0..whole.len() {
            let body = body(&check, &[&whole[..cut], &whole[cut..]]);
            assert!(body.contains_wanted() && body.end().ends_with(b"[END]"), "cut at {cut}");
        }
        let other = body(&check, &[b"[END", b" ]", b"[END"]);
        assert!(!other.contains_wanted() && !other.end().ends_with(b"[END]"));
    }
}
