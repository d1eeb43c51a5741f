//! Brings a function to its target, and sees to it that what served before is never worse off.

use super::session::Session;
use super::site::Job;
use super::verification::{NotVerified, Verification};
use crate::apply::{Delivery, Event, Observed, Reason, Source, Step, apply};
use crate::aws::Traffic;
use crate::failure::{Failure, Kind as Failed};
use crate::plan::{Kind, Plan};
use crate::report::{FunctionAnswer, State};
use crate::stack::{Secret, Stack, Verdict};

/// Where a function is to be brought, and from where.
pub(super) struct Rollout<'a> {
    pub session: &'a Session,
    pub job: &'a Job<'a>,
    pub observed: &'a Observed,
    pub target: &'a Stack,
    pub source: Source<'a>,
    /// Where the code comes from.
    pub origin: &'a str,
    pub verify: bool,
}

impl Rollout<'_> {
    /// A function may write its variables to its log. A rollback knows their values from AWS alone.
    fn hide_environments(&self) {
        let stacks = [self.target, &self.observed.stack].into_iter();
        let releases = stacks.filter_map(|stack| stack.live.as_ref()).flat_map(|live| [&live.release, live.newest()]);
        let values = releases.flat_map(|release| release.configuration.environment.values());
        let secrets = values.flat_map(Secret::with_parts);
        self.session.console.hide(secrets.filter(|secret| !self.job.names().have(secret.reveal())));
    }

    /// Carries `plan` out: what leads to the target, then its proof, and only then what takes something away.
    /// `done` was done before. Where the plan is empty, the proof may still be missing.
    pub async fn carry_out(&self, plan: Plan, done: Vec<Step>) -> FunctionAnswer {
        self.hide_environments();
        let mut answer = self.job.answer(self.observed);
        answer.changed = !plan.is_empty() || !done.is_empty();
        answer.done = done;
        answer.plan = Some(plan.clone());
        let (before, after) = plan.halves();
        let left = after.changes.iter().map(|change| Step::of(change, self.job.names())).collect();
        let checks = Verification::of(self.session, self.job, self.target, self.observed);
        self.settle_doubt(&before, &checks).await;
        let failure = self.before(&before, &checks, &mut answer).await.err();
        if let Some(failure) = self.prove(&checks, failure, &mut answer).await {
            return failed(answer, failure, left);
        }
        let delivery = Delivery::of(self.target);
        match self.session.watched(async |observer| apply(&self.job.place, &after, &delivery, observer).await).await {
            Ok(applied) => answer.done.extend(applied.done),
            Err(error) => {
                answer.done.extend(error.done.clone());
                return failed(answer, Failure { done: Vec::new(), ..Failure::from(error) }, Vec::new());
            }
        }
        answer.state = if self.target.live.is_some() { State::Deployed } else { State::Absent };
        answer.url = self.target.url.clone();
        answer.outputs.url = answer.outputs.url.filter(|_| answer.url.is_some());
        answer
    }

    /// Asks the URL of a release that a run before this one left unasked, before another one takes its place: whether it
    /// is one to come back to depends on it.
    async fn settle_doubt(&self, plan: &Plan, checks: &Verification<'_>) {
        let moves = plan.changes.iter().any(|change| change.kind() == Kind::Release);
        let url = self.observed.outputs.url.as_ref().filter(|_| moves && self.verifies());
        let Some(url) = url.filter(|_| self.observed.outputs.remembered.interrupted) else { return };
        let (function, version) =
            (&self.job.function.name, self.observed.outputs.newest().cloned().unwrap_or_default());
        match checks.url(url, true).await {
            Ok(_) => self.job.place.vouch(checks.fingerprint()),
            Err(refused) => {
                let why = refused.failure.message;
                self.session
                    .console
                    .note(&format!("`{function}`: an earlier run left version {version} unverified: {why}"));
            }
        }
    }

    /// The part that leads to the target, with the trial of its version.
    async fn before(&self, plan: &Plan, checks: &Verification<'_>, answer: &mut FunctionAnswer) -> Result<(), Failure> {
        let trial = |number: String| checks.trial(number);
        let delivery = Delivery {
            target: self.target,
            source: self.source,
            origin: self.origin,
            trial: if self.verifies() { Some(&trial) } else { None },
        };
        let applied =
            self.session.watched(async |observer| apply(&self.job.place, plan, &delivery, observer).await).await;
        match applied {
            Ok(applied) => {
                answer.done.extend(applied.done);
                answer.outputs = std::mem::take(&mut answer.outputs).updated_by(applied.outputs);
                answer.release = self.target.live.as_ref().map(|live| live.release.clone());
                answer.verdict = Some(answer.outputs.remembered.verdict).filter(|_| self.target.url.is_some());
                Ok(())
            }
            Err(error) => {
                answer.done.extend(error.done.clone());
                answer.outputs = std::mem::take(&mut answer.outputs).updated_by(error.outputs.clone());
                let rejected = (error.source.reason == Reason::Rejected).then(|| checks.rejected.take()).flatten();
                let failure = Failure { done: Vec::new(), ..Failure::from(error) };
                let Some(rejected) = rejected else { return Err(failure) };
                let (place, version) = (&self.job.place, &rejected.version);
                // Where it cannot be remembered the version counts as unverified, which is no better.
                let remembered =
                    self.session.watched_to_the_end(async |observer| place.remember_failed(version, observer).await);
                let _ = remembered.await;
                // Where that is in doubt, it is said when it has been asked.
                let stays = (!self.observed.outputs.remembered.interrupted).then(|| self.stays());
                Err(Failure { left: failure.left, ..rejected.failure.therefore_maybe(stays) })
            }
        }
    }

    fn stays(&self) -> String {
        match &self.observed.outputs.version {
            Some(version) => format!("`live` stays on version {version}"),
            None => "nothing is live yet".to_owned(),
        }
    }

    /// Asks the URL wherever a release may be live that was not seen to pass, whatever ended the run before that.
    /// Gives the failure to end with.
    async fn prove(
        &self,
        checks: &Verification<'_>,
        failure: Option<Failure>,
        answer: &mut FunctionAnswer,
    ) -> Option<Failure> {
        let traffic = self.job.place.traffic();
        let is_in_doubt = traffic != Traffic::Unmoved || self.observed.outputs.remembered.interrupted;
        let due = match &failure {
            None => answer.changed || checks.are_due(self.observed),
            Some(_) => is_in_doubt,
        };
        if failure.is_none() && !self.verify && is_in_doubt && traffic == Traffic::Unmoved {
            self.remember(checks, false).await;
        }
        let url = answer.outputs.url.clone().filter(|_| due && self.verifies());
        let Some(url) = url else { return failure.map(|failure| failure.therefore_maybe(whereabouts(&traffic))) };
        match checks.url(&url, failure.is_some()).await {
            Ok(verified) => {
                answer.verified = verified;
                let is_whole = self.target.live.as_ref().is_none_or(|live| live.shift.is_none());
                let is_known = !matches!(traffic, Traffic::Unknown(_));
                if is_known && self.remember(checks, checks.are_all_there()).await && checks.are_all_there() && is_whole
                {
                    answer.verdict = Some(Verdict::Verified);
                }
                if self.session.stop.has_insisted() {
                    return Some(failure.unwrap_or_else(|| Failure::interrupted(2)));
                }
                failure.map(|failure| {
                    let live = whereabouts(&traffic).unwrap_or_else(|| self.is_live());
                    self.ended(failure.therefore(&format!("{live}, and its URL passes the checks")))
                })
            }
            Err(refused) => Some(self.ended(self.refused(refused, failure, answer).await)),
        }
    }

    /// A run that was told to stop ends as interrupted, whatever came of the last that it had to do.
    fn ended(&self, failure: Failure) -> Failure {
        match self.session.stop.requested() {
            Some(signal) => Failure { kind: Failed::Interrupted(signal), ..failure },
            None => failure,
        }
    }

    /// Writes down that what is live passed, or else that it is taken as it is. Where this cannot be written the next
    /// deploy asks once more, which does no harm. Gives whether it was written.
    async fn remember(&self, checks: &Verification<'_>, passed: bool) -> bool {
        let (place, checks) = (&self.job.place, checks.fingerprint());
        let remembered = self.session.watched_to_the_end(async |observer| match passed {
            true => place.remember_passed(checks, observer).await,
            false => place.remember_unasked(observer).await,
        });
        let why = match remembered.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(failure) => failure.message,
        };
        let (function, how) = (&self.job.function.name, if passed { ", although it passed" } else { "" });
        let note = format!("`{function}` counts as unverified{how}: {why}; the next deploy asks its URL again");
        self.session.console.note(&note);
        false
    }

    /// Which version is live where this run has not moved it.
    fn is_live(&self) -> String {
        format!("version {} is live", self.observed.outputs.newest().cloned().unwrap_or_default())
    }

    /// Moves `live` back where that helps, and says what became of it.
    async fn refused(&self, refused: NotVerified, earlier: Option<Failure>, answer: &mut FunctionAnswer) -> Failure {
        let place = &self.job.place;
        let traffic = place.traffic();
        let failure = match earlier {
            Some(earlier) => earlier.and_also(refused.failure),
            None => refused.failure,
        };
        // A release that passed before is no better or worse than the one before it.
        let suspect = traffic != Traffic::Unmoved || self.observed.outputs.remembered.interrupted;
        if !suspect || !refused.calls_for_moving_back {
            let live = whereabouts(&traffic).unwrap_or_else(|| self.is_live());
            let passed = traffic == Traffic::Unmoved && self.observed.outputs.remembered.verdict == Verdict::Verified;
            let how = if passed { "it passed other checks before" } else { "unverified" };
            return failure.therefore(&format!("{live}, {how}"));
        }
        let moved = self.session.watched_to_the_end(async |observer| place.move_back(observer).await).await;
        let why = match moved {
            Ok(Ok(Some(outputs))) => {
                let version = outputs.version.clone().unwrap_or_default();
                let shift = outputs.shifted.as_ref().map(|part| format!(", with version {part} beside it as before"));
                let function = self.job.function.name.clone();
                self.session.console.tell(&Event::MovedBack { function, version: version.clone() });
                answer.outputs = std::mem::take(&mut answer.outputs).updated_by(outputs);
                let is_observed = answer.outputs.version == self.observed.outputs.version;
                let observed = self.observed.stack.live.as_ref().filter(|_| is_observed);
                answer.release = observed.map(|live| live.release.clone());
                answer.changed = true;
                answer.verdict = Some(answer.outputs.remembered.verdict);
                let is_release = |step: &Step| step.kind == Kind::Release;
                let (mut left, done): (Vec<Step>, Vec<Step>) = answer.done.drain(..).partition(is_release);
                answer.done = done;
                left.extend(failure.left.iter().cloned());
                let back = format!("`live` was moved back to version {version}{}", shift.unwrap_or_default());
                return Failure { left, ..failure.therefore(&back) };
            }
            Ok(Ok(None)) => {
                let version = answer.outputs.newest().cloned().unwrap_or_default();
                let remembered =
                    self.session.watched_to_the_end(async |observer| place.remember_failed(&version, observer).await);
                let _ = remembered.await;
                return failure.therefore("it stays live: there is no release before the first to move back to");
            }
            Ok(Err(error)) if error.reason == Reason::Conflict => {
                return failure.therefore_as_said("`live` was not moved back", &error.to_string());
            }
            Ok(Err(error)) => error.to_string(),
            Err(interrupted) => interrupted.message,
        };
        let live = whereabouts(&place.traffic()).unwrap_or_else(|| self.is_live());
        failure.therefore_as_said(&format!("{live}, and `live` could not be moved back"), &why)
    }

    /// Whether there are checks to be asked: a function without concurrency cannot answer any.
    fn verifies(&self) -> bool {
        self.verify && self.job.function.concurrency != Some(0) && !self.job.function.checks.is_empty()
    }
}

/// What is known of the traffic, in words; `None` where it was not moved.
fn whereabouts(traffic: &Traffic) -> Option<String> {
    match traffic {
        Traffic::Unmoved => None,
        Traffic::Moved(version) => Some(format!("version {version} is live")),
        Traffic::Unknown(version) => Some(format!("`live` may be on version {version}")),
    }
}

fn failed(answer: FunctionAnswer, failure: Failure, left: Vec<Step>) -> FunctionAnswer {
    let left: Vec<Step> = failure.left.iter().cloned().chain(left).collect();
    let failure = Failure { done: answer.done.clone(), left: left.clone(), ..failure };
    FunctionAnswer { state: State::Failed, left, error: Some(failure), ..answer }
}
