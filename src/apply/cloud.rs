//! The interface that a plan needs from a cloud: observe it, and carry out one change of the observed state.

use super::observer::Observer;
use crate::plan::{Assigned, Change, ResourceKind};
use crate::stack::{Address, Arrival, Names, Origin, Release, Secret, Stack, Steps, Undecryptable, Verdict};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use tokio::sync::watch;

/// One function's place on a cloud.
#[expect(async_fn_in_trait, reason = "every caller is generic over the cloud and stays on one task")]
pub trait Cloud {
    type Current<'a>: Current
    where
        Self: 'a;

    fn names(&self) -> &Names;

    /// Observes what exists now.
    async fn observe(&self) -> Result<Self::Current<'_>, CloudError>;
}

/// The observed state. Nothing else can be changed: each guarded write states what it expects to find.
#[expect(async_fn_in_trait, reason = "every caller is generic over the cloud and stays on one task")]
pub trait Current {
    type Apart: Apart;

    /// The stack as observed.
    fn stack(&self) -> &Stack;

    /// Returns the number of a version that is this release, and creates the version from the source if necessary. It
    /// gets no traffic yet. This may be called again, whether or not the first call succeeded.
    async fn publish(
        &mut self,
        release: &Release,
        source: &ReleaseSource,
        observer: &Observer<'_>,
    ) -> Result<String, CloudError>;

    /// Carries out one change. This may be called again for the same change, whether or not the first call succeeded.
    /// If the change makes a release live, the delivery's source is a version.
    async fn carry_out(
        &mut self,
        change: &Change,
        delivery: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError>;

    /// The part of the cloud that changes need which need nothing that was observed of the function.
    fn apart(&self) -> Self::Apart;

    /// Deletes the function, with all parts of a [`Group::Deleted`](crate::plan::Group).
    async fn delete_all(
        &mut self,
        parts: &[Change],
        function: &Change,
        observer: &Observer<'_>,
    ) -> Result<(), CloudError>;
}

/// Carries out changes side by side: those that are [apart](crate::plan::Group::Apart).
#[expect(async_fn_in_trait, reason = "every caller is generic over the cloud and stays on one task")]
pub trait Apart {
    /// Carries out one change, as [`Current::carry_out`]. Says when a new role exists, even if it has no policies yet.
    async fn carry_out(&self, change: &Change, exists: &Exists, observer: &Observer<'_>)
    -> Result<Outputs, CloudError>;
}

/// Says that a role exists. If this is dropped before, no role was created.
pub struct Exists(watch::Sender<bool>);

impl Exists {
    /// With what hears of it.
    pub fn new() -> (Exists, watch::Receiver<bool>) {
        let (said, heard) = watch::channel(false);
        (Exists(said), heard)
    }

    /// One that nothing listens to.
    pub fn unheard() -> Exists {
        Exists::new().0
    }

    pub fn say(&self) {
        self.0.send_replace(true);
    }
}

/// A stack as observed, and the values that AWS chose for it.
#[derive(Clone, Debug)]
pub struct Observed {
    pub stack: Stack,
    pub outputs: Outputs,
    /// Where the version that `live` points to comes from.
    pub origin: Origin,
    /// When that version was published, as Lambda writes it: `2026-11-22T18:00:00.123+0000`.
    pub published_at: Option<String>,
    /// Whether the region has Function URLs.
    pub has_urls: bool,
    /// Settings that no manifest has a key for, and that differ from AWS's defaults.
    pub outside: SetOutside,
    /// The environment of what the next release is made from, if it cannot be decrypted.
    pub undecryptable: Option<Undecryptable>,
}

impl Observed {
    /// Where people reach the function.
    pub fn addresses(&self) -> Vec<Address> {
        self.stack.addresses(&self.outputs.assigned)
    }

    /// A place where nothing was found.
    pub fn nothing(names: Names) -> Observed {
        Observed {
            stack: Stack::empty(names),
            outputs: Outputs::default(),
            origin: Origin::default(),
            published_at: None,
            has_urls: false,
            outside: SetOutside::default(),
            undecryptable: None,
        }
    }
}

/// Settings that were made outside lamstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetOutside {
    /// Of the release that the traffic was turned to last.
    pub live: BTreeSet<&'static str>,
    /// Of what the next release is made from, which will have them, too.
    pub next: BTreeSet<&'static str>,
    /// Whether SnapStart is on in what the next release is made from, and in no release. The next one has it only if the
    /// manifest wants it.
    pub snap_start: bool,
}

impl SetOutside {
    /// All of them, in the order of their names. A manifest that wants SnapStart accounts for it.
    pub fn all(&self, wants_snap_start: bool) -> Vec<&'static str> {
        let snap_start = (self.snap_start && !wants_snap_start).then_some("SnapStart");
        let all: BTreeSet<&'static str> = self.live.union(&self.next).copied().chain(snap_start).collect();
        all.into_iter().collect()
    }
}

/// Values that only the cloud knows. A value that a step does not return is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The number of the version that `live` points to.
    pub version: Option<String>,
    /// The number of the version that `live` pointed to before.
    pub previous: Option<String>,
    /// When `live` was moved to `version`, and by which caller.
    pub arrival: Option<Arrival>,
    /// The version that gets part of the traffic, while a shift is in progress.
    pub shifted: Option<String>,
    /// The steps of that shift, if it was begun as one that ends itself.
    pub steps: Option<Steps>,
    /// What AWS chose for a resource, such as the address of a URL. An address ends with a slash.
    pub assigned: Assigned,
    /// What `live` remembers about the version that traffic was last moved to.
    pub remembered: Remembered,
}

/// What is known about a version that has traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub verdict: Verdict,
    /// The fingerprint of the checks that its URL last passed, and of the URL's settings.
    pub checks: Option<String>,
    /// Whether the run that made it live ended before the URL was verified.
    pub interrupted: bool,
}

impl Default for Remembered {
    fn default() -> Remembered {
        Remembered { verdict: Verdict::Unverified, checks: None, interrupted: false }
    }
}

impl Outputs {
    /// The version that traffic was last moved to: the shift's version if there is a shift.
    pub fn newest(&self) -> Option<&String> {
        self.shifted.as_ref().or(self.version.as_ref())
    }

    /// The address of the URL.
    pub fn url(&self) -> Option<&String> {
        self.assigned.get(&ResourceKind::Url)
    }

    /// Replaces the known values with those that `newer` has.
    pub fn updated_by(self, newer: Outputs) -> Outputs {
        Outputs {
            previous: if newer.version.is_some() { newer.previous } else { self.previous },
            arrival: if newer.version.is_some() { newer.arrival } else { self.arrival },
            shifted: if newer.version.is_some() { newer.shifted } else { self.shifted },
            steps: if newer.version.is_some() { newer.steps } else { self.steps },
            remembered: if newer.version.is_some() { newer.remembered } else { self.remembered },
            version: newer.version.or(self.version),
            assigned: self.assigned.into_iter().chain(newer.assigned).collect(),
        }
    }
}

/// The target of a plan, and the means to get there.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    pub target: &'a Stack,
    pub source: &'a ReleaseSource,
    /// Whether the URL is verified once the target's release is live.
    pub verify: bool,
}

/// The source of a release.
#[derive(Clone, Debug)]
pub enum ReleaseSource {
    /// No source: the plan contains no release.
    Nothing,
    /// A package to upload and publish.
    Zip(Artifact),
    /// A version that was published earlier.
    Version(String),
}

/// A package to upload.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub zip: Bytes,
    /// The bucket for a package that is too large for a call; `None` for a bucket of our own.
    pub bucket: Option<String>,
    /// `None` if no version is made of it yet.
    pub origin: Option<CodeOrigin>,
}

/// Where code comes from, such as a commit, if that is known. The version stores it.
#[derive(Clone, Debug)]
pub struct CodeOrigin(pub Option<String>);

impl<'a> Delivery<'a> {
    /// A delivery of the target without a source. It is not verified.
    pub fn of(target: &'a Stack) -> Delivery<'a> {
        Delivery { target, source: &ReleaseSource::Nothing, verify: false }
    }
}

/// A call that failed.
#[derive(Clone, Debug)]
pub struct CloudError {
    /// What was attempted, on what: ``create function `chat` ``.
    pub action: String,
    pub reason: Reason,
    /// AWS's words or ours, but never a value of the environment.
    pub message: String,
    /// AWS's code for the error.
    pub code: Option<String>,
    pub request_id: Option<String>,
}

/// Why the call failed, as far as it determines what is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// AWS refused the call.
    Refused,
    /// The resource that the call is about does not exist.
    Missing,
    /// What the call is about exists, and has no tags.
    Untagged,
    /// What the call creates exists already.
    Exists,
    /// The resource exists already, or another update is in progress: Lambda has one code for both.
    ExistsOrBusy,
    /// The resource that the call deletes is not empty.
    NotEmpty,
    /// The service failed or does not support the operation. Other requests would get the same response.
    Unavailable,
    /// The credentials lack a permission.
    Denied,
    /// The account's calls are throttled.
    Throttled,
    /// The region does not have the operation.
    NotInRegion,
    /// AWS makes no snapshots of such functions, or not here.
    NoSnapStart,
    /// AWS could not make a version's snapshot.
    NoSnapshot,
    /// The credentials cannot decrypt the environment.
    Undecryptable,
    /// The account blocks public function policies.
    PublicBlocked,
    /// AWS would accept the same call after another update has ended.
    Busy,
    /// AWS would take the same call once it has heard of the new role, or of its principal, everywhere.
    RoleNotReady,
    /// The version is inactive or being prepared: AWS would take the same call once it is ready.
    NotReady,
    /// Another program answers where a URL of the local cloud should.
    UrlTaken,
    /// The local cloud has no Lambda Web Adapter: the program that it was started with is gone.
    NoAdapter,
    /// The local cloud has no copy of a layer.
    NoLayer,
    /// Another process changed the same thing at the same time.
    Conflict,
    /// There are no credentials, or none that are still valid.
    Credentials,
    /// As `Credentials`, and the message names the command to log in.
    LoggedOut,
    /// A variable, an option or a configuration file cannot be used.
    Settings,
    /// No region is set.
    NoRegion,
    /// The endpoints would split a deploy between two clouds.
    SplitEndpoints,
    /// There was no response.
    Unreachable,
    /// A wait reached its limit.
    TimedOut,
    /// A signal ended the run.
    Interrupted,
}

impl CloudError {
    pub fn new(action: impl Into<String>, reason: Reason, message: impl Into<String>) -> CloudError {
        CloudError { action: action.into(), reason, message: message.into(), code: None, request_id: None }
    }

    /// ``cannot create function `chat` ``.
    pub fn attempt(&self) -> String {
        format!("cannot {}", self.action)
    }

    /// The same error without the given secrets, because AWS may repeat what it was sent.
    pub fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> CloudError {
        self.message = Secret::hide(&self.message, secrets);
        self
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.attempt(), self.message)
    }
}

impl Error for CloudError {}
