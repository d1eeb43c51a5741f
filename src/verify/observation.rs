//! What was observed of a response: its head, when its bytes arrived, and how it ended.

use super::body::Body;
use super::decoder::Decoder;
use super::mcp::{McpSeen, Messages};
use super::quote::words;
use super::signs;
use crate::manifest::Check;
use std::time::Duration;

/// Chunks this far apart cannot have been buffered and sent together.
pub(super) const APART: Duration = Duration::from_millis(50);

/// The media type of an event stream.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// The status and headers of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// In the order in which they arrived, with names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A response, as far as it was read. All times are measured from sending the request.
pub struct Observation {
    pub head: Head,
    /// Whether a version answered, without a URL in front of it.
    pub is_of_version: bool,
    pub headers_at: Duration,
    /// Reads after which more of the body could be decoded.
    pub chunks: usize,
    /// Bytes as transferred.
    pub bytes: u64,
    pub first_at: Option<Duration>,
    pub last_at: Option<Duration>,
    /// The longest time without a chunk, and whether it was before the first one.
    pub gap: (Duration, bool),
    pub ending: Ending,
    pub ended_at: Duration,
    /// Why the body could not be decoded.
    pub undecodable: Option<String>,
    /// When the first and last bytes arrived, decodable or not.
    arrived: Option<(Duration, Duration)>,
    decoder: Decoder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The sender ended the response.
    Complete,
    /// The check had seen enough and stopped reading.
    Stopped,
    /// The response did not end within the check's limit.
    Endless,
    /// No chunk arrived for longer than the check allows.
    Silent,
    /// The time limit for one request was reached.
    TimedOut,
    /// The transport failed, for this reason.
    Cut(String),
}

/// The part of an observation that is shown to users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub status: u16,
    /// Time to the first byte of the body, or to the headers of a response without a body.
    pub first_byte: Duration,
    pub chunks: usize,
    pub bytes: u64,
    /// Time until reading ended.
    pub duration: Duration,
    /// Whether chunks arrived at least 50 ms apart; `None` if the whole response took less than that.
    pub streamed: Option<bool>,
    /// Whether the app refused the request because of its host.
    pub refuses_host: bool,
    /// What an MCP server said of itself, if one was asked.
    pub mcp: Option<McpSeen>,
}

impl Head {
    /// The values of a header, whose name is in lower case.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The content type in lower case, without its parameters.
    pub(super) fn media_type(&self) -> Option<String> {
        let value = self.values("content-type").next()?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The encoding of the body, if it is not plain.
    pub(super) fn encoding(&self) -> Option<&str> {
        self.values("content-encoding").find(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"))
    }
}

impl Observation {
    /// A response whose head has just arrived. `check` decides what is looked for in its body.
    pub fn begin(check: &Check, head: Head, headers_at: Duration) -> Observation {
        let messages = check.is_mcp().then(|| Messages::of(head.media_type().as_deref() == Some(EVENT_STREAM)));
        let decoder = Decoder::of(head.encoding().unwrap_or_default(), Body::of(check).with(messages));
        Observation {
            head,
            is_of_version: false,
            headers_at,
            chunks: 0,
            bytes: 0,
            first_at: None,
            last_at: None,
            gap: (Duration::ZERO, true),
            ending: Ending::Stopped,
            ended_at: headers_at,
            undecodable: None,
            arrived: None,
            decoder,
        }
    }

    /// The same of a version, which answers without a URL in front of it.
    pub(super) fn of_version(self) -> Observation {
        Observation { is_of_version: true, ..self }
    }

    /// Adds the bytes of one read.
    pub fn chunk(&mut self, at: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes += bytes.len() as u64;
        let (first, _) = self.arrived.unwrap_or((at, at));
        self.arrived = Some((first, at));
        let before = self.decoder.body().bytes;
        if self.undecodable.is_none() {
            self.undecodable = self.decoder.read(bytes).err().map(|error| error.to_string());
        }
        if self.decoder.body().bytes > before {
            self.chunks += 1;
            self.pause(at);
            self.first_at.get_or_insert(at);
            self.last_at = Some(at);
        }
    }

    pub fn end(&mut self, at: Duration, ending: Ending) {
        if ending == Ending::Complete && self.bytes > 0 && self.undecodable.is_none() {
            let before = self.decoder.body().bytes;
            self.undecodable = self.decoder.finish().err().map(|_| "its end is missing".to_owned());
            if self.decoder.body().bytes > before {
                self.chunks += 1;
                self.first_at.get_or_insert(at);
                self.last_at = Some(at);
            }
        }
        if ending != Ending::Stopped {
            self.pause(at);
        }
        self.ended_at = at;
        self.ending = ending;
    }

    /// The decoded body, as far as it is known.
    pub(super) fn body(&self) -> &Body {
        self.decoder.body()
    }

    /// The encoding of the body, if it cannot be decoded here.
    pub(super) fn unknown_encoding(&self) -> Option<&str> {
        self.head.encoding().filter(|_| self.decoder.is_plain())
    }

    /// The time between the first chunk and the last one.
    pub fn spread(&self) -> Duration {
        self.last_at.unwrap_or_default().saturating_sub(self.first_at.unwrap_or_default())
    }

    /// Whether bytes of a compressed body arrived apart, although they could only be decoded together.
    pub(super) fn is_held_back_by_encoding(&self) -> bool {
        !self.decoder.is_plain() && self.arrived.is_some_and(|(first, last)| last - first >= APART)
    }

    pub fn seen(&self) -> Seen {
        Seen {
            status: self.head.status,
            first_byte: self.first_at.unwrap_or(self.headers_at),
            chunks: self.chunks,
            bytes: self.bytes,
            duration: self.ended_at,
            streamed: (self.ended_at >= APART).then(|| self.spread() >= APART),
            refuses_host: matches!(self.head.status, 400 | 403 | 421)
                && signs::is_about_host(&words(&self.body().beginning)),
            mcp: None,
        }
    }

    /// Counts the silence that ends now. A response without a body has none before its end.
    fn pause(&mut self, at: Duration) {
        let silence = at.saturating_sub(self.last_at.unwrap_or_default());
        if silence > self.gap.0 {
            self.gap = (silence, self.last_at.is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder::tests::flushed;
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn begin(headers: &[(&str, &str)]) -> Observation {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Observation::begin(&Check::default(), Head { status: 200, headers }, ms(5))
    }

    #[test]
    fn what_is_seen_follows_from_the_times() {
        let mut observation = begin(&[]);
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

    #[test]
    fn the_longest_silence_is_known_with_its_place() {
        let mut observation = begin(&[]);
        observation.chunk(ms(30), b"a");
        assert_eq!(observation.gap, (ms(30), true));
        observation.chunk(ms(80), b"b");
        assert_eq!(observation.gap, (ms(50), false));
        observation.end(ms(120), Ending::Complete);
        assert_eq!(observation.gap, (ms(50), false));
        let mut silent = begin(&[]);
        silent.end(ms(90), Ending::Silent);
        assert_eq!(silent.gap, (ms(90), true));
    }

    #[test]
    fn a_compressed_chunk_counts_when_it_can_be_decoded() {
        let pieces = flushed();
        let compressed = [("content-encoding", "gzip")];
        let mut streams = begin(&compressed);
        pieces.iter().zip([10, 100, 200]).for_each(|(piece, at)| streams.chunk(ms(at), piece));
        streams.end(ms(200), Ending::Complete);
        assert_eq!((streams.chunks, streams.spread(), streams.undecodable.as_deref()), (2, ms(90), None));
        // Without a flush, an encoder sends its header first and everything else at the end.
        let whole = pieces.concat();
        let mut held_back = begin(&compressed);
        held_back.chunk(ms(10), &whole[..10]);
        held_back.chunk(ms(200), &whole[10..]);
        held_back.end(ms(200), Ending::Complete);
        assert_eq!((held_back.chunks, held_back.is_held_back_by_encoding()), (1, true));
        let mut cut = begin(&compressed);
        cut.chunk(ms(10), &whole[..whole.len() - 3]);
        cut.end(ms(10), Ending::Complete);
        assert_eq!(cut.undecodable.as_deref(), Some("its end is missing"));
    }
}
