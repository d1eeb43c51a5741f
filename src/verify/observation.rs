//! What was seen of one answer: when its bytes came, how it began, and how it ended.

use std::time::Duration;

/// How much of a body's beginning is kept, in bytes: enough to know any error that AWS or a runtime writes there.
const KEPT: usize = 2048;

/// How lambda_runtime begins when a handler's stream fails: as text in the middle of the body, with status 200.
const ERROR_TEXT: &[u8] = b"Lambda-Runtime-Function-Error-Type:";

/// Chunks so far apart cannot have been collected and sent in one piece.
pub const APART: Duration = Duration::from_millis(50);

/// One answer, as far as it was read. All times are measured from the moment when the request was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub status: u16,
    /// The header `x-amzn-errortype`, which only AWS itself sends.
    pub error_type: Option<String>,
    pub headers_at: Duration,
    /// Reads of the transport with at least one byte.
    pub chunks: usize,
    pub bytes: u64,
    pub first_at: Option<Duration>,
    pub last_at: Option<Duration>,
    /// At most the first 2048 bytes.
    pub beginning: Vec<u8>,
    /// From where the runtime reports a failed stream in the body, at most 2048 bytes.
    pub error_text: Option<Vec<u8>>,
    pub ending: Ending,
    pub ended_at: Duration,
    /// The last bytes of what was searched for the error text, in case the next chunk completes it.
    searched: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The sender said that this was all.
    Complete,
    /// Enough was seen, so reading stopped.
    Stopped,
    /// The time for one request was over.
    TimedOut,
    /// The transport broke, for this reason.
    Cut(String),
}

/// What is shown of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub status: u16,
    /// Until the first byte of the body, or the headers where there is no body.
    pub first_byte: Duration,
    pub chunks: usize,
    pub bytes: u64,
    /// Until reading ended.
    pub duration: Duration,
    /// Whether chunks came at least 50 ms apart; `None` when the whole answer took less.
    pub streamed: Option<bool>,
    /// Whether the answer was read to its end.
    pub complete: bool,
}

impl Observation {
    /// An answer whose headers have just come.
    pub fn begin(status: u16, headers_at: Duration) -> Observation {
        Observation {
            status,
            error_type: None,
            headers_at,
            chunks: 0,
            bytes: 0,
            first_at: None,
            last_at: None,
            beginning: Vec::new(),
            error_text: None,
            ending: Ending::Stopped,
            ended_at: headers_at,
            searched: Vec::new(),
        }
    }

    /// Takes in the bytes of one read of the transport.
    pub fn chunk(&mut self, at: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.chunks += 1;
        self.bytes += bytes.len() as u64;
        self.first_at.get_or_insert(at);
        self.last_at = Some(at);
        append(&mut self.beginning, bytes);
        self.search(bytes);
    }

    pub fn end(&mut self, at: Duration, ending: Ending) {
        self.ended_at = at;
        self.ending = ending;
    }

    /// How far the first chunk and the last one are apart.
    pub fn spread(&self) -> Duration {
        self.last_at.unwrap_or_default().saturating_sub(self.first_at.unwrap_or_default())
    }

    pub fn seen(&self) -> Seen {
        Seen {
            status: self.status,
            first_byte: self.first_at.unwrap_or(self.headers_at),
            chunks: self.chunks,
            bytes: self.bytes,
            duration: self.ended_at,
            streamed: (self.ended_at >= APART).then(|| self.spread() >= APART),
            complete: self.ending == Ending::Complete,
        }
    }

    fn search(&mut self, bytes: &[u8]) {
        if let Some(text) = &mut self.error_text {
            append(text, bytes);
            return;
        }
        self.searched.extend_from_slice(bytes);
        let found = self.searched.windows(ERROR_TEXT.len()).position(|window| window == ERROR_TEXT);
        match found {
            Some(at) => {
                let mut text = Vec::new();
                append(&mut text, &self.searched[at..]);
                self.error_text = Some(text);
                self.searched.clear();
            }
            None => {
                let keep = self.searched.len().min(ERROR_TEXT.len() - 1);
                self.searched.drain(..self.searched.len() - keep);
            }
        }
    }
}

fn append(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT.saturating_sub(kept.len()).min(bytes.len());
    kept.extend_from_slice(&bytes[..room]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn memory_stays_small_however_much_is_read() {
        let mut observation = Observation::begin(200, ms(1));
        for at in 0..100 {
            observation.chunk(ms(at), &[b'x'; 10_000]);
        }
        assert_eq!((observation.bytes, observation.chunks), (1_000_000, 100));
        assert_eq!(observation.beginning.len(), KEPT);
        assert!(observation.searched.len() < ERROR_TEXT.len());
    }

    #[test]
    fn the_error_text_is_found_across_chunks() {
        let mut observation = Observation::begin(200, ms(1));
        for piece in ["hello Lambda-Runtime-Func", "tion-Error-", "Type: Run", "time.StreamError\r\n"] {
            observation.chunk(ms(2), piece.as_bytes());
        }
        let text = observation.error_text.unwrap();
        assert_eq!(text, b"Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n");
    }

    #[test]
    fn what_is_seen_follows_from_the_times() {
        let mut observation = Observation::begin(200, ms(5));
        assert_eq!(observation.seen().first_byte, ms(5));
        observation.chunk(ms(9), b"");
        observation.chunk(ms(10), b"a");
        observation.end(ms(49), Ending::Complete);
        assert_eq!(observation.seen().first_byte, ms(10));
        assert_eq!(observation.seen().streamed, None);
        observation.end(ms(50), Ending::Complete);
        assert_eq!(observation.seen().streamed, Some(false));
        observation.chunk(ms(60), b"b");
        observation.end(ms(60), Ending::Complete);
        assert_eq!(observation.seen().streamed, Some(true));
        assert!(observation.seen().complete);
    }
}
