//! How long a client may take to send the head of a request.
//!
//! A connection on which a request has begun but never continues would otherwise stay open forever. hyper's own limit
//! also counts the time between two requests, in which a function may be running, and it does not count before the HTTP
//! version is known.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::wire::error::Body;

/// The requests of one connection.
#[derive(Clone, Default)]
pub(crate) struct Requests(Arc<Counts>);

#[derive(Default)]
struct Counts {
    /// Those whose head is complete and whose answer is not.
    open: AtomicUsize,
    /// All of them.
    seen: AtomicUsize,
    /// Whether it is HTTP/2, where bytes between two requests need not be the beginning of one.
    multiplexed: AtomicBool,
}

/// A request whose answer is not complete.
pub(crate) struct PendingRequest(Requests);

impl Requests {
    /// Counts a request whose head is complete.
    pub(crate) fn begin<T>(&self, request: &Request<T>) -> PendingRequest {
        let counts = &self.0;
        counts.multiplexed.fetch_or(request.version() == Version::HTTP_2, Ordering::Relaxed);
        counts.seen.fetch_add(1, Ordering::Relaxed);
        counts.open.fetch_add(1, Ordering::Relaxed);
        PendingRequest(self.clone())
    }
}

impl PendingRequest {
    /// The answer; the request is pending until all of it is sent.
    pub(crate) fn until_sent(self, answer: Response<Body>) -> Response<PendingBody> {
        answer.map(|body| PendingBody { body, _request: self })
    }
}

/// The body of an answer; its request is pending until this value is dropped.
pub(crate) struct PendingBody {
    body: Body,
    _request: PendingRequest,
}

impl hyper::body::Body for PendingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that fails when the head of a request is not complete in time.
pub(crate) struct HeadTimeout<T> {
    io: T,
    requests: Requests,
    limit: Duration,
    /// Runs from the first byte of a head, or from the beginning of the connection.
    timer: Pin<Box<Sleep>>,
    running: bool,
    /// How many requests there had been when the timer was started.
    since: usize,
}

impl<T> HeadTimeout<T> {
    pub(crate) fn new(io: T, requests: &Requests, limit: Duration) -> Self {
        let timer = Box::pin(tokio::time::sleep(limit));
        Self { io, requests: requests.clone(), limit, timer, running: true, since: 0 }
    }

    /// Whether the connection waits for the rest of a head, after `new` bytes have come.
    fn is_waiting(&mut self, new: usize) -> bool {
        let counts = &self.requests.0;
        let seen = counts.seen.load(Ordering::Relaxed);
        if counts.open.load(Ordering::Relaxed) > 0 || seen != self.since {
            self.running = false;
            self.since = seen;
        }
        let begins = new > 0 && counts.open.load(Ordering::Relaxed) == 0 && !counts.multiplexed.load(Ordering::Relaxed);
        if begins && !self.running {
            self.timer.as_mut().reset(Instant::now() + self.limit);
            self.running = true;
        }
        self.running
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for HeadTimeout<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        let new = buf.filled().len() - before;
        if this.is_waiting(new) && this.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for HeadTimeout<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
