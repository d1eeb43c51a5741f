//! A request's body whose signature can only be judged when all of it has come.
//!
//! Until then nobody has proven a right to this machine's memory: a small body is kept there, a large one in a file
//! without a name.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use sha2::{Digest, Sha256};

/// What is kept in memory, and written at once.
const SMALL: usize = 1024 * 1024;

/// How long a refused client may go on sending, so that it comes to read the refusal.
const GOING_ON: Duration = Duration::from_secs(10);

/// A body that has come as a whole.
pub(crate) struct Payload {
    /// SHA-256, in hex.
    pub(crate) digest: String,
    file: Option<File>,
    rest: BytesMut,
}

/// Why a body could not be read.
pub(crate) enum Broken {
    TooLarge,
    Incomplete(String),
}

impl From<Box<dyn std::error::Error + Send + Sync>> for Broken {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        if error.is::<LengthLimitError>() { Self::TooLarge } else { Self::Incomplete(error.to_string()) }
    }
}

impl Payload {
    /// Reads a body of at most `largest` bytes; `place` is where a large one lies meanwhile.
    ///
    /// # Errors
    /// When it is longer, or ends early, or the disk refuses.
    pub(crate) async fn read(body: Incoming, largest: usize, place: &Path) -> Result<Self, Broken> {
        let mut body = Limited::new(body, largest);
        let mut hash = Sha256::new();
        let mut payload = Self { digest: String::new(), file: None, rest: BytesMut::new() };
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame.map_err(Broken::from)?.into_data() else { continue };
            hash.update(&bytes);
            payload.rest.extend_from_slice(&bytes);
            if payload.rest.len() > SMALL {
                let place = place.to_owned();
                let written = tokio::task::spawn_blocking(move || payload.write(&place).map(|()| payload)).await;
                let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
                payload = written.map_err(|error| Broken::Incomplete(format!("it cannot be stored: {error}")))?;
            }
        }
        payload.digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(payload)
    }

    fn write(&mut self, place: &Path) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(place)?),
        };
        file.write_all(&self.rest)?;
        self.rest.clear();
        Ok(())
    }

    /// All of it in memory, for who has shown a right to it.
    ///
    /// # Errors
    /// Those of reading it back.
    pub(crate) async fn load(self) -> io::Result<Bytes> {
        let Some(mut file) = self.file else { return Ok(self.rest.freeze()) };
        let read = tokio::task::spawn_blocking(move || {
            let mut whole = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut whole)?;
            whole.extend_from_slice(&self.rest);
            Ok(Bytes::from(whole))
        });
        read.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// Reads a body of at most `largest` bytes into memory: one that needs no signature.
///
/// # Errors
/// When it is longer, or ends early.
pub(crate) async fn unsigned(body: Incoming, largest: usize) -> Result<Bytes, Broken> {
    Ok(Limited::new(body, largest).collect().await.map_err(Broken::from)?.to_bytes())
}

/// Takes what a refused client is still sending, and keeps none of it: one that is cut off in the middle never gets to
/// read why.
pub(crate) fn discard(headers: &HeaderMap, mut body: Incoming, most: usize) {
    // Who asks before sending is answered before sending.
    if body.is_end_stream() || headers.contains_key(header::EXPECT) || body.size_hint().lower() > most as u64 {
        return;
    }
    tokio::spawn(tokio::time::timeout(GOING_ON, async move {
        let mut left = most;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
            left = rest;
        }
    }));
}
