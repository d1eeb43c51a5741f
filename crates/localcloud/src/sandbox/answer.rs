//! A function's answer while it is being produced.

use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::message::RuntimeMessage;
use super::pipe::{Piece, Receiver};
use crate::limits::stream::StreamLimit;

/// The largest buffered answer: 6 MB and 100 bytes, as AWS's own error has it.
pub(crate) const LARGEST: usize = 6_291_556;

/// Why an answer was cut, as JSON with `errorType` and `errorMessage`; empty until that is known.
pub(super) type FailureReason = Arc<OnceLock<Bytes>>;

/// A body that arrives piece by piece.
pub(crate) struct Answer {
    /// Whether the runtime declared it as streaming.
    pub(crate) streaming: bool,
    pub(crate) content_type: Option<HeaderValue>,
    pub(super) pieces: Receiver,
    pub(super) over: bool,
    pub(super) limit: StreamLimit,
    /// The error that follows the last bytes of a stream that is too long.
    pub(super) too_long: Option<String>,
    pub(super) failure: FailureReason,
    /// To the instance.
    pub(super) messages: mpsc::UnboundedSender<RuntimeMessage>,
}

/// Why there is no complete body.
pub(crate) enum BrokenAnswer {
    Cut(Option<Bytes>),
    TooLarge,
}

impl BrokenAnswer {
    /// The error that takes the place of the function's answer.
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
    /// The next bytes, once the stream's rate allows them; one error if the body was cut, or is too long for a stream.
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
        let (fits, at) = self.limit.admit(now, bytes.len());
        if fits < bytes.len() {
            let size = self.limit.size();
            let message = format!("Response payload size exceeded maximum allowed payload size ({size} bytes).");
            let _ = self.messages.send(RuntimeMessage::TooLong(format!("its stream was cut: {message}")));
            self.too_long = Some(message);
        }
        if at > now {
            sleep_until(at).await;
        }
        Some(Ok(bytes.slice(..fits)))
    }

    /// The next bytes as they arrive; one error if the body was cut.
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

    /// The details of an error of `next`, for clients of the API.
    pub(crate) fn explain(&self, error: &std::io::Error, request_id: &str) -> String {
        if error.kind() != ErrorKind::UnexpectedEof {
            return error.to_string();
        }
        String::from_utf8_lossy(&self.cut_error().payload(request_id)).into_owned()
    }

    fn cut_error(&self) -> BrokenAnswer {
        BrokenAnswer::Cut(self.failure.get().cloned())
    }

    /// The whole body, up to a limit; the Runtime API still drains the rest.
    pub(crate) async fn collect(mut self, limit: usize) -> Result<Bytes, BrokenAnswer> {
        let mut body = BytesMut::new();
        while let Some(bytes) = self.arrived().await {
            let bytes = bytes.map_err(|_| self.cut_error())?;
            if body.len() + bytes.len() > limit {
                let _ = self.messages.send(RuntimeMessage::TooLong(format!("its answer is larger than {limit} bytes")));
                return Err(BrokenAnswer::TooLarge);
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body.freeze())
    }
}
