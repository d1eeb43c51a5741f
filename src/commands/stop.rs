//! The wish to end a run, by SIGINT or SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Copies share one wish.
#[derive(Clone)]
pub struct Stop {
    signal: watch::Receiver<Option<u8>>,
}

impl Stop {
    /// Listens from now on. Must be called inside a runtime.
    pub fn listen() -> Stop {
        let (sender, receiver) = watch::channel(None);
        for (kind, number) in [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15)] {
            let sender = sender.clone();
            // Where a signal cannot be listened for, it ends the process as it would any other.
            let Ok(mut signals) = signal(kind) else { continue };
            tokio::spawn(async move {
                signals.recv().await;
                sender.send_replace(Some(number));
                // The sender must live on: a receiver whose senders are gone could not wait any more.
                std::future::pending::<()>().await;
            });
        }
        Stop { signal: receiver }
    }

    /// The number of the signal, once there was one.
    pub fn requested(&self) -> Option<u8> {
        *self.signal.borrow()
    }

    /// Waits for a signal.
    pub async fn wait(&self) -> u8 {
        let mut signal = self.signal.clone();
        loop {
            if let Some(number) = *signal.borrow_and_update() {
                return number;
            }
            if signal.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
