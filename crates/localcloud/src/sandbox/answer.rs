//! A function's answer while it is being made.

use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Pace;
use super::pipe::{Piece, Receiver};
use crate::runtime::Word;

/// The largest buffered answer: 6 MB and 100 bytes, as AWS's own error has it.
pub(crate) const LARGEST: usize = 6_291_556;

/// Why an answer ended before its end, as JSON with `errorType` and `errorMessage`, where that is known.
pub(crate) type Failure = Arc<OnceLock<Bytes>>;

/// A body that arrives piece by piece.
pub(crate) struct Answer {
    /// Whether the runtime said that it streams.
    pub(crate) streaming: bool,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) pieces: Receiver,
    pub(crate) over: bool,
    pub(crate) pace: Pace,
    /// What is wrong with the rest.
    pub(crate) too_long: Option<String>,
    pub(crate) failure: Failure,
    /// To tell the instance of what happens here.
    pub(crate) words: mpsc::UnboundedSender<Word>,
}

/// Why there is no whole body.
pub(crate) enum Spoiled {
    Cut(Option<Bytes>),
    TooLarge,
}

impl Spoiled {
    /// The error in the function's place.
    pub(crate) fn payload(&self, request_id: &str) -> Bytes {
        let (kind, message) = match self {
            Self::Cut(Some(failure)) => return failure.clone(),
            Self::Cut(None) => (
                "Runtime.ExitError",
                format!("RequestId: {request_id} Error: Runtime exited without providing a reason"),
            ),
            Self::TooLarge => (
                "Function.ResponseSizeTooLarge",
                format!("Response payload size exceeded maximum allowed payload size ({LARGEST} bytes)."),
            ),
        };
        serde_json::json!({"errorType": kind, "errorMessage": message}).to_string().into()
    }
}

impl Answer {
    /// The next bytes when they may go; an error once if the body was cut, or is too long for a stream.
    pub(crate) async fn next(&mut self) -> Option<std::io::Result<Bytes>> {
        if let Some(message) = self.too_long.take() {
            self.over = true;
            return Some(Err(std::io::Error::other(message)));
        }
        let bytes = match self.arrived().await? {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error)),
        };
        let now = Instant::now();
        let (fits, at) = self.pace.admit(now, bytes.len());
        if fits < bytes.len() {
            let size = self.pace.size();
            let message = format!("Response payload size exceeded maximum allowed payload size ({size} bytes).");
            let _ = self.words.send(Word::TooLong(format!("its stream was cut: {message}")));
            self.too_long = Some(message);
        }
        if at > now {
            sleep_until(at).await;
        }
        Some(Ok(bytes.slice(..fits)))
    }

    /// What has come; an error once if the body was cut.
    async fn arrived(&mut self) -> Option<std::io::Result<Bytes>> {
        if self.over {
            return None;
        }
        match self.pieces.recv().await {
            Some(Piece::Chunk(bytes)) => return Some(Ok(bytes)),
            Some(Piece::End) => self.over = true,
            None => {
                self.over = true;
                let cut = std::io::Error::new(ErrorKind::UnexpectedEof, "the function's answer was cut");
                return Some(Err(cut));
            }
        }
        None
    }

    /// What an error of `next` is to a client that asks for more than bytes.
    pub(crate) fn explain(&self, error: &std::io::Error, request_id: &str) -> String {
        if error.kind() != ErrorKind::UnexpectedEof {
            return error.to_string();
        }
        String::from_utf8_lossy(&self.cut().payload(request_id)).into_owned()
    }

    fn cut(&self) -> Spoiled {
        Spoiled::Cut(self.failure.get().cloned())
    }

    /// The whole body, up to a limit; what is beyond is still drained by the Runtime API.
    pub(crate) async fn collect(mut self, limit: usize) -> Result<Bytes, Spoiled> {
        let mut body = BytesMut::new();
        while let Some(bytes) = self.arrived().await {
            let bytes = bytes.map_err(|_| self.cut())?;
            if body.len() + bytes.len() > limit {
                let _ = self.words.send(Word::TooLong(format!("its answer is larger than {limit} bytes")));
                return Err(Spoiled::TooLarge);
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body.freeze())
    }
}
