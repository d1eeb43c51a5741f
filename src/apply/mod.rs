//! Carries out a plan step by step, and stops at the first failure. Nothing is undone: the next run continues from
//! there.

mod cloud;
mod event;
mod observer;
mod trial;

pub use cloud::{
    Apart, Artifact, Cloud, CloudError, CodeOrigin, Current, Delivery, Exists, Observed, Outputs, Reason,
    ReleaseSource, Remembered, SetOutside,
};
pub use event::{Checked, Event, McpServer, McpSessions, Step, Verified};
pub use observer::Observer;
pub use trial::{NoTrial, StepError, Trial};

use crate::plan::{Change, Diff, Group, Plan};
use crate::stack::{Names, Secret, secrets_of};
use futures_util::StreamExt;
use futures_util::future::{Either, join, select};
use futures_util::stream::FuturesOrdered;
use std::iter;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

/// What happened to a step that was stopped before it ended.
pub const UNANSWERED: &str = "stopped before AWS answered; it may or may not have taken effect";

/// The steps that were carried out, with their outputs.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub outputs: Outputs,
    pub done: Vec<Step>,
}

/// A plan that was not carried out completely. The steps in `done` stay done.
#[derive(Debug)]
pub struct ApplyError<R> {
    /// The outputs of the completed steps.
    pub outputs: Outputs,
    pub done: Vec<Step>,
    /// `None` if the run ended between two steps.
    pub failed: Option<Step>,
    pub left: Vec<Step>,
    pub cause: StepError<R>,
}

/// Carries out every change of `plan` in order; changes that do not depend on one another, at the same time. A release gets
/// traffic only after `trial` accepts it.
///
/// # Errors
/// The first failure, with the completed and the remaining steps; also if `observer` ends the run.
pub async fn apply<T: Trial>(
    current: &mut impl Current,
    plan: &Plan,
    delivery: &Delivery<'_>,
    trial: &mut T,
    observer: &Observer<'_>,
) -> Result<Applied, Box<ApplyError<T::Rejection>>> {
    let names = &delivery.target.names;
    let mut applied = Applied::default();
    let steps = |group: Group<'_>| group.changes().map(|change| Step::of(change, names)).collect::<Vec<_>>();
    let mut groups = plan.groups();
    while let Some(group) = groups.next() {
        if observer.stop.is_cancelled() {
            let left = iter::once(group).chain(groups).flat_map(steps).collect();
            return Err(applied.ended(None, left, interrupted(names)));
        }
        let taken = match group {
            Group::One(change) => vec![take_step(current, change, delivery, trial, observer).await],
            Group::Apart(changes) => {
                take_steps(&current.apart(), changes, &Exists::unheard(), delivery, observer).await
            }
            Group::Created { apart, function } => take_creation(current, (apart, function), delivery, observer).await,
            Group::Deleted { parts, function } => take_all(current, (parts, function), delivery, observer).await,
        };
        let (mut failed, mut left) = (None, Vec::new());
        for taken in taken {
            match taken {
                Taken::Done(step, outputs) => {
                    applied.outputs = applied.outputs.updated_by(outputs);
                    applied.done.push(step);
                }
                Taken::Failed(step, cause) if failed.is_none() => failed = Some((step, cause)),
                // If it fails again, the next run reports it.
                Taken::Failed(step, _) | Taken::Left(step) => left.push(step),
            }
        }
        if failed.is_some() || !left.is_empty() {
            left.extend(groups.flat_map(steps));
            let (step, cause) = failed.map_or_else(|| (None, interrupted(names)), |(step, cause)| (Some(step), cause));
            return Err(applied.ended(step, left, cause));
        }
    }
    Ok(applied)
}

fn interrupted<R>(names: &Names) -> StepError<R> {
    let action = format!("finish `{}`", names.function);
    CloudError::new(action, Reason::Interrupted, "interrupted").into()
}

/// What became of a step.
enum Taken<R> {
    Done(Step, Outputs),
    Failed(Step, StepError<R>),
    Left(Step),
}

impl Applied {
    fn ended<R>(self, failed: Option<Step>, left: Vec<Step>, cause: StepError<R>) -> Box<ApplyError<R>> {
        let Applied { outputs, done } = self;
        Box::new(ApplyError { outputs, done, failed, left, cause })
    }
}

/// Carries out one change, and tells the observer when it starts and how it ends.
async fn take_step<T: Trial>(
    current: &mut impl Current,
    change: &Change,
    delivery: &Delivery<'_>,
    trial: &mut T,
    observer: &Observer<'_>,
) -> Taken<T::Rejection> {
    let work = Box::pin(carry_out(current, change, delivery, trial, observer));
    timed(change, delivery, observer, work).await.told(delivery, observer)
}

/// The same for changes that are apart. All of them end, even if one fails; the observer hears of them in the plan's order.
async fn take_steps<R>(
    cloud: &impl Apart,
    changes: &[Change],
    exists: &Exists,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Vec<Taken<R>> {
    let step = |change| {
        let work = Box::pin(async move { Ok(cloud.carry_out(change, exists, observer).await?) });
        timed(change, delivery, observer, work)
    };
    let steps: FuturesOrdered<_> = changes.iter().map(step).collect();
    steps.map(|ended| ended.told(delivery, observer)).collect().await
}

/// The same for a new function with its role: the function is created as soon as the role exists.
async fn take_creation<R>(
    current: &mut impl Current,
    (apart, function): (&[Change], &Change),
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Vec<Taken<R>> {
    let (exists, mut heard) = Exists::new();
    let cloud = current.apart();
    let others = async {
        // Dropped when they have ended, so that the function does not wait for a role that failed.
        let exists = exists;
        take_steps(&cloud, apart, &exists, delivery, observer).await
    };
    let creation = async {
        heard.wait_for(|exists| *exists).await.ok().filter(|_| !observer.stop.is_cancelled())?;
        let work = Box::pin(async { Ok(current.carry_out(function, delivery, observer).await?) });
        Some(timed(function, delivery, observer, work).await)
    };
    let (mut taken, created) = join(others, creation).await;
    taken.push(match created {
        Some(ended) => ended.told(delivery, observer),
        None => Taken::Left(Step::of(function, &delivery.target.names)),
    });
    taken
}

/// The same for the function with all that AWS deletes with it.
async fn take_all<R>(
    current: &mut impl Current,
    (parts, function): (&[Change], &Change),
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Vec<Taken<R>> {
    let work =
        Box::pin(async { Ok(current.delete_all(parts, function, observer).await.map(|()| Outputs::default())?) });
    let last: Ended<R> = timed(function, delivery, observer, work).await;
    let part = |change| {
        let step = Step::of(change, &delivery.target.names);
        match &last.result {
            Ok(outputs) => Ended { step, took: last.took, result: Ok(outputs.clone()) }.told(delivery, observer),
            Err(_) => Taken::Left(step),
        }
    };
    let mut taken: Vec<Taken<R>> = parts.iter().map(part).collect();
    taken.push(last.told(delivery, observer));
    taken
}

/// A step that was carried out, or failed.
struct Ended<R> {
    step: Step,
    took: Duration,
    result: Result<Outputs, StepError<R>>,
}

/// Does the work of a step, and tells the observer when it starts. Work is large, so it is kept on the heap.
async fn timed<R>(
    change: &Change,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
    work: Pin<Box<impl Future<Output = Result<Outputs, StepError<R>>>>>,
) -> Ended<R> {
    let names = &delivery.target.names;
    let step = Step::of(change, names);
    let started = Instant::now();
    observer.tell(&Event::Started { function: names.function.clone(), step: step.clone() });
    let result = match select(work, pin!(observer.abandon.cancelled())).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(CloudError::new(step.to_string(), Reason::Interrupted, UNANSWERED).into()),
    };
    Ended { step, took: started.elapsed(), result }
}

impl<R> Ended<R> {
    /// Tells the observer how the step ended.
    fn told(self, delivery: &Delivery<'_>, observer: &Observer<'_>) -> Taken<R> {
        let Ended { step, took, result } = self;
        let function = delivery.target.names.function.clone();
        match result {
            Ok(outputs) => {
                observer.tell(&Event::Done { function, step: step.clone(), took });
                Taken::Done(step, outputs)
            }
            Err(cause) => {
                observer.tell(&Event::Failed { function, step: step.clone() });
                let cause = match cause {
                    StepError::Cloud(error) => StepError::Cloud(without_secrets(error, delivery)),
                    rejected => rejected,
                };
                Taken::Failed(step, cause)
            }
        }
    }
}

/// Carries out one change. A release is published, tried, and only then gets traffic.
async fn carry_out<T: Trial>(
    current: &mut impl Current,
    change: &Change,
    delivery: &Delivery<'_>,
    trial: &mut T,
    observer: &Observer<'_>,
) -> Result<Outputs, StepError<T::Rejection>> {
    let Change::Release(Diff::Create(live) | Diff::Update { to: live, .. }) = change else {
        return Ok(current.carry_out(change, delivery, observer).await?);
    };
    let number = current.publish(live.newest(), delivery.source, observer).await?;
    trial.try_version(&number).await?;
    let delivery = Delivery { source: &ReleaseSource::Version(number), ..*delivery };
    Ok(current.carry_out(change, &delivery, observer).await?)
}

/// Removes secrets from an error's message. Names are not secrets: most messages contain them, and hiding one would
/// hide what the message is about.
fn without_secrets(error: CloudError, delivery: &Delivery<'_>) -> CloudError {
    let environments = delivery.target.live.iter().map(|live| &live.newest().configuration.environment);
    let secrets = environments.flat_map(secrets_of);
    let secrets: Vec<Secret> = secrets.filter(|secret| !delivery.target.names.have(secret.reveal())).collect();
    error.without(secrets.iter().map(Secret::reveal))
}
