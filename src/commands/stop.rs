//! The wish to end a run, by SIGINT or SIGTERM: the first ends it as soon as it can be left, the second at once.

use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Signals in so short a time are one wish: a terminal sends Ctrl-C to a whole group, and some programs of it hand on
/// what they got.
const ONE_WISH: Duration = Duration::from_millis(30);

/// Copies share one wish.
#[derive(Clone)]
pub struct Stop {
    wish: watch::Receiver<Wish>,
}

#[derive(Clone, Copy, Default)]
struct Wish {
    /// The number of the first signal, and when it came.
    first: Option<(u8, Instant)>,
    /// Whether there was another one.
    insisted: bool,
}

impl Wish {
    fn heard(&mut self, number: u8, now: Instant) {
        match self.first {
            None => self.first = Some((number, now)),
            Some((_, first)) if now.duration_since(first) >= ONE_WISH => self.insisted = true,
            Some(_) => {}
        }
    }
}

impl Stop {
    /// Listens from now on. Must be called inside a runtime.
    pub fn listen() -> Stop {
        let (sender, receiver) = watch::channel(Wish::default());
        for (kind, number) in [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15)] {
            let sender = sender.clone();
            // Where a signal cannot be listened for, it ends the process as it would any other.
            let Ok(mut signals) = signal(kind) else { continue };
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    sender.send_modify(|wish| wish.heard(number, Instant::now()));
                }
            });
        }
        Stop { wish: receiver }
    }

    /// The number of the first signal, once there was one.
    pub fn requested(&self) -> Option<u8> {
        self.wish.borrow().first.map(|(number, _)| number)
    }

    /// Waits for a signal, and gives its number.
    pub async fn wait(&self) -> u8 {
        self.until(|wish| wish.first.map(|(number, _)| number)).await
    }

    /// Waits for a second signal, and gives the number of the first.
    pub async fn insisted(&self) -> u8 {
        self.until(|wish| wish.first.filter(|_| wish.insisted).map(|(number, _)| number)).await
    }

    /// Whether there was a second signal.
    pub fn has_insisted(&self) -> bool {
        self.wish.borrow().insisted
    }

    async fn until(&self, found: impl Fn(&Wish) -> Option<u8>) -> u8 {
        let mut wish = self.wish.clone();
        loop {
            let number = found(&wish.borrow_and_update());
            if let Some(number) = number {
                return number;
            }
            // Without senders no signal can be listened for.
            if wish.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_signal_insists() {
        let (mut wish, start) = (Wish::default(), Instant::now());
        wish.heard(2, start);
        wish.heard(2, start + ONE_WISH / 2);
        assert!(!wish.insisted);
        wish.heard(15, start + ONE_WISH);
        assert!(wish.insisted && wish.first.is_some_and(|(number, _)| number == 2));
    }
}
