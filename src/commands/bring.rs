//! Brings a function to its target, and sees to it that nobody is served worse than before.

use super::run::Run;
use super::site::Job;
use super::verification::Verification;
use crate::apply::{Delivery, Event, Observed, Reason, Source, Step, apply};
use crate::failure::Failure;
use crate::plan::{Kind, Plan};
use crate::report::{FunctionAnswer, State};
use crate::stack::Stack;

/// Where a function is to be brought, and from where.
pub(super) struct Move<'a> {
    pub run: &'a Run,
    pub job: &'a Job<'a>,
    pub observed: &'a Observed,
    pub target: &'a Stack,
    pub source: Source<'a>,
    /// Where the code comes from.
    pub origin: &'a str,
    pub verify: bool,
}

impl Move<'_> {
    /// Carries `plan` out: what leads to the target, then its proof, and only then what takes something away.
    /// `done` was done before.
    pub async fn carry_out(&self, plan: Plan, done: Vec<Step>) -> FunctionAnswer {
        let mut answer = self.job.answer(self.observed);
        answer.changed = !plan.is_empty() || !done.is_empty();
        answer.done = done;
        answer.plan = Some(plan.clone());
        let (before, after) = plan.halves();
        let left = after.changes.iter().map(|change| Step::of(change, self.job.names())).collect();
        let checks = Verification::of(self.run, self.job, self.target, self.observed.outputs.url.as_deref());
        match self.before(&before, &checks, &mut answer).await {
            Ok(()) => {}
            Err(failure) => return failed(answer, failure, left),
        }
        if let Some(url) = answer.outputs.url.clone().filter(|_| answer.changed && self.verifies()) {
            match checks.url(&url).await {
                Ok(verified) => answer.verified = verified,
                Err(refused) => {
                    let failure = self.refused(refused, &before, &mut answer).await;
                    return failed(answer, failure, left);
                }
            }
        }
        let delivery = Delivery::of(self.target);
        match self.run.watched(async |audience| apply(&self.job.place, &after, &delivery, audience).await).await {
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

    /// The part that leads to the target, with the trial of its version.
    async fn before(&self, plan: &Plan, checks: &Verification<'_>, answer: &mut FunctionAnswer) -> Result<(), Failure> {
        let trial = |number: String| checks.trial(number);
        let delivery = Delivery {
            target: self.target,
            source: self.source,
            origin: self.origin,
            trial: if self.verifies() { Some(&trial) } else { None },
        };
        let applied = self.run.watched(async |audience| apply(&self.job.place, plan, &delivery, audience).await).await;
        match applied {
            Ok(applied) => {
                answer.done.extend(applied.done);
                answer.outputs = std::mem::take(&mut answer.outputs).updated_by(applied.outputs);
                answer.release = self.target.live.as_ref().map(|live| live.release.clone());
                Ok(())
            }
            Err(error) => {
                answer.done.extend(error.done.clone());
                let rejected = (error.source.reason == Reason::Rejected).then(|| checks.rejected.take()).flatten();
                let failure = Failure { done: Vec::new(), ..Failure::from(error) };
                Err(match rejected {
                    Some(rejected) => Failure { left: failure.left, ..rejected.therefore(&self.stays()) },
                    None => failure,
                })
            }
        }
    }

    fn stays(&self) -> String {
        match &self.observed.outputs.version {
            Some(version) => format!("`live` stays on version {version}"),
            None => "nothing is live yet".to_owned(),
        }
    }

    /// Moves `live` back where that helps, and says what became of it.
    async fn refused(
        &self,
        refused: super::verification::NotVerified,
        plan: &Plan,
        answer: &mut FunctionAnswer,
    ) -> Failure {
        let moved = plan.changes.iter().any(|change| change.kind() == Kind::Release);
        let failure = refused.failure;
        if !moved || !refused.calls_for_moving_back {
            let version = answer.outputs.version.as_deref().unwrap_or_default();
            return failure.therefore(&format!("version {version} is live"));
        }
        match self.run.watched(async |audience| self.job.place.move_back(audience).await).await {
            Ok(Some(outputs)) => {
                let version = outputs.version.clone().unwrap_or_default();
                let function = self.job.function.name.clone();
                self.run.console.tell(&Event::MovedBack { function, version: version.clone() });
                answer.outputs = std::mem::take(&mut answer.outputs).updated_by(outputs);
                answer.release = self.observed.stack.live.as_ref().map(|live| live.release.clone());
                let undone: Vec<Step> = answer.done.iter().filter(|step| step.kind == Kind::Release).cloned().collect();
                answer.done.retain(|step| step.kind != Kind::Release);
                Failure { left: undone, ..failure.therefore(&format!("`live` was moved back to version {version}")) }
            }
            Ok(None) => failure.therefore("it stays live: there is no release before the first to move back to"),
            Err(error) => failure.therefore(&format!("`live` was not moved back: {error}")),
        }
    }

    /// Whether anybody is to be asked: where nobody may come in, nobody can be.
    fn verifies(&self) -> bool {
        self.verify && self.job.function.concurrency != Some(0)
    }
}

fn failed(answer: FunctionAnswer, failure: Failure, left: Vec<Step>) -> FunctionAnswer {
    let left: Vec<Step> = failure.left.iter().cloned().chain(left).collect();
    let failure = Failure { done: answer.done.clone(), left: left.clone(), ..failure };
    FunctionAnswer { state: State::Failed, left, error: Some(failure), ..answer }
}
