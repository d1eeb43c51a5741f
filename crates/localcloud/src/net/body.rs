//! Reads request bodies. A signature covers the whole body, so it can only be verified when all of it has arrived.
//!
//! Until then the client is not known and must not use up this machine's memory: a small body is kept in memory, a
//! large one in an unnamed file.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use sha2::{Digest, Sha256};

/// How many bytes are kept in memory, and written to the file at a time.
const SMALL: usize = 1024 * 1024;

/// How long a refused client may keep sending, so that it gets to read the refusal.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);

/// A complete body.
pub(crate) struct Payload {
    /// SHA-256, in hex.
    pub(crate) digest: String,
    file: Option<File>,
    rest: BytesMut,
}

/// Why a body could not be read.
pub(crate) enum BodyError {
    TooLarge,
    Incomplete(String),
}

impl From<Box<dyn std::error::Error + Send + Sync>> for BodyError {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        if error.is::<LengthLimitError>() { Self::TooLarge } else { Self::Incomplete(error.to_string()) }
    }
}

impl Payload {
    /// Reads a body of at most `largest` bytes; `directory` is for the file of a large one.
    ///
    /// # Errors
    /// If it is longer, ends early, or cannot be stored.
    pub(crate) async fn read(body: Incoming, largest: usize, directory: &Path) -> Result<Self, BodyError> {
        let mut body = Limited::new(body, largest);
        let mut hash = Sha256::new();
        let mut payload = Self { digest: String::new(), file: None, rest: BytesMut::new() };
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame.map_err(BodyError::from)?.into_data() else { continue };
            hash.update(&bytes);
            payload.rest.extend_from_slice(&bytes);
            if payload.rest.len() > SMALL {
                let directory = directory.to_owned();
                let written = tokio::task::spawn_blocking(move || payload.write(&directory).map(|()| payload)).await;
                let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
                payload = written.map_err(|error| BodyError::Incomplete(format!("it cannot be stored: {error}")))?;
            }
        }
        payload.digest = hex::encode(hash.finalize());
        Ok(payload)
    }

    fn write(&mut self, directory: &Path) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(directory)?),
        };
        file.write_all(&self.rest)?;
        self.rest.clear();
        Ok(())
    }

    /// Loads the whole body into memory, once its signature is verified.
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

/// Reads a body of at most `largest` bytes that needs no signature into memory.
///
/// # Errors
/// If it is longer, or ends early.
pub(crate) async fn unsigned(body: Incoming, largest: usize) -> Result<Bytes, BodyError> {
    Ok(Limited::new(body, largest).collect().await.map_err(BodyError::from)?.to_bytes())
}

/// Reads and drops what a refused client is still sending: a client whose connection is closed while it sends never
/// gets to read the refusal.
pub(crate) fn discard(headers: &HeaderMap, mut body: Incoming, most: usize) {
    // A client that sends `Expect` waits for the answer before it sends the body.
    if body.is_end_stream() || headers.contains_key(header::EXPECT) || body.size_hint().lower() > most as u64 {
        return;
    }
    tokio::spawn(tokio::time::timeout(DISCARD_TIMEOUT, async move {
        let mut left = most;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
            left = rest;
        }
    }));
}
