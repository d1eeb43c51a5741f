//! What an instance's processes print, line by line, in order.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe;

/// A longer line is split, as AWS splits an event.
const LONGEST: usize = 256 * 1024;

/// The reading end of a child's stdout and stderr, which share one pipe so that their order is kept.
pub(super) struct Output {
    pipe: pipe::Receiver,
    partial: Vec<u8>,
    ended: bool,
}

impl Output {
    /// A pipe, and its writing end for the child.
    pub(super) fn open() -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((Self { pipe, partial: Vec::new(), ended: false }, writer))
    }

    /// Resolves when there is something to read.
    pub(super) async fn readable(&self) {
        if self.ended || self.pipe.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The lines that can be read now. The descriptor is read directly: what was printed before an event that was seen
    /// elsewhere is in the pipe already, but tokio may not know it yet.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut buffer = [0; 16 * 1024];
        // Bounded, so that a process that never stops printing does not block everything else.
        for _ in 0..64 {
            match rustix::io::read(&self.pipe, &mut buffer) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.split(&buffer[..count], &mut lines),
                Err(rustix::io::Errno::INTR) => {}
                // Empty: another read through tokio clears the readiness.
                Err(_) => match self.pipe.try_read(&mut buffer) {
                    Ok(count) if count > 0 => self.split(&buffer[..count], &mut lines),
                    _ => break,
                },
            }
        }
        lines
    }

    /// The rest of the output, if its last line has no end.
    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }

    fn split(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= LONGEST {
                let line = std::mem::take(&mut self.partial);
                lines.push(String::from_utf8_lossy(&line).into_owned());
            }
        }
    }
}
