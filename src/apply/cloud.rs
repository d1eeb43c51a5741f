//! What a plan needs of a cloud: to be observed, and to carry out one change of what was observed.

use super::observer::Observer;
use crate::plan::Change;
use crate::stack::{Names, Release, Secret, Stack, Verdict};
use bytes::Bytes;
use std::error::Error;
use std::fmt;

/// One function's place on a cloud.
#[expect(async_fn_in_trait, reason = "every caller is generic over the cloud and stays on one task")]
pub trait Cloud {
    type Current<'a>: Current
    where
        Self: 'a;

    fn names(&self) -> &Names;

    /// What exists now.
    async fn observe(&self) -> Result<Self::Current<'_>, CloudError>;
}

/// What was observed. Nothing else can be changed: every guarded write says what it expects to find.
#[expect(async_fn_in_trait, reason = "every caller is generic over the cloud and stays on one task")]
pub trait Current {
    /// As it was observed.
    fn stack(&self) -> &Stack;

    /// The number of a version that is this release, made from the source if need be. It gets no traffic yet. May be
    /// called again, whether or not the first call succeeded.
    async fn publish(
        &mut self,
        release: &Release,
        source: &Source,
        observer: &Observer<'_>,
    ) -> Result<String, CloudError>;

    /// Carries out one change. May be called again for the same change, whether or not the first call succeeded. Where
    /// it makes a release live, the delivery's source is a version.
    async fn carry_out(
        &mut self,
        change: &Change,
        delivery: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError>;
}

/// A stack as found, and what AWS made up for it.
#[derive(Clone, Debug)]
pub struct Observed {
    pub stack: Stack,
    pub outputs: Outputs,
}

/// What only the cloud knows. What one step does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The number of the version that `live` points to.
    pub version: Option<String>,
    /// The number of the version that `live` pointed to before.
    pub previous: Option<String>,
    /// While a shift is in progress: the version that is given a part of the traffic.
    pub shifted: Option<String>,
    /// With its last slash.
    pub url: Option<String>,
    /// What `live` remembers of the version that it was turned to last.
    pub remembered: Remembered,
}

/// What is known of a version that has traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub verdict: Verdict,
    /// The fingerprint of the checks that its URL was last seen to pass, and of the URL's settings.
    pub checks: Option<String>,
    /// Whether the run that made it live ended before the URL was seen to pass.
    pub interrupted: bool,
}

impl Default for Remembered {
    fn default() -> Remembered {
        Remembered { verdict: Verdict::Unverified, checks: None, interrupted: false }
    }
}

impl Outputs {
    /// The version that traffic was turned to last: the shift's where there is one.
    pub fn newest(&self) -> Option<&String> {
        self.shifted.as_ref().or(self.version.as_ref())
    }

    /// What `newer` tells replaces what was known.
    pub fn updated_by(self, newer: Outputs) -> Outputs {
        Outputs {
            previous: if newer.version.is_some() { newer.previous } else { self.previous },
            shifted: if newer.version.is_some() { newer.shifted } else { self.shifted },
            remembered: if newer.version.is_some() { newer.remembered } else { self.remembered },
            version: newer.version.or(self.version),
            url: newer.url.or(self.url),
        }
    }
}

/// What a plan leads to, and what it takes to get there.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    pub target: &'a Stack,
    pub source: &'a Source,
    /// Whether the URL is going to be asked once the target's release is live.
    pub verify: bool,
}

/// Where a release comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nowhere: the plan has no release in it.
    Nothing,
    /// A package, to be uploaded and published.
    Zip(Artifact),
    /// A version that was published earlier.
    Version(String),
}

/// A package on its way.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub zip: Bytes,
    /// The bucket through which it goes if it is too large for a call; `None` for one of our own.
    pub bucket: Option<String>,
    /// Where the code comes from, such as a commit: kept with the version as its description.
    pub origin: String,
}

impl<'a> Delivery<'a> {
    /// Of nothing but the target itself, which is not verified.
    pub fn of(target: &'a Stack) -> Delivery<'a> {
        Delivery { target, source: &Source::Nothing, verify: false }
    }
}

/// A call that did not do what it should.
#[derive(Clone, Debug)]
pub struct CloudError {
    /// What was tried, on what: ``create function `chat` ``.
    pub action: String,
    pub reason: Reason,
    /// AWS's words, or ours; never a value of the environment.
    pub message: String,
    /// AWS's name of the error.
    pub code: Option<String>,
    pub request_id: Option<String>,
}

/// Why, as far as it changes what is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// AWS said no.
    Refused,
    /// The credentials lack a permission.
    Denied,
    /// The account's calls are throttled.
    Throttled,
    /// The account blocks public function policies.
    PublicBlocked,
    /// AWS would take the same call once another update has ended.
    Busy,
    /// AWS would take the same call once it has heard of the new role everywhere.
    RoleNotReady,
    /// Another program answers where a URL of the local cloud should.
    UrlTaken,
    /// The local cloud has no Lambda Web Adapter.
    NoAdapter,
    /// The local cloud has no copy of a layer.
    NoLayer,
    /// Another process changed the same thing at the same time.
    Conflict,
    /// No credentials, or none that are still valid.
    Credentials,
    /// The same, and the message names the command that logs in.
    LoggedOut,
    /// A variable, an option or a configuration file that cannot be used.
    Settings,
    /// No region is set.
    NoRegion,
    /// Endpoints by which one deploy would be split between two clouds.
    SplitEndpoints,
    /// No answer.
    Unreachable,
    /// Waited for as long as it makes sense.
    TimedOut,
    /// The run was ended by a signal.
    Interrupted,
}

impl CloudError {
    pub fn new(action: impl Into<String>, reason: Reason, message: impl Into<String>) -> CloudError {
        CloudError { action: action.into(), reason, message: message.into(), code: None, request_id: None }
    }

    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The same error without the given secrets: AWS's words may echo what it was sent.
    pub fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> CloudError {
        self.message = Secret::hide(&self.message, secrets);
        self
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {}: {}", self.action, self.message)
    }
}

impl Error for CloudError {}
