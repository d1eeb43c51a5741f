//! stdout and stderr: no other file uses them. Everything written here is harmless by its type, except for the bytes of
//! a response that go to another program.

use super::format::{Page, Text};
use super::github::WorkflowCommand;
use super::style::Line;
use crate::failure::Failure;
use crate::text::Stream;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

type Piece = (Bytes, oneshot::Sender<io::Result<()>>);

/// Writes a line, wrapped if stderr is a terminal.
pub(super) fn to_stderr(line: &Line) {
    // A closed stderr is not a failure, because the exit code reports the result, too.
    let _ = writeln!(anstream::stderr(), "{}", fitted(line));
}

/// Writes a command for GitHub's runner on a line of its own.
pub(super) fn command_to_stderr(command: &WorkflowCommand) {
    let _ = writeln!(anstream::stderr(), "{command}");
}

/// Writes a question, and leaves the cursor after it.
pub(super) fn ask_on_stderr(question: &Line) {
    let mut err = anstream::stderr();
    let _ = write!(err, "{} ", fitted(question)).and_then(|()| err.flush());
}

/// Deletes a line that another program has begun and left the cursor on.
pub(super) fn clear_line_of_stderr() {
    draw_on_stderr("\r\x1b[2K");
}

/// Writes a drawing, which moves the cursor, to a terminal.
pub(super) fn draw_on_stderr(drawing: &str) {
    let mut err = io::stderr();
    let _ = err.write_all(drawing.as_bytes()).and_then(|()| err.flush());
}

/// For lines that are not wrapped.
pub(super) fn stderr() -> impl Write + Send {
    anstream::stderr()
}

/// Whether to draw progress on stderr, and to wrap its lines.
pub(super) fn is_drawn_on() -> bool {
    // CI logs need plain lines, even if the CI system pretends to be a terminal.
    io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}

/// A line to be drawn.
pub(super) fn drawn(line: &Line) -> String {
    let line = line.wrapped(columns(io::stderr()).unwrap_or(usize::MAX));
    match anstream::AutoStream::choice(&io::stderr()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(&line).to_string(),
        _ => line,
    }
}

fn fitted(line: &Line) -> String {
    match columns(io::stderr()).filter(|_| is_drawn_on()) {
        Some(columns) => line.wrapped(columns),
        None => line.to_string(),
    }
}

/// What stdout can show now. If it is not a terminal, lines are not wrapped and have no colours.
pub(super) fn page() -> Page {
    let stdout = io::stdout();
    let has_colours = stdout.is_terminal() && anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
    Page { columns: columns(stdout).unwrap_or(usize::MAX), has_colours }
}

/// Whether a person reads stdout.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The columns and rows of stderr's terminal; unlimited if it does not report them.
pub(super) fn size_of_stderr() -> (usize, usize) {
    size(io::stderr()).unwrap_or((usize::MAX, usize::MAX))
}

/// The width of a terminal; `None` for anything else, and for a terminal that does not report it.
fn columns(stream: impl AsFd) -> Option<usize> {
    size(stream).map(|(columns, _)| columns)
}

fn size(stream: impl AsFd) -> Option<(usize, usize)> {
    let (terminal_size::Width(columns), terminal_size::Height(rows)) = terminal_size::terminal_size_of(stream)?;
    let rows = if rows > 0 { usize::from(rows) } else { usize::MAX };
    (columns > 0).then_some((usize::from(columns), rows))
}

/// Writes all of it at once. It is not an error if the reader has closed stdout.
///
/// # Errors
/// When it cannot be written, such as to a full disk.
pub(super) fn to_stdout(text: &Text) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let plain = match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text.as_str()).to_string(),
        _ => text.as_str().to_owned(),
    };
    let printed = stdout().and_then(|mut stdout| write_all(&mut stdout, plain.as_bytes()));
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::not_printed(&error)),
        _ => Ok(()),
    }
}

/// What the argument parser prints instead of a command's answer: help and version on stdout, errors on stderr.
///
/// # Errors
/// As [`to_stdout`].
pub(super) fn from_parser(instead: &clap::Error) -> Result<(), Failure> {
    let is_printable = if instead.use_stderr() { Ok(()) } else { stdout().map(drop) };
    match is_printable.and_then(|()| instead.print()).and_then(|()| io::stdout().flush()) {
        Err(error) if !instead.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::not_printed(&error))
        }
        _ => Ok(()),
    }
}

/// Whether stdout was closed when the program started.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Notes that stdout was closed when the program started. Since then, it leads to `/dev/null`: the standard library opens
/// that in its place, so that no other file gets its number.
pub(super) fn note_closed_stdout() {
    CLOSED.store(true, Ordering::Relaxed);
}

/// Without the buffer of `io::stdout`, which would retry a failed write at exit.
fn stdout() -> io::Result<File> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("it is closed"));
    }
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Writes everything, also to a non-blocking pipe.
fn write_all(stdout: &mut File, mut bytes: &[u8]) -> io::Result<()> {
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

/// stdout as a stream, in which each piece is written before the next one is taken. A thread of its own writes, so that
/// a reader that stalls delays no signal.
pub(crate) struct Outlet {
    pieces: mpsc::Sender<Piece>,
    /// Makes a response's bytes harmless, for a terminal.
    terminal: Option<Mutex<Stream>>,
}

impl Outlet {
    /// # Errors
    /// When the process has no stdout.
    pub(crate) fn open() -> Result<Outlet, Failure> {
        let mut stdout = stdout().map_err(|error| Failure::not_printed(&error))?;
        let terminal = stdout.is_terminal().then(Mutex::default);
        let (pieces, inbox) = mpsc::channel::<Piece>();
        std::thread::spawn(move || {
            for (bytes, written) in inbox {
                let _ = written.send(write_all(&mut stdout, &bytes));
            }
        });
        Ok(Outlet { pieces, terminal })
    }

    /// Writes all of it. Returns false if the reader is gone.
    ///
    /// # Errors
    /// When writing fails for another reason, such as a full disk.
    pub(crate) async fn write(&self, text: Text) -> Result<bool, Failure> {
        self.bytes(Bytes::from(text.into_string())).await
    }

    /// Writes a piece of a response's body: byte for byte, except that control characters are escaped for a terminal.
    /// Returns false if the reader is gone.
    ///
    /// # Errors
    /// As [`Outlet::write`].
    pub(crate) async fn pass_on(&self, piece: Bytes) -> Result<bool, Failure> {
        let escaped = self.escaped(|stream| stream.push(&piece));
        self.bytes(escaped.unwrap_or(piece)).await
    }

    /// Writes what is left at the end of a response's body.
    ///
    /// # Errors
    /// As [`Outlet::write`].
    pub(crate) async fn pass_end(&self) -> Result<bool, Failure> {
        let rest = self.escaped(|stream| std::mem::take(stream).end());
        self.bytes(rest.unwrap_or_default()).await
    }

    fn escaped(&self, escape: impl FnOnce(&mut Stream) -> String) -> Option<Bytes> {
        let mut stream = self.terminal.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Bytes::from(escape(&mut stream)))
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

    /// Whether the reader of a pipe is gone, which a write notices only when there is something to write.
    pub(crate) fn is_closed(&self) -> bool {
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut watched, Some(&now)).is_ok() && watched[0].revents().contains(PollFlags::ERR)
    }
}
