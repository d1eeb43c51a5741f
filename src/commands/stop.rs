//! Requests to stop a run, by SIGINT or SIGTERM. The first ends it as soon as that is safe, the second immediately.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Signals that arrive within this time count as one. A terminal sends Ctrl-C to the whole process group, and some
/// programs in it forward the signal.
const DEBOUNCE: Duration = Duration::from_millis(30);
const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

/// Clones share their state.
#[derive(Clone, Default)]
pub struct Stop {
    /// Cancelled by the first signal.
    pub first: CancellationToken,
    /// Cancelled by the second.
    pub second: CancellationToken,
    /// The number of the first signal, and when it arrived.
    signal: Arc<OnceLock<(u8, Instant)>>,
}

impl Stop {
    /// Starts listening. Must be called inside a runtime.
    pub fn listen() -> Stop {
        let stop = Stop::default();
        for (kind, number) in [(SignalKind::interrupt(), SIGINT), (SignalKind::terminate(), SIGTERM)] {
            let stop = stop.clone();
            // If listening fails, the signal ends the process as usual.
            let Ok(mut signals) = signal(kind) else { continue };
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    stop.heard(number, Instant::now());
                }
            });
        }
        stop
    }

    /// For a part of a run, such as one round of a loop: it stops with the run, and cancelling its `first` stops it alone.
    pub fn child(&self) -> Stop {
        Stop { first: self.first.child_token(), second: self.second.child_token(), signal: Arc::clone(&self.signal) }
    }

    fn heard(&self, number: u8, now: Instant) {
        let (_, first) = self.signal.get_or_init(|| (number, now));
        self.first.cancel();
        if now.duration_since(*first) >= DEBOUNCE {
            self.second.cancel();
        }
    }

    /// The number of the first signal, if one has arrived.
    pub fn requested(&self) -> Option<u8> {
        self.first.is_cancelled().then(|| self.number())
    }

    /// Waits for a signal, and returns its number.
    pub async fn wait(&self) -> u8 {
        self.first.cancelled().await;
        self.number()
    }

    /// Waits for a second signal, and returns the number of the first.
    pub async fn wait_for_second(&self) -> u8 {
        self.second.cancelled().await;
        self.number()
    }

    /// SIGINT if no signal arrived, because then the program itself asked to stop.
    fn number(&self) -> u8 {
        self.signal.get().map_or(SIGINT, |(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_signal_is_a_second_one() {
        let (stop, start) = (Stop::default(), Instant::now());
        stop.heard(SIGINT, start);
        stop.heard(SIGINT, start + DEBOUNCE / 2);
        assert!(!stop.second.is_cancelled());
        stop.heard(SIGTERM, start + DEBOUNCE);
        assert!(stop.second.is_cancelled() && stop.requested() == Some(SIGINT));
    }

    #[test]
    fn a_part_of_a_run_stops_alone_and_with_the_run() {
        let run = Stop::default();
        let (first, second) = (run.child(), run.child());
        first.first.cancel();
        assert!(first.requested().is_some() && second.requested().is_none() && run.requested().is_none());
        run.heard(SIGTERM, Instant::now());
        assert_eq!(second.requested(), Some(SIGTERM));
        assert!(!second.second.is_cancelled());
    }
}
