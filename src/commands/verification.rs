//! Runs the manifest's checks: on a version before it gets traffic, and on the URL afterwards.

use super::best::Best;
use super::session::Session;
use super::site::Job;
use crate::apply::{Checked, CloudError, Event, Observed, Outputs, Reason, StepError, Trial, Verified};
use crate::aws::{Current, Invoked, Part, is_loopback};
use crate::failure::{CheckName, Failure, FailureKind};
use crate::manifest::Check;
use crate::stack::{Address, Auth, InvokeMode, Stack};
use crate::verify::{
    self, Delay, Fault, Frame, Instance, Instances, Invocation, Kind, Refusal, Seen, Target, Trial as VersionTrial,
};
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};
use url::Url;

/// How long a URL may answer 403: AWS takes a while to apply a new permission.
const FORBIDDEN_FOR: Duration = Duration::from_secs(30);

/// How much longer than the function's own timeout lamstream waits for a response. A start may take ten seconds before
/// the request's time begins; the rest is for the network.
const GRACE: Duration = Duration::from_secs(15);

/// The checks of one function, for one rollout.
pub(super) struct Verification<'a> {
    session: &'a Session,
    job: &'a Job<'a>,
    target: &'a Stack,
    observed: &'a Observed,
    /// Which checks to run.
    pub scope: Scope,
    fingerprint: String,
    /// What the version answered that has passed all checks in this run.
    tried: Option<Verified>,
    /// A limit for the first byte of each check, besides its own.
    first_byte_within: Option<Duration>,
}

/// Which checks a rollout runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Nothing,
    /// Those of the version and of the URL.
    All,
    /// The same, except those of a URL that has passed them before and now only leads to another version: for `dev`.
    New,
}

impl Scope {
    /// `wanted` is whether to run checks at all.
    pub(super) fn wanted(wanted: bool) -> Scope {
        if wanted { Scope::All } else { Scope::Nothing }
    }
}

/// A version that did not pass its trial.
pub(super) struct Rejection {
    pub version: String,
    pub failure: Failure,
}

/// A URL that did not pass.
pub(super) struct NotVerified {
    pub failure: Failure,
    /// Whether the previous release would serve better.
    pub calls_for_moving_back: bool,
}

impl NotVerified {
    /// The URL could not be checked, which says nothing about the URL itself.
    fn unasked(failure: impl Into<Failure>) -> NotVerified {
        NotVerified { failure: failure.into(), calls_for_moving_back: false }
    }
}

/// Tries a version that has no traffic yet. A function without a URL has no checks, and passes.
impl Trial for Verification<'_> {
    type Rejection = Rejection;

    async fn try_version(&mut self, number: &str) -> Result<(), StepError<Rejection>> {
        if !self.verifies() {
            return Ok(());
        }
        let what = Checked::Version(number.to_owned());
        let asked = self.session.until_stopped(self.told_version(number)).await.map_err(|failure| {
            self.tell(|function, what| Event::NotVerified { function, what }, &what);
            CloudError::new(format!("verify {what}"), Reason::Interrupted, failure.message.to_string())
        })?;
        self.tried =
            asked?.map_err(|failure| StepError::Rejected(Rejection { version: number.to_owned(), failure }))?;
        Ok(())
    }
}

impl<'a> Verification<'a> {
    pub(super) fn of(
        session: &'a Session,
        job: &'a Job<'a>,
        target: &'a Stack,
        observed: &'a Observed,
        scope: Scope,
    ) -> Verification<'a> {
        let fingerprint = fingerprint(job.checks_as_written, target);
        let first_byte_within = None;
        Verification { session, job, target, observed, scope, fingerprint, tried: None, first_byte_within }
    }

    /// The same checks with another limit for their first bytes, if it is stricter than their own.
    pub(super) fn with_first_byte_within(self, limit: Option<Duration>) -> Verification<'a> {
        Verification { first_byte_within: limit, ..self }
    }

    /// The fingerprint of the checks as written in the manifest, and of all settings of the target that can make them
    /// fail.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether all checks of the manifest can be run here, because none lacks a value.
    pub(super) fn are_all_there(&self) -> bool {
        self.checks().len() == self.job.checks_as_written.len()
    }

    /// Whether the URL of the live release has not passed these checks yet.
    pub(super) fn are_due(&self) -> bool {
        !self.checks().is_empty() && self.observed.outputs.remembered.checks.as_ref() != Some(&self.fingerprint)
    }

    /// What the version answered, if its trial makes the same checks of its URL unnecessary: the URL of the previous release
    /// has passed them, with the same settings.
    pub(super) fn instead_of_url(&self) -> Option<&Verified> {
        let has_passed = self.observed.outputs.remembered.checks.as_ref() == Some(&self.fingerprint);
        self.tried.as_ref().filter(|_| self.scope == Scope::New && has_passed)
    }

    /// Whether there are checks to run. A function with a concurrency of 0 cannot answer any.
    pub(super) fn verifies(&self) -> bool {
        self.scope != Scope::Nothing && self.job.function.concurrency != Some(0) && !self.checks().is_empty()
    }

    /// Checks a version that may be live or not, for a command that changes nothing.
    pub(super) async fn ask_released(&self, number: &str) -> Result<Option<Verified>, Failure> {
        self.told_version(number).await?
    }

    /// Checks a version, and reports how it goes.
    async fn told_version(&self, number: &str) -> Result<Result<Option<Verified>, Failure>, CloudError> {
        let what = Checked::Version(number.to_owned());
        self.tell(|function, what| Event::Verifying { function, what }, &what);
        Ok(match self.ask_version(number).await? {
            Ok(seen) => Ok(seen.map(|seen| self.passed(&what, &seen))),
            Err((nth, fault)) => {
                self.tell(|function, what| Event::NotVerified { function, what }, &what);
                let check = CheckName::of(&self.job.function, nth);
                Err(Failure::not_verified(&self.job.function, &what.to_string(), check, &fault))
            }
        })
    }

    /// Checks a version, and reports nothing if it passes.
    pub(super) async fn look_at(&self, number: &str) -> Result<Result<(), Failure>, CloudError> {
        let failed = |(nth, fault)| {
            let check = CheckName::of(&self.job.function, nth);
            Failure::not_verified(&self.job.function, &format!("version {number}"), check, &fault)
        };
        Ok(self.ask_version(number).await?.map(drop).map_err(failed))
    }

    /// Checks a version, and returns the most informative result, `None` without checks; or the index of the first check
    /// that fails, and its fault.
    async fn ask_version(&self, number: &str) -> Result<Result<Option<Seen>, (usize, Fault)>, CloudError> {
        let url = self.target.url.as_ref();
        let buffered = url.is_some_and(|url| url.mode == InvokeMode::Buffered);
        let signed = url.is_some_and(|url| url.auth == Auth::AwsIam);
        let names = self.job.names();
        let unknown = format!("unknown.lambda-url.{}.on.aws", names.region);
        let url = self.observed.outputs.url().and_then(|url| Url::parse(url).ok());
        let host = url.as_ref().map_or(unknown.as_str(), Url::authority);
        let caller = verify::Caller { account: signed.then_some(&names.account), host, now: SystemTime::now() };
        let mut best: Option<Best> = None;
        let kind = Kind::of(&self.job.function);
        let trial = VersionTrial { kind, buffered, instances: self.instances(), timeout: self.timeout() };
        let place = &self.job.place;
        let begin = async |check: &Check, to: Instance| {
            let event = verify::event(check, &caller).to_string();
            let header = match to {
                Instance::New => Some(verify::NEW_INSTANCE),
                // The check does not read the stream to its end, which keeps its instance busy.
                Instance::Any => check.streams.then_some(verify::SPARE_INSTANCE),
            };
            let header = header.filter(|_| trial.instances.on_request());
            place.invoke(number, event.as_bytes(), trial.timeout, header).await.map(Answering)
        };
        for (nth, check) in self.checks().iter().enumerate() {
            let check = &self.limited(check);
            let ask = async || verify::try_version(check, trial, &begin).await;
            match place.when_free(number, self.timeout(), &self.session.observer(), ask).await? {
                Ok(seen) => best = Some(Best::of(best, check, seen)),
                Err(fault) => return Ok(Err((nth, fault))),
            }
        }
        Ok(Ok(best.map(|best| best.seen)))
    }

    /// Whether a version passes the checks, for a URL behind which another version may have answered. `None` if it cannot
    /// be asked.
    pub(super) async fn passes(&self, number: &str) -> Option<bool> {
        let asked = self.session.until_second_signal(self.ask_version(number)).await;
        Some(asked.ok()?.ok()?.is_ok())
    }

    /// Where people reach the target's function, as far as it exists.
    pub(super) fn addresses(&self, outputs: &Outputs) -> Vec<Address> {
        self.target.addresses(&outputs.assigned)
    }

    /// Where people reach the function after the rollout. If it failed, what it made exists, too.
    pub(super) fn addresses_after(&self, outputs: &Outputs, has_failed: bool) -> Vec<Address> {
        let mut made = self.addresses(outputs);
        if !has_failed {
            return made;
        }
        let mut addresses = self.observed.stack.addresses(&outputs.assigned);
        made.retain(|made| addresses.iter().all(|known| known.what != made.what));
        addresses.extend(made);
        addresses
    }

    /// Checks addresses, and returns the most informative result of the last. Only a second signal ends this early.
    /// `half_done` means that an address's own settings may be the target's or still the observed ones.
    pub(super) async fn ask(
        &self,
        addresses: &[Address],
        current: &Current<'_>,
        half_done: bool,
    ) -> Result<Option<Verified>, NotVerified> {
        let settled = self.session.to_the_end(async |observer| current.settle_traffic(observer).await).await;
        settled.map_err(NotVerified::unasked)?.map_err(NotVerified::unasked)?;
        let mut seen = None;
        for address in addresses {
            seen = Some(self.ask_all(address, half_done).await?);
        }
        let Some((verified, seen)) = seen else { return Ok(None) };
        if self.checks().iter().all(Check::is_default) {
            self.note_little_known(seen.as_ref());
        }
        Ok(verified)
    }

    /// Sends all checks to an address.
    async fn ask_all(
        &self,
        address: &Address,
        half_done: bool,
    ) -> Result<(Option<Verified>, Option<Seen>), NotVerified> {
        let what = &Checked::Address(address.what);
        self.tell(|function, what| Event::Verifying { function, what }, what);
        let mut best: Option<Best> = None;
        for (nth, check) in self.checks().iter().enumerate() {
            let seen = self.ask_check(address, (nth, check), half_done).await;
            let seen = seen.inspect_err(|_| self.tell(|function, what| Event::NotVerified { function, what }, what))?;
            best = Some(Best::of(best, check, seen));
        }
        let seen = best.map(|best| best.seen);
        Ok((seen.as_ref().map(|seen| self.passed(what, seen)), seen))
    }

    /// Says how little is known of a function without a check of its own.
    fn note_little_known(&self, seen: Option<&Seen>) {
        let name = &self.job.function.name;
        let known = match seen.filter(|seen| seen.refuses_host) {
            Some(seen) => format!(
                "`GET /` has status {}, because the app does not accept the host of its own URL: browsers and other \
                 clients get the same answer until the app accepts it",
                seen.status
            ),
            None => "all that is known is that `GET /` has a status below 500".to_owned(),
        };
        self.session.console.note(&format!("`{name}` has no `check` in the manifest: {known}"));
    }

    async fn ask_check(
        &self,
        address: &Address,
        (nth, check): (usize, &Check),
        half_done: bool,
    ) -> Result<Seen, NotVerified> {
        let (function, url) = (&self.job.function.name, &address.url);
        let is_signed = |one: &Address| one.url == *url && one.auth == Auth::AwsIam;
        // What is public accepts a signed request, too.
        let signs = is_signed(address) || half_done && self.observed.addresses().iter().any(is_signed);
        let signer = match signs {
            true => {
                let signer = self.session.until_second_signal(self.job.place.account.signer()).await;
                let cannot =
                    |error| Failure::new(FailureKind::Verify, format!("cannot sign a request to {url}: {error}"));
                Some(signer.and_then(|signer| signer.map_err(cannot)).map_err(NotVerified::unasked)?)
            }
            false => None,
        };
        let sign = |method: &http::Method, url: &str, headers: &[(String, String)], body: &[u8]| {
            signer.as_ref().map_or_else(|| Ok(Vec::new()), |signer| signer.headers(method, url, headers, body))
        };
        let target = Target {
            url,
            check,
            sign: if signs { Some(&sign) } else { None },
            streams: self.tried.is_some() && self.checks().iter().any(|check| check.streams),
            instances: self.instances(),
            forbidden_for: FORBIDDEN_FOR,
            timeout: self.timeout(),
        };
        let waiting = |delay: Delay, elapsed: Duration| {
            let for_what = delay.to_string();
            self.session.console.tell(&Event::Waiting { function: function.clone(), for_what, elapsed });
        };
        let seen = self.session.until_second_signal(verify::verify(&target, &waiting)).await;
        match seen.map_err(NotVerified::unasked)? {
            Ok(seen) => Ok(seen),
            Err(fault) => {
                let fault = self.looked_into(fault).await;
                let (function, what) = (&self.job.function, format!("the {} {url}", address.what));
                let failure = Failure::not_verified(function, &what, CheckName::of(function, nth), &fault);
                Err(NotVerified { failure, calls_for_moving_back: fault.calls_for_moving_back() })
            }
        }
    }

    /// Finds out why a public URL refuses all requests.
    async fn looked_into(&self, fault: Fault) -> Fault {
        let Fault::Forbidden { words, signed: false, tried_for, seen, .. } = fault else { return fault };
        let refusal = match self.job.place.permissions().await {
            Err(_) => Refusal::Unknown,
            Ok(found) => {
                let missing = self.target.permissions.difference(&found);
                let missing: Vec<&'static str> = missing.map(|permission| permission.sid()).collect();
                if missing.is_empty() { Refusal::Overruled } else { Refusal::Missing(missing) }
            }
        };
        Fault::Forbidden { words, signed: false, tried_for, refusal, seen }
    }

    fn limited(&self, check: &Check) -> Check {
        let limits = check.first_byte_within.into_iter().chain(self.first_byte_within);
        Check { first_byte_within: limits.min(), ..check.clone() }
    }

    fn checks(&self) -> &[Check] {
        &self.job.function.checks
    }

    /// How a second instance of the function can be reached.
    fn instances(&self) -> Instances {
        let on_request = self.job.place.account.endpoint.as_deref().is_some_and(is_loopback);
        match self.job.function.concurrency {
            Some(1) => Instances::Single { on_request },
            _ if on_request => Instances::OnRequest,
            limit => Instances::UnderLoad(limit.map_or(usize::MAX, |limit| limit as usize)),
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.job.function.settings.timeout)) + GRACE
    }

    fn tell(&self, event: impl FnOnce(String, Checked) -> Event, what: &Checked) {
        self.session.console.tell(&event(self.job.function.name.clone(), what.clone()));
    }

    fn passed(&self, what: &Checked, seen: &Seen) -> Verified {
        let verified = Verified::from(seen);
        self.tell(|function, what| Event::Verified { function, what, verified: verified.clone() }, what);
        verified
    }
}

/// 12 hexadecimal digits that change with the checks, and with everything except the release that can change the URL's
/// response. Values from outside are not included, because a rollback does not know them.
fn fingerprint(checks: &[Check], target: &Stack) -> String {
    let checks: Vec<String> = checks.iter().map(Check::definition).collect();
    let text = format!("{checks:?} {}", target.conduct());
    hex::encode(&Sha256::digest(text.as_bytes())[..6])
}

/// An invoked version, in the form that `verify` expects.
struct Answering(Invoked);

impl Invocation for Answering {
    type Error = CloudError;

    async fn next(&mut self) -> Result<Frame, CloudError> {
        Ok(match self.0.next().await? {
            Part::Chunk(bytes) => Frame::Chunk(bytes),
            Part::End { error, log } => Frame::End { error, log },
        })
    }
}
