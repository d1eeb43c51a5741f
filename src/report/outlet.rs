//! stdout as a stream: every piece is out before the next one is taken.

use crate::failure::Failure;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::mpsc;
use tokio::sync::oneshot;

type Piece = (Bytes, oneshot::Sender<io::Result<()>>);

/// Writes on a thread of its own: a reader that does not read holds up nothing but the writing, and no signal.
pub struct Outlet {
    pieces: mpsc::Sender<Piece>,
}

impl Outlet {
    /// # Errors
    /// When the process has no stdout.
    pub fn open() -> Result<Outlet, Failure> {
        let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(|error| Failure::not_printed(&error))?;
        let mut stdout = File::from(stdout);
        let (pieces, inbox) = mpsc::channel::<Piece>();
        std::thread::spawn(move || {
            for (bytes, written) in inbox {
                let _ = written.send(stdout.write_all(&bytes));
            }
        });
        Ok(Outlet { pieces })
    }

    /// Writes all of it. False when nobody reads any more.
    ///
    /// # Errors
    /// When it cannot be written for another reason, such as a full disk.
    pub async fn write(&self, bytes: impl Into<Bytes>) -> Result<bool, Failure> {
        let (sender, written) = oneshot::channel();
        let _ = self.pieces.send((bytes.into(), sender));
        match written.await.unwrap_or_else(|_| Err(ErrorKind::BrokenPipe.into())) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::not_printed(&error)),
        }
    }

    /// Whether the reader of a pipe has left, which a write would find out only once there is something to write.
    pub fn is_closed(&self) -> bool {
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut watched, Some(&now)).is_ok() && watched[0].revents().contains(PollFlags::ERR)
    }
}
