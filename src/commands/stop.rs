//! The wish to end a run, by SIGINT or SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Copies share one wish.
#[derive(Clone)]
pub struct Stop {
    signals: watch::Receiver<Vec<u8>>,
}

impl Stop {
    /// Listens from now on. Must be called inside a runtime.
    pub fn listen() -> Stop {
        let (sender, receiver) = watch::channel(Vec::new());
        for (kind, number) in [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15)] {
            let sender = sender.clone();
            // Where a signal cannot be listened for, it ends the process as it would any other.
            let Ok(mut signals) = signal(kind) else { continue };
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    sender.send_modify(|signals| signals.push(number));
                }
                // The sender must live on: a receiver whose senders are gone could not wait any more.
                std::future::pending::<()>().await;
            });
        }
        Stop { signals: receiver }
    }

    /// The number of the signal, once there was one.
    pub fn requested(&self) -> Option<u8> {
        self.signals.borrow().first().copied()
    }

    /// The number of the second signal: end now, whatever is going on.
    pub fn insisted(&self) -> Option<u8> {
        self.signals.borrow().get(1).copied()
    }

    /// Waits for a signal.
    pub async fn wait(&self) -> u8 {
        self.wait_for(0).await
    }

    /// Waits for the second signal.
    pub async fn wait_insisted(&self) -> u8 {
        self.wait_for(1).await
    }

    async fn wait_for(&self, nth: usize) -> u8 {
        let mut signals = self.signals.clone();
        loop {
            if let Some(number) = signals.borrow_and_update().get(nth) {
                return *number;
            }
            if signals.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
