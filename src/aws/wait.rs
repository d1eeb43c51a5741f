//! The only waiting in this module: it has an end, it reports that it waits, and it stops when the run is stopped. `DELAYS`
//! has every refusal that AWS takes back after a while.

use crate::apply::{CloudError, Observer, Reason};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// The first pause between two looks. Pauses grow up to `LONGEST`.
const FIRST: Duration = Duration::from_millis(60);
/// Also the longest time between two reports of a wait, so that nothing is silent for more than a second.
const LONGEST: Duration = Duration::from_millis(950);

/// How long a function may take to become active or to finish an update.
pub(super) const UPDATE: Duration = Duration::from_secs(300);

/// How long Lambda may take to initialise an instance of a version, and to make its snapshot.
const SNAPSHOT: Duration = Duration::from_secs(900);

/// How long Lambda may take to prepare provisioned instances, or to move them with `live`.
pub(super) const READY: Duration = Duration::from_secs(900);

/// How long another update may block our writes, which AWS refuses in the meantime.
pub(super) const BUSY: Duration = Duration::from_secs(60);

/// How long Lambda may take to accept a new role. Source: docs/aws.md, "Control plane".
const ROLE: Duration = Duration::from_secs(90);
/// How long what was just made may not be found.
const VISIBLE: Duration = Duration::from_secs(300);
/// How long Lambda may take to restore an inactive version.
const RESTORED: Duration = Duration::from_secs(600);
/// How long the connection may be lost in the middle of an upload.
const LOST: Duration = Duration::from_secs(300);

/// How long the log may lack Lambda's report of a request that has ended.
pub(super) const REPORT: Duration = Duration::from_secs(15);

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// What a noun stands for.
    Resource(Resource),
    /// A function, its versions, `live`, and what belongs to `live`.
    Function,
    /// A version that is invoked.
    Invocation,
    /// The bucket for uploads.
    Bucket,
    /// A part of a package that is uploaded.
    Upload,
}

/// A resource of a service, in words: `CloudWatch Logs` and `log group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resource {
    pub service: &'static str,
    pub name: &'static str,
}

impl Resource {
    pub(super) const ROLE: Resource = Resource { service: "IAM", name: "role" };

    /// The refusals that mean "not yet" whatever the resource is.
    fn delay(self, reason: Reason) -> Option<Delay> {
        let Resource { service, name } = self;
        let (for_what, limit) = match reason {
            Reason::Missing => (format!("{service} to find the new {name}"), VISIBLE),
            Reason::Busy => (format!("another change of the {name} to finish"), BUSY),
            _ => return None,
        };
        Some(Delay { for_what: for_what.into(), limit })
    }
}

/// What a run made, and what it may therefore wait for if AWS does not find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Made {
    Resource(Resource),
    Function,
    Version,
    Alias,
    Bucket,
}

/// A refusal that means "not yet".
struct Row {
    about: Subject,
    reason: Reason,
    limit: Duration,
    /// Completes "Waiting for …".
    for_what: &'static str,
}

const fn row(about: Subject, reason: Reason, limit: Duration, for_what: &'static str) -> Row {
    Row { about, reason, limit, for_what }
}

/// Which refusals of which calls mean "not yet", and for how long, besides those of every [`Resource`]. `Missing` counts only
/// for what this run made: otherwise another process deleted it. Source: docs/aws.md, "Control plane" and "Logs".
const DELAYS: [Row; 11] = [
    row(Subject::Resource(Resource::ROLE), Reason::NotEmpty, BUSY, "IAM to remove the role's policies"),
    row(Subject::Resource(Resource::ROLE), Reason::RoleNotReady, ROLE, "IAM to accept the role's principal"),
    row(Subject::Function, Reason::Missing, VISIBLE, "Lambda to find what was just created"),
    row(Subject::Function, Reason::Busy, BUSY, "another update to finish"),
    row(Subject::Function, Reason::RoleNotReady, ROLE, "Lambda to accept the role"),
    row(Subject::Invocation, Reason::Missing, VISIBLE, "Lambda to find the new version"),
    row(Subject::Invocation, Reason::Busy, RESTORED, "Lambda to prepare the version"),
    row(Subject::Invocation, Reason::NotReady, RESTORED, "Lambda to restore the inactive version"),
    row(Subject::Bucket, Reason::Missing, VISIBLE, "S3 to find the new bucket"),
    row(Subject::Upload, Reason::Unreachable, LOST, "S3 to be reachable again"),
    row(Subject::Upload, Reason::Unavailable, BUSY, "S3 to accept the package again"),
];

/// What is waited for, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    pub for_what: Cow<'static, str>,
    pub limit: Duration,
}

/// The delay that a refusal of such a call means, if any.
pub(super) fn delay(about: Subject, reason: Reason) -> Option<Delay> {
    let row = DELAYS.iter().find(|row| (row.about, row.reason) == (about, reason));
    match (row, about) {
        (Some(row), _) => Some(Delay { for_what: row.for_what.into(), limit: row.limit }),
        (None, Subject::Resource(resource)) => resource.delay(reason),
        (None, _) => None,
    }
}

/// The time that Lambda takes for the snapshot of a version, whose state is shown.
pub(super) fn snapshot(version: &str, state: &str) -> Delay {
    Delay { for_what: format!("Lambda to make the snapshot of version {version}: {state}").into(), limit: SNAPSHOT }
}

/// A pause, for a caller that reports its progress while it waits for something else.
pub(super) async fn moment(length: Duration) {
    tokio::time::sleep(length).await;
}

/// The result of one look.
pub(super) enum Polled<T> {
    Done(T),
    /// Not done yet, with the error to return when the time is up.
    NotYet(CloudError),
    /// The same, but something else is waited for.
    Late(Delay, CloudError),
}

/// The purpose and the limit of a wait.
pub(super) struct Wait<'a> {
    pub function: &'a str,
    /// Completes "Waiting for …".
    pub for_what: &'a str,
    pub limit: Duration,
}

impl Wait<'_> {
    /// Repeats `look` until it is done.
    ///
    /// # Errors
    /// Whatever a look fails with, at once; the last "not yet" when the longest limit is over that was met, as
    /// [`Waited`] counts it; `Interrupted` when told to stop.
    pub(super) async fn until<T>(
        &self,
        observer: &Observer<'_>,
        mut look: impl AsyncFnMut() -> Result<Polled<T>, CloudError>,
    ) -> Result<T, CloudError> {
        let started = Instant::now();
        let (mut pause, mut limit, mut waited) = (FIRST, self.limit, Waited::default());
        loop {
            let looked = Instant::now();
            let (for_what, not_yet) = match look().await? {
                Polled::Done(found) => return Ok(found),
                Polled::NotYet(error) => (self.for_what.into(), error),
                Polled::Late(delay, error) => {
                    limit = limit.max(delay.limit);
                    (delay.for_what, error)
                }
            };
            waited.looked(looked.elapsed());
            if waited.0 >= limit {
                let message = format!("{} (waited {} s)", not_yet.message, started.elapsed().as_secs());
                return Err(CloudError { reason: Reason::TimedOut, message, ..not_yet });
            }
            if observer.stop.is_cancelled() {
                return Err(CloudError { reason: Reason::Interrupted, message: "interrupted".into(), ..not_yet });
            }
            observer.waiting(self.function, &for_what, started.elapsed());
            // Jitter, so that parallel deploys do not poll at the same moment.
            let rest = pause.mul_f64(0.8 + 0.2 * fastrand::f64());
            tokio::time::sleep(rest).await;
            waited.0 += rest;
            pause = (pause * 3 / 2).min(LONGEST);
        }
    }
}

/// The time of a wait that counts towards its limit. A look may take a minute because AWS limits the account's rate of
/// calls: that says nothing about what is waited for, so only the beginning of each look counts.
#[derive(Default)]
struct Waited(Duration);

impl Waited {
    fn looked(&mut self, took: Duration) {
        self.0 += took.min(LONGEST);
    }
}

/// The pauses of polling without an end: short while there is news, otherwise longer each time.
pub(super) struct Pace {
    shortest: Duration,
    longest: Duration,
    pause: Duration,
}

impl Pace {
    /// The pace for a cloud on this machine.
    pub(super) fn near() -> Pace {
        Pace::between(Duration::from_millis(200), Duration::from_secs(2))
    }

    /// The pace for AWS, where the whole account shares a few calls per second.
    pub(super) fn far() -> Pace {
        Pace::between(Duration::from_secs(1), Duration::from_secs(5))
    }

    fn between(shortest: Duration, longest: Duration) -> Pace {
        Pace { shortest, longest, pause: shortest }
    }

    pub(super) async fn rest(&mut self, news: bool) {
        self.pause = if news { self.shortest } else { (self.pause * 3 / 2).min(self.longest) };
        tokio::time::sleep(self.pause).await;
    }
}

/// Whether AWS refuses a guarded write, so that the current state must be read.
pub(super) fn is_refusal(error: &CloudError) -> bool {
    matches!(error.reason, Reason::Conflict | Reason::ExistsOrBusy | Reason::Busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_wait_for_their_turn_do_not_use_up_a_limit() {
        let mut waited = Waited::default();
        (0..10).for_each(|_| waited.looked(BUSY));
        assert!(waited.0 < BUSY, "{:?}", waited.0);
        (0..100).for_each(|_| waited.looked(BUSY));
        assert!(waited.0 >= BUSY, "a wait has an end: {:?}", waited.0);
    }
}
