//! The bytes between a function that writes and a client that reads. Some may wait, and small chunks that wait are
//! merged.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::sync::lock;

/// How many bytes may wait for a slow client: about as many as one read returns. With fewer, function and client wake
/// each other more often.
const AHEAD: usize = 512 * 1024;

/// The largest small chunk, and up to how many bytes such chunks are merged: writing each by itself would cost more
/// than copying.
const SMALL: usize = 16 * 1024;
const TOGETHER: usize = 64 * 1024;

/// A part of a body from the Runtime API.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    Chunk(Bytes),
    /// The body is complete. If the pipe closes without this, the body was cut.
    End,
}

/// What both ends share.
#[derive(Default)]
struct Waiting {
    /// Large chunks, and small ones that were merged.
    chunks: VecDeque<Bytes>,
    /// The small chunks behind them.
    small: BytesMut,
    /// The bytes in both.
    size: usize,
    is_complete: bool,
    has_sender: bool,
    has_receiver: bool,
    /// The task that waits for room, or for a piece.
    writer: Option<Waker>,
    reader: Option<Waker>,
}

/// The function's end.
pub(crate) struct Sender(Arc<Mutex<Waiting>>);

/// The client's end.
pub(crate) struct Receiver(Arc<Mutex<Waiting>>);

/// An empty pipe.
pub(crate) fn pipe() -> (Sender, Receiver) {
    let waiting = Waiting { has_sender: true, has_receiver: true, ..Waiting::default() };
    let waiting = Arc::new(Mutex::new(waiting));
    (Sender(waiting.clone()), Receiver(waiting))
}

impl Waiting {
    fn push(&mut self, chunk: Bytes) {
        self.size += chunk.len();
        let is_small = chunk.len() <= SMALL;
        let fits = is_small && self.small.len() + chunk.len() <= TOGETHER;
        if !fits && !self.small.is_empty() {
            let merged = self.small.split().freeze();
            self.chunks.push_back(merged);
        }
        match is_small {
            true => self.small.extend_from_slice(&chunk),
            false => self.chunks.push_back(chunk),
        }
    }

    fn pop(&mut self) -> Option<Bytes> {
        let small = || (!self.small.is_empty()).then(|| std::mem::take(&mut self.small).freeze());
        let chunk = self.chunks.pop_front().or_else(small)?;
        self.size -= chunk.len();
        Some(chunk)
    }

    fn poll_send(&mut self, piece: &mut Option<Piece>, cx: &Context<'_>) -> Poll<bool> {
        if !self.has_receiver {
            return Poll::Ready(false);
        }
        match piece.take() {
            Some(Piece::Chunk(chunk)) if self.size > 0 && self.size + chunk.len() > AHEAD => {
                *piece = Some(Piece::Chunk(chunk));
                self.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Some(Piece::Chunk(chunk)) => self.push(chunk),
            Some(Piece::End) => self.is_complete = true,
            None => {}
        }
        Poll::Ready(true)
    }

    fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Option<Piece>> {
        if let Some(chunk) = self.pop() {
            return Poll::Ready(Some(Piece::Chunk(chunk)));
        }
        if std::mem::take(&mut self.is_complete) {
            return Poll::Ready(Some(Piece::End));
        }
        if !self.has_sender {
            return Poll::Ready(None);
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Does something with what waits, and then wakes a task that waited for it, with the lock free.
fn change<T>(waiting: &Mutex<Waiting>, change: impl FnOnce(&mut Waiting) -> (T, Option<Waker>)) -> T {
    let (result, waker) = change(&mut lock(waiting));
    if let Some(waker) = waker {
        waker.wake();
    }
    result
}

impl Sender {
    /// Waits until there is room; false if the receiver is gone.
    pub(crate) async fn send(&self, piece: Piece) -> bool {
        let mut piece = Some(piece);
        let send = |cx: &mut Context<'_>| {
            change(&self.0, |waiting| match waiting.poll_send(&mut piece, cx) {
                Poll::Ready(sent) => (Poll::Ready(sent), waiting.reader.take()),
                Poll::Pending => (Poll::Pending, None),
            })
        };
        std::future::poll_fn(send).await
    }
}

impl Receiver {
    /// The next large chunk, or the small ones that wait; `None` when the sender is gone.
    pub(crate) async fn recv(&mut self) -> Option<Piece> {
        let recv = |cx: &mut Context<'_>| {
            change(&self.0, |waiting| match waiting.poll_recv(cx) {
                Poll::Ready(piece) => (Poll::Ready(piece), waiting.writer.take()),
                Poll::Pending => (Poll::Pending, None),
            })
        };
        std::future::poll_fn(recv).await
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        change(&self.0, |waiting| {
            waiting.has_sender = false;
            ((), waiting.reader.take())
        });
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // A sender that waits for room must not wait any longer.
        change(&self.0, |waiting| {
            waiting.has_receiver = false;
            ((), waiting.writer.take())
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AHEAD, Piece, SMALL, pipe};

    fn chunk(size: usize) -> Piece {
        Piece::Chunk(vec![b'x'; size].into())
    }

    #[tokio::test]
    async fn what_waits_goes_together_and_in_order() {
        let (sender, mut receiver) = pipe();
        for text in ["one ", "two ", "three"] {
            assert!(sender.send(Piece::Chunk(text.into())).await);
        }
        assert!(sender.send(Piece::End).await);
        assert_eq!(receiver.recv().await, Some(Piece::Chunk("one two three".into())));
        assert_eq!(receiver.recv().await, Some(Piece::End));
        drop(sender);
        assert_eq!(receiver.recv().await, None);
    }

    #[tokio::test]
    async fn large_chunks_go_as_they_are() {
        let (sender, mut receiver) = pipe();
        for size in [10, SMALL + 1, 20, SMALL, SMALL, SMALL, SMALL, 1] {
            assert!(sender.send(chunk(size)).await);
        }
        // Small ones are merged up to a limit.
        for size in [10, SMALL + 1, 20 + 3 * SMALL, SMALL + 1] {
            assert_eq!(receiver.recv().await, Some(chunk(size)));
        }
    }

    #[tokio::test]
    async fn a_slow_reader_slows_the_writer() {
        let (sender, mut receiver) = pipe();
        assert!(sender.send(chunk(AHEAD - 1)).await);
        let mut waiting = Box::pin(sender.send(chunk(2)));
        assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err());
        receiver.recv().await;
        assert!(waiting.await);
        // A chunk that is larger than all the room waits until the pipe is empty.
        let mut waiting = Box::pin(sender.send(chunk(3 * AHEAD)));
        assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err());
        assert_eq!(receiver.recv().await, Some(chunk(2)));
        assert!(waiting.await);
        let waiting = sender.send(chunk(1));
        drop(receiver);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), waiting).await, Ok(false));
    }
}
