//! Sees a shift that ends itself through: holds each step, goes on to the next, and gives all of the traffic to the new
//! release in the end, or back to the old one at the first failure.

use super::hold::{Watch, described};
use super::shifting::with_share;
use crate::apply::{Cloud as _, Event, ReleaseSource, Step};
use crate::aws::{Current, Split, Spread};
use crate::commands::proposal::Proposal;
use crate::commands::rollout::roll_out;
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::commands::verification::Scope;
use crate::failure::{Failure, FailureKind};
use crate::manifest::ShiftRule;
use crate::plan::ResourceKind;
use crate::report::{FunctionAnswer, State, StepAnswer};
use crate::stack::{Live, Release, Stack};

/// A shift in progress.
pub(super) struct SelfEnding<'a> {
    pub session: &'a Session,
    pub job: &'a Job<'a>,
    pub rule: &'a ShiftRule,
    /// The stack in which the new release gets all of the traffic.
    pub whole: &'a Stack,
}

impl SelfEnding<'_> {
    /// Continues after the first step has begun, which `answer` is about.
    pub(super) async fn see_through(self, answer: FunctionAnswer) -> FunctionAnswer {
        if answer.error.is_some() {
            return self.give_back(answer).await;
        }
        let mut steps = Vec::new();
        let answer = self.go_on(answer, &mut steps).await;
        FunctionAnswer { rollout: Some(steps), ..answer }
    }

    async fn go_on(&self, mut answer: FunctionAnswer, held: &mut Vec<StepAnswer>) -> FunctionAnswer {
        let begun = match self.begun().await {
            Ok(begun) => begun,
            Err(failure) => return self.stopped(answer, failure).await,
        };
        let split = begun.split;
        let mut watch =
            Watch::new(self.session, self.job, self.rule, (self.whole, &begun.current.observed), &split.shifted);
        if let Err(failure) = watch.begin().await {
            return self.stopped(answer, failure).await;
        }
        let steps = &self.rule.steps;
        let mut nth = steps.nth(split.weight).unwrap_or_default();
        while let Some(weight) = steps.weight(nth) {
            let split = Split { weight, ..split.clone() };
            let (step, result) = watch.hold(&split).await;
            held.push(step);
            if let Err(failure) = result {
                return self.stopped(answer, failure).await;
            }
            nth += 1;
            let next = match self.advance(&split, nth).await {
                Ok(next) => next,
                Err(failure) => return self.stopped(answer, failure).await,
            };
            answer = together(answer, next);
            if answer.error.is_some() {
                return self.give_back(answer).await;
            }
        }
        answer
    }

    fn name(&self) -> &str {
        &self.job.function.name
    }

    /// Reads the shift that this run has just begun or found.
    async fn begun(&self) -> Result<Begun<'_>, Failure> {
        let mut current = self.session.until_stopped(self.job.place.observe()).await??;
        let Some(split) = split_to(&current, self.new_release()) else {
            return Err(Failure::moved_meanwhile(self.name(), &described(&current.spread())));
        };
        let steps = &self.rule.steps;
        self.session.to_the_end(async |observer| current.remember_steps(steps, observer).await).await??;
        Ok(Begun { current, split })
    }

    fn new_release(&self) -> Option<&Release> {
        self.whole.live.as_ref().map(Live::newest)
    }

    /// Moves more of the traffic, or all of it after the last step. The version is tried again before, and the URL is
    /// verified afterwards.
    async fn advance(&self, split: &Split, nth: usize) -> Result<FunctionAnswer, Failure> {
        let mut current = self.session.until_stopped(self.job.place.observe()).await??;
        if current.spread() != Spread::Split(split.clone()) {
            return Err(Failure::moved_meanwhile(self.name(), &described(&current.spread())));
        }
        current.note_steps(Some(&self.rule.steps));
        let (live, release) = (current.observed.stack.live.clone(), self.new_release());
        let share = self.rule.steps.weight(nth);
        let live = match (live, release, share) {
            (Some(live), Some(release), Some(weight)) => Some(with_share(&live, release, weight)),
            _ => self.whole.live.clone(),
        };
        let proposal = Proposal::new(current, Stack { live, ..self.whole.clone() });
        proposal.refuse_strangers()?;
        let source = ReleaseSource::Version(split.shifted.clone());
        Ok(roll_out(self.session, self.job, proposal, &source, Scope::All).await.answer)
    }

    /// The answer of a shift that stopped for this reason.
    async fn stopped(&self, answer: FunctionAnswer, failure: Failure) -> FunctionAnswer {
        self.give_back(FunctionAnswer { error: Some(failure), ..answer }).await
    }

    /// Gives the traffic back to the old release if the new one failed, or can no longer be judged. After a signal, the shift
    /// stays; and so it does if another process has moved `live`.
    async fn give_back(&self, answer: FunctionAnswer) -> FunctionAnswer {
        let Some(failure) = answer.error.clone() else { return answer };
        let answer = unfinished(answer);
        // Without a shift, the step itself has moved `live` back, or never moved it.
        let is_shifted = answer.outputs.shifted.is_some() || answer.outputs.version.is_none();
        let has_failed = match failure.kind {
            FailureKind::Interrupted(_) => return self.interrupted(answer, failure),
            FailureKind::Conflict => return answer.failed(failure),
            _ if !is_shifted => return answer.failed(failure),
            kind => kind == FailureKind::Verify,
        };
        let place = &self.job.place;
        let observed = self.session.to_the_end(async |_| place.observe().await).await;
        let Proposal { mut current, plan, .. } = match observed {
            Ok(Ok(current)) => Proposal::new(current, self.whole.clone()),
            Ok(Err(error)) => return answer.failed(unknown(failure, self.name(), &error.to_string())),
            Err(interrupted) => return answer.failed(unknown(failure, self.name(), &interrupted.message.to_string())),
        };
        let left = plan.changes.iter().map(|change| Step::of(change, self.job.names())).collect();
        let answer = FunctionAnswer { left, ..answer };
        // Another process may have moved it.
        let Some(split) = split_to(&current, self.new_release()) else {
            return answer.failed(failure);
        };
        let ended = self.session.to_the_end(async |observer| current.end_shift(has_failed, observer).await).await;
        let why = match ended {
            Ok(Ok(outputs)) => {
                let (function, version) = (self.name().to_owned(), split.version.clone());
                self.session.console.tell(&Event::MovedBack { function, version });
                let outputs = answer.outputs.clone().updated_by(outputs);
                let failure = failure.therefore(&format!("`live` was moved back to version {}", split.version));
                return FunctionAnswer { shift: None, outputs, changed: true, ..answer }.failed(failure);
            }
            Ok(Err(error)) => error.to_string(),
            Err(interrupted) => interrupted.message.to_string(),
        };
        answer.failed(unknown(failure, self.name(), &why))
    }

    /// Says how the traffic stays split after a signal, as far as it is known.
    fn interrupted(&self, answer: FunctionAnswer, failure: Failure) -> FunctionAnswer {
        let FunctionAnswer { outputs, shift, .. } = &answer;
        let failure = match (&outputs.version, &outputs.shifted, shift) {
            (Some(version), Some(shifted), Some(weight)) => {
                let (version, shifted) = (version.clone(), shifted.clone());
                let spread = Spread::Split(Split { version, shifted, weight: *weight });
                failure.shift_stays(self.name(), &described(&spread))
            }
            _ => failure,
        };
        answer.failed(failure)
    }
}

/// A shift as it was found.
struct Begun<'a> {
    current: Current<'a>,
    split: Split,
}

/// How the traffic is split, if this release gets part of it.
fn split_to(current: &Current<'_>, release: Option<&Release>) -> Option<Split> {
    let shift = current.observed.stack.live.as_ref().and_then(|live| live.shift.as_ref())?;
    match current.spread() {
        Spread::Split(split) if Some(&shift.release) == release => Some(split),
        _ => None,
    }
}

/// The traffic could not be given back.
fn unknown(failure: Failure, name: &str, why: &str) -> Failure {
    let failure = failure.therefore_as_said("`live` could not be moved back, and the shift may go on", why);
    failure.hint(format!("run `lamstream abort {name}` once the cause is removed"))
}

/// Both answers in one: that of the last move, with all that was done.
fn together(before: FunctionAnswer, next: FunctionAnswer) -> FunctionAnswer {
    let mut done = before.done;
    let new: Vec<Step> = next.done.into_iter().filter(|step| !done.contains(step)).collect();
    done.extend(new);
    let verified = next.verified.or(before.verified);
    FunctionAnswer { changed: before.changed || next.changed, plan: before.plan, done, verified, ..next }
}

/// The same answer in which the release is not done.
fn unfinished(answer: FunctionAnswer) -> FunctionAnswer {
    let (releases, done): (Vec<Step>, Vec<Step>) =
        answer.done.into_iter().partition(|step| step.kind == ResourceKind::Release);
    let rest: Vec<Step> = answer.left.into_iter().filter(|step| !releases.contains(step)).collect();
    let left = [releases, rest].concat();
    FunctionAnswer { done, left, state: State::Failed, ..answer }
}
