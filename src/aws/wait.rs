//! The only waiting in this room: it has an end, it reports that it waits, and it stops when the run is stopped.

use crate::apply::{CloudError, Observer, Reason};
use std::time::{Duration, Instant};

/// The first pause between two looks; they grow to `LONGEST`.
const FIRST: Duration = Duration::from_millis(60);
/// Also how often the wait is reported: nothing is silent for more than a second.
const LONGEST: Duration = Duration::from_millis(950);

/// How long Lambda may take to believe in a new role. Source: docs/aws.md, "Control plane".
pub(super) const ROLE: Duration = Duration::from_secs(90);
/// How long a function may take to become active or to finish an update.
pub(super) const UPDATE: Duration = Duration::from_secs(300);

/// How long Lambda may take to have provisioned instances ready, or to move them with `live`.
pub(super) const READY: Duration = Duration::from_secs(900);

/// How long another update may hold up a write of ours, which AWS refuses meanwhile.
pub(super) const BUSY: Duration = Duration::from_secs(60);

/// A pause, for a caller that reports its progress while it waits for something else.
pub(super) async fn moment(length: Duration) {
    tokio::time::sleep(length).await;
}

/// What one look found.
pub(super) enum Look<T> {
    Done(T),
    /// Not yet, and why: the error to give when the time is up.
    NotYet(CloudError),
}

/// What is waited for, and for how long.
pub(super) struct Wait<'a> {
    pub function: &'a str,
    /// Completes "Waiting for …".
    pub for_what: &'a str,
    pub limit: Duration,
}

impl Wait<'_> {
    /// Looks again and again until it is done.
    ///
    /// # Errors
    /// Whatever a look fails with, at once; the last "not yet" when `limit` is over; `Interrupted` when told to stop.
    pub async fn until<T>(
        &self,
        observer: &Observer<'_>,
        mut look: impl AsyncFnMut() -> Result<Look<T>, CloudError>,
    ) -> Result<T, CloudError> {
        let started = Instant::now();
        let mut pause = FIRST;
        loop {
            let not_yet = match look().await? {
                Look::Done(found) => return Ok(found),
                Look::NotYet(error) => error,
            };
            if started.elapsed() >= self.limit {
                let waited = format!("{} (waited {} s)", not_yet.message, self.limit.as_secs());
                return Err(CloudError { reason: Reason::TimedOut, message: waited, ..not_yet });
            }
            if observer.stop.is_cancelled() {
                return Err(CloudError { reason: Reason::Interrupted, message: "interrupted".into(), ..not_yet });
            }
            observer.waiting(self.function, self.for_what, started.elapsed());
            // Jitter, so that functions deployed side by side do not knock in step.
            tokio::time::sleep(pause.mul_f64(0.8 + 0.2 * fastrand::f64())).await;
            pause = (pause * 3 / 2).min(LONGEST);
        }
    }
}

/// The pauses between two looks at what has no end: short while there is news, longer and longer when there is none.
pub(super) struct Pace {
    shortest: Duration,
    longest: Duration,
    pause: Duration,
}

impl Pace {
    /// For a cloud on this machine.
    pub fn near() -> Pace {
        Pace::between(Duration::from_millis(200), Duration::from_secs(2))
    }

    /// For AWS, where the whole account shares a few calls a second.
    pub fn far() -> Pace {
        Pace::between(Duration::from_secs(1), Duration::from_secs(5))
    }

    fn between(shortest: Duration, longest: Duration) -> Pace {
        Pace { shortest, longest, pause: shortest }
    }

    pub async fn rest(&mut self, news: bool) {
        self.pause = if news { self.shortest } else { (self.pause * 3 / 2).min(self.longest) };
        tokio::time::sleep(self.pause).await;
    }
}

/// Whether AWS refuses a guarded write: it has to be looked at what is there now.
pub(super) fn is_refusal(error: &CloudError) -> bool {
    error.is("PreconditionFailedException") || error.is("ResourceConflictException")
}

/// Whether AWS refuses a write because the function is in the middle of something, and would take it later.
pub(super) fn is_busy(error: &CloudError) -> bool {
    error.reason == Reason::Busy
}

/// A new role can be read at once and assumed only seconds later; trying is the only way to know.
pub(super) fn is_role_too_new(error: &CloudError) -> bool {
    error.reason == Reason::RoleNotReady
}
