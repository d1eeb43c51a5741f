//! Carries out a proposal, and makes sure that a failure never leaves the previous release worse off.

use super::ahead::read_ahead;
use super::proposal::Proposal;
use super::session::Session;
use super::site::{Job, hide_environments};
use super::traffic::describe_traffic;
use super::verification::{NotVerified, Rejection, Scope, Verification};
use crate::apply::{
    Applied, ApplyError, Delivery, Event, NoTrial, Observed, Outputs, Reason, ReleaseSource, Step, StepError, Verified,
    apply,
};
use crate::aws::{Current, OldVersions, Traffic};
use crate::failure::{Failure, FailureKind};
use crate::plan::{Plan, ResourceKind};
use crate::report::{FunctionAnswer, State};
use crate::stack::{Live, Stack, Verdict};

/// One proposal while it is carried out.
struct Rollout<'a> {
    session: &'a Session,
    job: &'a Job<'a>,
    /// What was deployed before this run.
    observed: &'a Observed,
    current: Current<'a>,
    target: &'a Stack,
    checks: Verification<'a>,
    /// Whether this is a deploy that deletes old versions afterwards.
    prunes: bool,
    results: Results,
}

/// What a rollout has done so far.
struct Results {
    /// Whether this run changed anything, or is about to.
    changed: bool,
    done: Vec<Step>,
    outputs: Outputs,
    /// What `live` points to; `None` also if that is an older release that could not be read.
    live: Option<Live>,
    /// What the URL answered.
    verified: Option<Verified>,
    old_versions: Option<OldVersions>,
}

/// The answer, and what was read of old versions if a deploy is about to delete them.
pub(super) struct RolledOut {
    pub answer: FunctionAnswer,
    pub old_versions: Option<OldVersions>,
}

/// Applies the changes that lead to the target, verifies the URL, and only then applies the changes that remove
/// something. A plan without changes may still need verification.
pub(super) async fn roll_out(
    session: &Session,
    job: &Job<'_>,
    proposal: Proposal<'_>,
    source: &ReleaseSource,
    scope: Scope,
) -> RolledOut {
    let Proposal { current, done, target, plan } = proposal;
    let observed = current.observed.clone();
    let results = Results {
        changed: !plan.is_empty() || !done.is_empty(),
        done: done.iter().map(|change| Step::of(change, job.names())).collect(),
        outputs: observed.outputs.clone(),
        live: observed.stack.live.clone(),
        verified: None,
        old_versions: None,
    };
    // What was created while the code was built belongs to the changes of the run.
    let whole = Plan { changes: done.into_iter().chain(plan.changes.iter().cloned()).collect(), ..plan.clone() };
    let checks = Verification::of(session, job, &target, &observed, scope);
    let moves_all = target.live.as_ref().is_some_and(|live| live.shift.is_none());
    let prunes = moves_all && matches!(source, ReleaseSource::Zip(_));
    let mut rollout = Rollout { session, job, observed: &observed, current, target: &target, checks, prunes, results };
    let result = rollout.carry_out(plan, source).await;
    RolledOut { old_versions: rollout.results.old_versions.take(), answer: rollout.answer(whole, result) }
}

/// Verifies a release that an interrupted run made live.
pub(super) async fn verify_interrupted(session: &Session, job: &Job<'_>, current: Current<'_>) -> FunctionAnswer {
    let target = current.observed.stack.clone();
    roll_out(session, job, Proposal::new(current, target), &ReleaseSource::Nothing, Scope::All).await.answer
}

impl Rollout<'_> {
    /// # Errors
    /// With the steps that are left.
    async fn carry_out(&mut self, plan: Plan, source: &ReleaseSource) -> Result<(), Failure> {
        hide_environments(self.session, self.job, [self.target, &self.observed.stack]);
        let (before, after) = plan.halves();
        self.check_unverified_release(&before).await;
        let led = self.lead_to_target(&before, source).await;
        let is_new_alone = led.is_ok() && before.changes.iter().all(|change| change.kind() == ResourceKind::Release);
        match self.checks.instead_of_url().filter(|_| is_new_alone).cloned() {
            Some(tried) => {
                self.results.verified = Some(tried);
                self.remember(self.checks.are_all_there()).await;
            }
            None => self.verify_url(led).await.map_err(|failure| {
                let after = after.changes.iter().map(|change| Step::of(change, self.job.names()));
                Failure { left: failure.left.iter().cloned().chain(after).collect(), ..failure }
            })?,
        }
        let delivery = Delivery::of(self.target);
        let applied = apply(&mut self.current, &after, &delivery, &mut NoTrial, &self.session.observer()).await;
        let applied = applied.map_err(|error| {
            let mut failure = Failure::from(error);
            self.results.done.append(&mut failure.done);
            failure
        })?;
        self.results.done.extend(applied.done);
        Ok(())
    }

    fn answer(self, plan: Plan, result: Result<(), Failure>) -> FunctionAnswer {
        let Rollout { job, observed, current, target, checks, results, .. } = self;
        let Results { changed, done, mut outputs, mut live, verified, .. } = results;
        let addresses = checks.addresses_after(&outputs, result.is_err());
        if matches!(current.traffic(), Traffic::Unknown(_)) {
            (live, outputs.version, outputs.previous, outputs.shifted) = (None, None, None, None);
        }
        let answer = FunctionAnswer {
            state: if target.live.is_some() { State::Deployed } else { State::Absent },
            changed,
            url: if result.is_ok() { target } else { &observed.stack }.url.clone(),
            release: live.as_ref().map(|live| live.release.clone()),
            shift: live.as_ref().and_then(Live::weight),
            verdict: (outputs.version.is_some() && !addresses.is_empty()).then_some(outputs.remembered.verdict),
            addresses,
            outputs,
            plan: Some(plan),
            set_outside: observed.outside.all(job.function.settings.snap_start),
            verified,
            done,
            ..FunctionAnswer::of(job.names().clone())
        };
        match result {
            Ok(()) => answer,
            Err(failure) => {
                let answer = answer.failed(failure);
                FunctionAnswer { error: answer.error.map(Failure::resumable), ..answer }
            }
        }
    }

    /// Checks a release that an interrupted run left unverified, because it decides whether we can return to it.
    async fn check_unverified_release(&mut self, plan: &Plan) {
        let Observed { outputs, .. } = self.observed;
        let (addresses, Some(version)) = (self.checks.addresses(outputs), outputs.newest()) else { return };
        let has_release = plan.changes.iter().any(|change| change.kind() == ResourceKind::Release);
        if !has_release || !self.checks.verifies() || !outputs.remembered.interrupted || addresses.is_empty() {
            return;
        }
        match self.checks.ask(&addresses, &self.current, true).await {
            Ok(_) => self.current.note_passed(self.checks.fingerprint()),
            Err(refused) => {
                if refused.calls_for_moving_back {
                    self.current.note_failed();
                }
                self.session.console.note(&format!(
                    "`{}`: an earlier run left version {version} unverified: {}",
                    self.job.function.name, refused.failure.message
                ));
            }
        }
    }

    /// Applies the changes that lead to the target, including the trial of the new version.
    async fn lead_to_target(&mut self, plan: &Plan, source: &ReleaseSource) -> Result<(), Failure> {
        let delivery = Delivery { target: self.target, source, verify: self.checks.verifies() };
        let observer = self.session.observer();
        let (Applied { outputs, done }, stopped) =
            match apply(&mut self.current, plan, &delivery, &mut self.checks, &observer).await {
                Ok(applied) => (applied, None),
                Err(error) => {
                    let ApplyError { outputs, done, failed, left, cause } = *error;
                    (Applied { outputs, done }, Some((cause, failed.into_iter().chain(left).collect())))
                }
            };
        if done.iter().any(is_release) {
            self.results.live = self.target.live.clone();
        }
        self.results.done.extend(done);
        self.learn(outputs);
        match stopped {
            None => Ok(()),
            Some((StepError::Cloud(error), left)) => Err(Failure::stopped_early(error, Vec::new(), left)),
            Some((StepError::Rejected(rejection), left)) => Err(self.rejected(rejection, left).await),
        }
    }

    /// Adds the values that AWS assigned.
    fn learn(&mut self, outputs: Outputs) {
        self.results.outputs = std::mem::take(&mut self.results.outputs).updated_by(outputs);
    }

    async fn rejected(&mut self, rejection: Rejection, left: Vec<Step>) -> Failure {
        self.remember_failed(&rejection.version).await;
        let failure = Failure { left, ..rejection.failure };
        // `verify_url` is about to verify the live release, and then says what stays live.
        if self.observed.outputs.remembered.interrupted {
            return failure;
        }
        match &self.observed.outputs.version {
            Some(version) => failure.therefore(&format!("`live` stays on version {version}")),
            None => failure.therefore("nothing is live yet"),
        }
    }

    /// If this cannot be written, the version counts as unverified, which is equally safe.
    async fn remember_failed(&mut self, version: &str) {
        let current = &mut self.current;
        let remembered = self.session.to_the_end(async |observer| current.remember_failed(version, observer).await);
        if let Ok(Ok(remembered)) = remembered.await {
            self.results.outputs.remembered = remembered;
        }
    }

    /// Verifies the URL if the live release may not have passed its checks, even if `led` is a failure.
    async fn verify_url(&mut self, led: Result<(), Failure>) -> Result<(), Failure> {
        let traffic = self.current.traffic();
        let is_in_doubt = traffic != Traffic::Unmoved || self.observed.outputs.remembered.interrupted;
        let due = match &led {
            Ok(()) => self.results.changed || self.checks.are_due(),
            Err(_) => is_in_doubt,
        };
        if led.is_ok() && self.checks.scope == Scope::Nothing && is_in_doubt && traffic == Traffic::Unmoved {
            self.remember(false).await;
        }
        let addresses = self.checks.addresses(&self.results.outputs);
        if !due || !self.checks.verifies() || addresses.is_empty() {
            return led.map_err(|failure| failure.therefore_maybe(describe_traffic(&traffic)));
        }
        let ahead = read_ahead(self.session, self.job, &self.current, self.prunes && led.is_ok());
        let (asked, (fresh, old_versions)) =
            tokio::join!(self.checks.ask(&addresses, &self.current, led.is_err()), ahead);
        self.current.refresh(fresh);
        self.results.old_versions = old_versions;
        match asked {
            Ok(verified) => {
                self.results.verified = verified;
                if !matches!(traffic, Traffic::Unknown(_)) {
                    self.remember(self.checks.are_all_there()).await;
                }
                if let Some(signal) = self.session.stop.requested().filter(|_| self.session.stop.second.is_cancelled())
                {
                    return Err(led.err().unwrap_or_else(|| Failure::interrupted(signal)));
                }
                led.map_err(|failure| {
                    self.ended(failure.therefore(&format!("{}, and its URL passes the checks", self.live(&traffic))))
                })
            }
            Err(refused) => {
                let failure = self.refused(refused, led.err()).await;
                Err(self.ended(failure))
            }
        }
    }

    /// Marks the failure as interrupted if a signal arrived, even if something else failed afterwards.
    fn ended(&self, failure: Failure) -> Failure {
        match self.session.stop.requested() {
            Some(signal) => Failure { kind: FailureKind::Interrupted(signal), ..failure },
            None => failure,
        }
    }

    /// Records that the live release passed, or that it is accepted unchecked. If this cannot be written, the next deploy
    /// checks it again, which does no harm.
    async fn remember(&mut self, passed: bool) {
        let (current, checks) = (&mut self.current, self.checks.fingerprint());
        let remembered = self.session.to_the_end(async |observer| match passed {
            true => current.remember_passed(checks, observer).await,
            false => current.remember_unasked(observer).await,
        });
        let why = match remembered.await {
            Ok(Ok(remembered)) => {
                self.results.outputs.remembered = remembered;
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(failure) => failure.message.to_string(),
        };
        let (function, how) = (&self.job.function.name, if passed { ", although it passed" } else { "" });
        let note = format!("`{function}` counts as unverified{how}: {why}; the next deploy verifies its URL again");
        self.session.console.note(&note);
    }

    /// Says what is live.
    fn live(&self, traffic: &Traffic) -> String {
        describe_traffic(traffic).unwrap_or_else(|| match self.observed.outputs.newest() {
            Some(version) => format!("version {version} is live"),
            None => "nothing is live".to_owned(),
        })
    }

    /// Moves `live` back if that helps, and adds the outcome to the failure.
    async fn refused(&mut self, refused: NotVerified, earlier: Option<Failure>) -> Failure {
        let traffic = self.current.traffic();
        let failure = match earlier {
            Some(earlier) => earlier.and_also(refused.failure),
            None => refused.failure,
        };
        let remembered = &self.observed.outputs.remembered;
        // If the live release passed before, moving back to an older one would not help.
        let suspect = traffic != Traffic::Unmoved || remembered.interrupted;
        if !suspect || !refused.calls_for_moving_back {
            let live = self.live(&traffic);
            let has_passed = traffic == Traffic::Unmoved && remembered.verdict == Verdict::Verified;
            // During a shift, the other release may have answered.
            let is_alone = self.results.outputs.shifted.is_none();
            if !suspect && !has_passed && is_alone && refused.calls_for_moving_back {
                self.remember_live_failed().await;
            }
            let how = if has_passed { "and passed earlier checks" } else { "but unverified" };
            return failure.therefore(&format!("{live} {how}"));
        }
        if let Some(elsewhere) = self.older_release_fails().await {
            self.remember(false).await;
            return failure.therefore(&elsewhere);
        }
        let current = &mut self.current;
        let moved = self.session.to_the_end(async |observer| current.move_back(observer).await).await;
        let (why, hints) = match moved {
            Ok(Ok(Some((version, outputs)))) => return self.moved_back(failure, &version, outputs).await,
            Ok(Ok(None)) => {
                self.remember_live_failed().await;
                return failure.therefore("it stays live, because no previous release is available");
            }
            Ok(Err(error)) if error.reason == Reason::Conflict => {
                return failure.therefore_as_said("`live` was not moved back", &error.to_string());
            }
            Ok(Err(error)) => (error.to_string(), Failure::from(error).hints),
            Err(interrupted) => (interrupted.message.to_string(), interrupted.hints),
        };
        let how = match self.current.traffic() {
            Traffic::Unknown(version) => {
                format!("`live` may be on version {version}: it could not be moved back, or the reply was lost")
            }
            traffic => format!("{}, and `live` could not be moved back", self.live(&traffic)),
        };
        let mut failure = failure.therefore_as_said(&how, &why);
        failure.hints.extend(hints);
        failure.hint("run `lamstream deploy` again once the cause is removed: it asks the URL, and moves `live` back if it fails")
    }

    /// During a shift, says so if the version that gets the rest of the traffic fails the checks itself: its answer
    /// must not be held against the new version, which has passed its trial.
    async fn older_release_fails(&self) -> Option<String> {
        let outputs = &self.results.outputs;
        let (newer, older) = (outputs.shifted.as_ref()?, outputs.version.as_ref()?);
        if self.checks.passes(older).await? {
            return None;
        }
        Some(format!(
            "version {older}, which gets the rest of the traffic, fails the checks too: the shift to version {newer} stays, \
             and version {newer} is unverified"
        ))
    }

    /// Marks the release that stays live although its URL failed.
    async fn remember_live_failed(&mut self) {
        if let Some(version) = self.results.outputs.newest().cloned() {
            self.remember_failed(&version).await;
        }
    }

    /// Records the move, after which the release counts as not done again.
    async fn moved_back(&mut self, failure: Failure, version: &str, outputs: Outputs) -> Failure {
        let shift = outputs.shifted.as_ref().map(|part| format!(", with version {part} beside it as before"));
        let function = self.job.function.name.clone();
        self.session.console.tell(&Event::MovedBack { function, version: version.to_owned() });
        self.results.live = self
            .read_live(version)
            .await
            .map(|live| Live { shift: live.shift.filter(|_| outputs.shifted.is_some()), release: live.release });
        self.learn(outputs);
        self.results.changed = true;
        let (mut left, done): (Vec<Step>, Vec<Step>) = self.results.done.drain(..).partition(is_release);
        self.results.done = done;
        left.extend(failure.left.iter().cloned());
        let back = format!("`live` was moved back to version {version}{}", shift.unwrap_or_default());
        Failure { left, ..failure.therefore(&back) }
    }

    /// What `live` points to after a move back to this version. If this run did not observe it, it is read.
    async fn read_live(&self, version: &str) -> Option<Live> {
        if self.observed.outputs.version.as_deref() == Some(version) {
            return self.observed.stack.live.clone();
        }
        let read = self.session.until_second_signal(self.job.place.release(version)).await;
        read.ok()?.ok()?.map(Live::from)
    }
}

fn is_release(step: &Step) -> bool {
    step.kind == ResourceKind::Release
}
