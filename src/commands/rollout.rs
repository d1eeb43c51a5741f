//! Carries out a proposal, and makes sure that a failure never leaves the previous release worse off.

use super::proposal::Proposal;
use super::session::Session;
use super::site::Job;
use super::verification::{NotVerified, Rejection, Verification};
use crate::apply::{Cause, Delivery, Event, NoTrial, Observed, Outputs, Reason, Source, Step, apply};
use crate::aws::{Current, Traffic};
use crate::failure::{Failure, Kind as Failed};
use crate::plan::{Change, Kind, Plan};
use crate::report::{FunctionAnswer, State};
use crate::stack::{Live, Secret, Stack, Verdict};

/// One proposal while it is carried out.
pub(super) struct Rollout<'a> {
    session: &'a Session,
    job: &'a Job<'a>,
    /// What was deployed before this run.
    observed: &'a Observed,
    current: Current<'a>,
    target: &'a Stack,
    checks: Verification<'a>,
    answer: FunctionAnswer,
}

/// Applies the changes that lead to the target, verifies the URL, and only then applies the changes that remove
/// something. A plan without changes may still need verification. `done` lists the steps that were completed earlier.
pub(super) async fn roll_out(
    session: &Session,
    job: &Job<'_>,
    proposal: Proposal<'_>,
    source: &Source,
    verify: bool,
    done: Vec<Step>,
) -> FunctionAnswer {
    let Proposal { current, target, plan } = proposal;
    let observed = current.observed.clone();
    let answer = FunctionAnswer {
        changed: !plan.is_empty() || !done.is_empty(),
        done,
        plan: Some(plan.clone()),
        ..job.answer(&observed)
    };
    let checks = Verification::of(session, job, &target, &observed, verify);
    let rollout = Rollout { session, job, observed: &observed, current, target: &target, checks, answer };
    rollout.carry_out(plan, source).await
}

/// Verifies a release that an interrupted run made live.
pub(super) async fn prove(session: &Session, job: &Job<'_>, current: Current<'_>) -> FunctionAnswer {
    let target = current.observed.stack.clone();
    roll_out(session, job, Proposal::new(current, target), &Source::Nothing, true, Vec::new()).await
}

impl Rollout<'_> {
    async fn carry_out(mut self, plan: Plan, source: &Source) -> FunctionAnswer {
        self.hide_environments();
        let (before, after) = plan.halves();
        self.check_unverified_release(&before).await;
        let failure = self.lead_to_target(&before, source).await.err();
        if let Some(failure) = self.prove(failure).await {
            return self.failed(failure, &after.changes);
        }
        let delivery = Delivery::of(self.target);
        match apply(&mut self.current, &after, &delivery, &mut NoTrial, &self.session.observer()).await {
            Ok(applied) => self.answer.done.extend(applied.done),
            Err(error) => {
                let mut failure = Failure::from(error);
                self.answer.done.append(&mut failure.done);
                return self.failed(failure, &[]);
            }
        }
        let mut answer = self.answer;
        answer.state = if self.target.live.is_some() { State::Deployed } else { State::Absent };
        answer.url = self.target.url.clone();
        answer.outputs.url = answer.outputs.url.filter(|_| answer.url.is_some());
        answer
    }

    /// Hides environment values, because a function may write them to its log. A rollback only knows them from AWS.
    fn hide_environments(&self) {
        let stacks = [self.target, &self.observed.stack].into_iter();
        let releases = stacks.filter_map(|stack| stack.live.as_ref()).flat_map(|live| [&live.release, live.newest()]);
        let values = releases.flat_map(|release| release.configuration.environment.values());
        let secrets = values.flat_map(Secret::with_parts);
        self.session.console.hide(secrets.filter(|secret| !self.job.names().have(secret.reveal())));
    }

    /// Checks a release that an interrupted run left unverified, because it decides whether we can return to it.
    async fn check_unverified_release(&mut self, plan: &Plan) {
        let moves = plan.changes.iter().any(|change| change.kind() == Kind::Release);
        let Some(url) = &self.observed.outputs.url else { return };
        if !moves || !self.checks.verifies() || !self.observed.outputs.remembered.interrupted {
            return;
        }
        match self.checks.ask(url, &self.current, true).await {
            Ok(_) => self.current.assume_verified(self.checks.fingerprint()),
            Err(refused) => self.session.console.note(&format!(
                "`{}`: an earlier run left version {} unverified: {}",
                self.job.function.name,
                self.newest_observed(),
                refused.failure.message
            )),
        }
    }

    /// Applies the changes that lead to the target, including the trial of the new version.
    async fn lead_to_target(&mut self, plan: &Plan, source: &Source) -> Result<(), Failure> {
        let delivery = Delivery { target: self.target, source, verify: self.checks.verifies() };
        let observer = self.session.observer();
        match apply(&mut self.current, plan, &delivery, &mut self.checks, &observer).await {
            Ok(applied) => {
                self.answer.done.extend(applied.done);
                self.learn(applied.outputs);
                self.answer.release = self.target.live.as_ref().map(|live| live.release.clone());
                self.answer.shift = self.target.live.as_ref().and_then(Live::weight);
                let verdict = self.answer.outputs.remembered.verdict;
                self.answer.verdict = Some(verdict).filter(|_| self.target.url.is_some());
                Ok(())
            }
            Err(error) => {
                self.answer.done.extend(error.done);
                self.learn(error.outputs);
                let left = error.failed.into_iter().chain(error.left).collect();
                match error.cause {
                    Cause::Cloud(error) => Err(Failure::cut_short(error, Vec::new(), left)),
                    Cause::Rejected(rejection) => Err(self.rejected(rejection, left).await),
                }
            }
        }
    }

    /// Adds the values that AWS assigned to the answer.
    fn learn(&mut self, outputs: Outputs) {
        self.answer.outputs = std::mem::take(&mut self.answer.outputs).updated_by(outputs);
    }

    async fn rejected(&mut self, rejection: Rejection, left: Vec<Step>) -> Failure {
        self.remember_failed(&rejection.version).await;
        let failure = Failure { left, ..rejection.failure };
        // `prove` is about to verify the live release, and then says what stays live.
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
        let _ = self.session.to_the_end(async |observer| current.remember_failed(version, observer).await).await;
    }

    /// Verifies the URL if the live release may not have passed its checks, even after another failure. Returns the
    /// failure to report.
    async fn prove(&mut self, failure: Option<Failure>) -> Option<Failure> {
        let traffic = self.current.traffic();
        let is_in_doubt = traffic != Traffic::Unmoved || self.observed.outputs.remembered.interrupted;
        let due = match &failure {
            None => self.answer.changed || self.checks.are_due(),
            Some(_) => is_in_doubt,
        };
        if failure.is_none() && !self.checks.is_wanted && is_in_doubt && traffic == Traffic::Unmoved {
            self.remember(false).await;
        }
        let url = self.answer.outputs.url.clone().filter(|_| due && self.checks.verifies());
        let Some(url) = url else { return failure.map(|failure| failure.therefore_maybe(describe_traffic(&traffic))) };
        match self.checks.ask(&url, &self.current, failure.is_some()).await {
            Ok(verified) => {
                self.answer.verified = verified;
                let is_whole = self.target.live.as_ref().is_none_or(|live| live.shift.is_none());
                let (is_known, all) = (!matches!(traffic, Traffic::Unknown(_)), self.checks.are_all_there());
                if is_known && self.remember(all).await && all && is_whole {
                    self.answer.verdict = Some(Verdict::Verified);
                }
                if let Some(signal) = self.session.stop.requested().filter(|_| self.session.stop.second.is_cancelled())
                {
                    return Some(failure.unwrap_or_else(|| Failure::interrupted(signal)));
                }
                failure.map(|failure| {
                    let live = describe_traffic(&traffic).unwrap_or_else(|| self.is_live());
                    self.ended(failure.therefore(&format!("{live}, and its URL passes the checks")))
                })
            }
            Err(refused) => {
                let failure = self.refused(refused, failure).await;
                Some(self.ended(failure))
            }
        }
    }

    /// Marks the failure as interrupted if a signal arrived, even if something else failed afterwards.
    fn ended(&self, failure: Failure) -> Failure {
        match self.session.stop.requested() {
            Some(signal) => Failure { kind: Failed::Interrupted(signal), ..failure },
            None => failure,
        }
    }

    /// Records that the live release passed, or that it is accepted unchecked. If this cannot be written, the next deploy
    /// checks it again, which does no harm. Returns whether it was written.
    async fn remember(&mut self, passed: bool) -> bool {
        let (current, checks) = (&mut self.current, self.checks.fingerprint());
        let remembered = self.session.to_the_end(async |observer| match passed {
            true => current.remember_passed(checks, observer).await,
            false => current.remember_unasked(observer).await,
        });
        let why = match remembered.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(failure) => failure.message,
        };
        let (function, how) = (&self.job.function.name, if passed { ", although it passed" } else { "" });
        let note = format!("`{function}` counts as unverified{how}: {why}; the next deploy verifies its URL again");
        self.session.console.note(&note);
        false
    }

    /// The version that received traffic most recently before this run.
    fn newest_observed(&self) -> &str {
        self.observed.outputs.newest().map_or("", String::as_str)
    }

    /// Names the live version, for runs that did not move `live`.
    fn is_live(&self) -> String {
        format!("version {} is live", self.newest_observed())
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
            let live = describe_traffic(&traffic).unwrap_or_else(|| self.is_live());
            let passed = traffic == Traffic::Unmoved && remembered.verdict == Verdict::Verified;
            let how = if passed { "it passed other checks before" } else { "unverified" };
            return failure.therefore(&format!("{live}, {how}"));
        }
        let current = &mut self.current;
        let moved = self.session.to_the_end(async |observer| current.move_back(observer).await).await;
        let why = match moved {
            Ok(Ok(Some(outputs))) => return self.moved_back(failure, outputs),
            Ok(Ok(None)) => {
                let version = self.answer.outputs.newest().cloned().unwrap_or_default();
                self.remember_failed(&version).await;
                return failure.therefore("it stays live: there is no previous release to move back to");
            }
            Ok(Err(error)) if error.reason == Reason::Conflict => {
                return failure.therefore_as_said("`live` was not moved back", &error.to_string());
            }
            Ok(Err(error)) => error.to_string(),
            Err(interrupted) => interrupted.message,
        };
        let live = describe_traffic(&self.current.traffic()).unwrap_or_else(|| self.is_live());
        failure.therefore_as_said(&format!("{live}, and `live` could not be moved back"), &why)
    }

    /// Records the move in the answer, where the release counts as not done again.
    fn moved_back(&mut self, failure: Failure, outputs: Outputs) -> Failure {
        let version = outputs.version.clone().unwrap_or_default();
        let shift = outputs.shifted.as_ref().map(|part| format!(", with version {part} beside it as before"));
        let function = self.job.function.name.clone();
        self.session.console.tell(&Event::MovedBack { function, version: version.clone() });
        self.learn(outputs);
        let is_observed = self.answer.outputs.version == self.observed.outputs.version;
        let observed = self.observed.stack.live.as_ref().filter(|_| is_observed);
        self.answer.release = observed.map(|live| live.release.clone());
        self.answer.shift = observed.and_then(Live::weight);
        self.answer.changed = true;
        self.answer.verdict = Some(self.answer.outputs.remembered.verdict);
        let is_release = |step: &Step| step.kind == Kind::Release;
        let (mut left, done): (Vec<Step>, Vec<Step>) = self.answer.done.drain(..).partition(is_release);
        self.answer.done = done;
        left.extend(failure.left.iter().cloned());
        let back = format!("`live` was moved back to version {version}{}", shift.unwrap_or_default());
        Failure { left, ..failure.therefore(&back) }
    }

    /// The answer for a failed rollout. The steps left are those of the failure and those that never started.
    fn failed(self, failure: Failure, never_begun: &[Change]) -> FunctionAnswer {
        let never_begun = never_begun.iter().map(|change| Step::of(change, self.job.names()));
        let left: Vec<Step> = failure.left.iter().cloned().chain(never_begun).collect();
        let failure = Failure { done: self.answer.done.clone(), left: left.clone(), ..failure };
        FunctionAnswer { state: State::Failed, left, error: Some(failure), ..self.answer }
    }
}

/// Says which version gets the traffic; `None` if this run did not move it.
fn describe_traffic(traffic: &Traffic) -> Option<String> {
    match traffic {
        Traffic::Unmoved => None,
        Traffic::Moved(version) => Some(format!("version {version} is live")),
        Traffic::Unknown(version) => Some(format!("`live` may be on version {version}")),
    }
}
