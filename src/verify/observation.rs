//! What was observed of a response: when its bytes arrived, how it started, and how it ended.

use std::time::Duration;

/// How much of the start of a body is kept, in bytes: enough to recognise every error that AWS or a runtime writes
/// there.
const KEPT: usize = 2048;

/// How lambda_runtime reports that a handler's stream failed: as text in the middle of the body, with status 200.
const ERROR_TEXT: &[u8] = b"Lambda-Runtime-Function-Error-Type:";

/// Chunks this far apart cannot have been buffered and sent together.
pub(super) const APART: Duration = Duration::from_millis(50);

/// A response, as far as it was read. All times are measured from sending the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub status: u16,
    /// The header `x-amzn-errortype`, which only AWS sends.
    pub error_type: Option<String>,
    pub headers_at: Duration,
    /// Reads that returned at least one byte.
    pub chunks: usize,
    pub bytes: u64,
    pub first_at: Option<Duration>,
    pub last_at: Option<Duration>,
    /// The first 2048 bytes at most.
    pub beginning: Vec<u8>,
    /// The runtime's report of a failed stream and what follows it, at most 2048 bytes.
    pub error_text: Option<Vec<u8>>,
    pub ending: Ending,
    pub ended_at: Duration,
    /// The end of the bytes searched for that report, because the next chunk may complete it.
    searched: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The sender ended the response.
    Complete,
    /// The check had seen enough and stopped reading.
    Stopped,
    /// The time limit for one request was reached.
    TimedOut,
    /// The transport failed, for this reason.
    Cut(String),
}

/// The part of an observation that is shown to users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub status: u16,
    /// Time to the first byte of the body, or to the headers if there is no body.
    pub first_byte: Duration,
    pub chunks: usize,
    pub bytes: u64,
    /// Time until reading ended.
    pub duration: Duration,
    /// Whether chunks arrived at least 50 ms apart; `None` if the whole response took less than that.
    pub streamed: Option<bool>,
}

impl Observation {
    /// A response whose headers have just arrived.
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

    /// Adds the bytes of one read.
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

    /// The time between the first chunk and the last one.
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
    }
}
