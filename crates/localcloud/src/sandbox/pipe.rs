//! The bytes between a function that writes and a client that reads. Some may wait, and small chunks that wait are
//! merged.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Semaphore, mpsc};

/// How many bytes may wait for a slow client: about as many as one read returns. With fewer, function and client wake
/// each other more often.
const AHEAD: u32 = 512 * 1024;

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

/// The function's end.
pub(crate) struct Sender {
    pieces: mpsc::UnboundedSender<Piece>,
    room: Arc<Semaphore>,
}

/// The client's end.
pub(crate) struct Receiver {
    pieces: mpsc::UnboundedReceiver<Piece>,
    room: Arc<Semaphore>,
    /// The piece after the last chunks, which was not merged with them.
    next: Option<Piece>,
}

/// An empty pipe.
pub(crate) fn pipe() -> (Sender, Receiver) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(AHEAD as usize));
    (Sender { pieces: sender, room: room.clone() }, Receiver { pieces, room, next: None })
}

/// The room that a piece takes up while it waits.
fn weight(piece: &Piece) -> u32 {
    match piece {
        Piece::Chunk(bytes) => u32::try_from(bytes.len()).unwrap_or(AHEAD).min(AHEAD),
        Piece::End => 0,
    }
}

impl Sender {
    /// Waits until there is room; false if the receiver is gone.
    pub(crate) async fn send(&self, piece: Piece) -> bool {
        match self.room.acquire_many(weight(&piece)).await {
            Ok(room) => room.forget(),
            Err(_) => return false,
        }
        self.pieces.send(piece).is_ok()
    }
}

impl Receiver {
    /// The next piece, merged with the small chunks that already wait behind it; `None` when the sender is gone.
    pub(crate) async fn recv(&mut self) -> Option<Piece> {
        let first = match self.next.take() {
            Some(piece) => piece,
            None => {
                let piece = self.pieces.recv().await?;
                self.made_room(piece)
            }
        };
        let Piece::Chunk(first) = first else { return Some(first) };
        Some(Piece::Chunk(self.joined(first)))
    }

    fn joined(&mut self, first: Bytes) -> Bytes {
        if first.len() > SMALL {
            return first;
        }
        let mut all = BytesMut::new();
        while let Ok(piece) = self.pieces.try_recv() {
            match self.made_room(piece) {
                Piece::Chunk(bytes) if bytes.len() <= SMALL && all.len() + bytes.len() <= TOGETHER => {
                    if all.is_empty() {
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&bytes);
                }
                other => {
                    self.next = Some(other);
                    break;
                }
            }
        }
        if all.is_empty() { first } else { all.freeze() }
    }

    fn made_room(&self, piece: Piece) -> Piece {
        self.room.add_permits(weight(&piece) as usize);
        piece
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // A sender that waits for room must not wait any longer.
        self.room.close();
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
        let ahead = AHEAD as usize;
        assert!(sender.send(chunk(ahead - 1)).await);
        let mut waiting = Box::pin(sender.send(chunk(2)));
        assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err());
        receiver.recv().await;
        assert!(waiting.await);
        // A chunk that is larger than all the room waits until the pipe is empty.
        let mut waiting = Box::pin(sender.send(chunk(3 * ahead)));
        assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err());
        assert_eq!(receiver.recv().await, Some(chunk(2)));
        assert!(waiting.await);
        let waiting = sender.send(chunk(1));
        drop(receiver);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), waiting).await, Ok(false));
    }
}
