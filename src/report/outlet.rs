//! stdout and stderr: the only file that touches them. What is written here is harmless by its type, except for the bytes
//! of an answer that goes to another program.

use super::style::{Line, Text};
use crate::failure::Failure;
use crate::text::Stream;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

type Piece = (Bytes, oneshot::Sender<io::Result<()>>);

pub(super) fn to_stderr(line: &Line) {
    // A closed stderr is no reason to fail: the exit code says it too.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// What stays on its line until something else follows: a question.
pub(super) fn ask_on_stderr(question: &Line) {
    let mut err = anstream::stderr();
    let _ = write!(err, "{question} ").and_then(|()| err.flush());
}

/// Where lines go that come one by one.
pub(super) fn stderr() -> impl Write + Send {
    anstream::stderr()
}

/// Whether a program may draw on stderr.
pub(super) fn is_drawn_on() -> bool {
    // CI logs take lines, even where they pretend to be a terminal.
    io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}

/// Whether stdout is a terminal that has colours.
pub(super) fn has_colours() -> bool {
    let stdout = io::stdout();
    stdout.is_terminal() && anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never
}

/// All of it, at once. Whoever closed stdout wanted no more of it.
///
/// # Errors
/// When it cannot be written, such as to a full disk.
pub(super) fn to_stdout(text: &Text) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let printed = stdout().and_then(|mut stdout| all(&mut stdout, text.as_str().as_bytes()));
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::not_printed(&error)),
        _ => Ok(()),
    }
}

/// What the parser of the arguments has to say instead of a command's answer: help and version on stdout, errors on
/// stderr.
///
/// # Errors
/// As [`to_stdout`].
pub(super) fn from_parser(instead: &clap::Error) -> Result<(), Failure> {
    match instead.print().and_then(|()| io::stdout().flush()) {
        Err(error) if !instead.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::not_printed(&error))
        }
        _ => Ok(()),
    }
}

/// Without the buffer of `io::stdout`, which tries again at the end what could not be written.
fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// A pipe that somebody else made may refuse bytes instead of letting us wait.
fn all(stdout: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stdout.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(stdout, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// stdout as a stream: every piece is out before the next one is taken. It writes on a thread of its own: a reader that
/// does not read holds up nothing but the writing, and no signal.
pub struct Outlet {
    pieces: mpsc::Sender<Piece>,
    /// A terminal is not given an answer's own bytes.
    terminal: Option<Mutex<Stream>>,
}

impl Outlet {
    /// # Errors
    /// When the process has no stdout.
    pub fn open() -> Result<Outlet, Failure> {
        let mut stdout = stdout().map_err(|error| Failure::not_printed(&error))?;
        let terminal = stdout.is_terminal().then(Mutex::default);
        let (pieces, inbox) = mpsc::channel::<Piece>();
        std::thread::spawn(move || {
            for (bytes, written) in inbox {
                let _ = written.send(all(&mut stdout, &bytes));
            }
        });
        Ok(Outlet { pieces, terminal })
    }

    /// Writes all of it. False when nobody reads any more.
    ///
    /// # Errors
    /// When it cannot be written for another reason, such as a full disk.
    pub async fn write(&self, text: Text) -> Result<bool, Failure> {
        self.bytes(Bytes::from(text.into_string())).await
    }

    /// A piece of an answer's body: byte for byte, but to a terminal, which is shown what it would act upon. False when
    /// nobody reads any more.
    ///
    /// # Errors
    /// As [`Outlet::write`].
    pub async fn pass_on(&self, piece: Bytes) -> Result<bool, Failure> {
        let shown = self.stream(|stream| stream.push(&piece));
        self.bytes(shown.unwrap_or(piece)).await
    }

    /// The end of an answer's body.
    ///
    /// # Errors
    /// As [`Outlet::write`].
    pub async fn pass_end(&self) -> Result<bool, Failure> {
        let rest = self.stream(|stream| std::mem::take(stream).end());
        self.bytes(rest.unwrap_or_default()).await
    }

    fn stream(&self, show: impl FnOnce(&mut Stream) -> String) -> Option<Bytes> {
        let mut stream = self.terminal.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Bytes::from(show(&mut stream)))
    }

    async fn bytes(&self, bytes: Bytes) -> Result<bool, Failure> {
        let (sender, written) = oneshot::channel();
        let _ = self.pieces.send((bytes, sender));
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
