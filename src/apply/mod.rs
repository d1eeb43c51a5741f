//! Carries a plan out, step by step, and stops at the first failure. Nothing is undone: the next run goes on from there.

mod cloud;
mod event;

pub use cloud::{
    Artifact, Cloud, CloudError, Delivery, LOG_IN, Observed, Observer, Outputs, Reason, Remembered, Source, Trial,
};
pub use event::{Event, Step, Verified};

use crate::plan::{Change, Plan};
use crate::stack::Secret;
use futures_util::future::{Either, join_all, select};
use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::time::Instant;

/// What is known of a step that was ended in the middle.
const UNANSWERED: &str = "stopped before AWS answered; it may or may not have been done";

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub outputs: Outputs,
    pub done: Vec<Step>,
}

/// A run that ended early. `done` stays done.
#[derive(Debug)]
pub struct ApplyError {
    /// Of what was done.
    pub outputs: Outputs,
    pub done: Vec<Step>,
    /// `None` when the run was ended between two steps.
    pub failed: Option<Step>,
    pub left: Vec<Step>,
    pub source: CloudError,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(formatter)
    }
}

impl Error for ApplyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Carries out every change of `plan`, in its order.
///
/// # Errors
/// The first failure, with what was done before it and what is left; also when `observer` ends the run.
pub async fn apply(
    cloud: &impl Cloud,
    plan: &Plan,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Result<Applied, Box<ApplyError>> {
    let names = cloud.names();
    let mut applied = Applied::default();
    let mut left: Vec<Step> = plan.changes.iter().map(|change| Step::of(change, names)).collect();
    for group in plan.groups() {
        if (observer.stopped)() {
            let source = CloudError::new(format!("finish `{}`", names.function), Reason::Interrupted, "interrupted");
            return Err(Box::new(ApplyError {
                outputs: applied.outputs,
                done: applied.done,
                failed: None,
                left,
                source,
            }));
        }
        let results = join_all(group.iter().map(|change| step(cloud, change, delivery, observer))).await;
        let mut failure = None;
        for (change, result) in group.iter().zip(results) {
            let step = Step::of(change, names);
            match result {
                Ok(outputs) => {
                    applied.outputs = applied.outputs.updated_by(outputs);
                    strike(&mut left, &step);
                    applied.done.push(step);
                }
                Err(source) => failure = failure.or(Some((step, source))),
            }
        }
        if let Some((failed, source)) = failure {
            strike(&mut left, &failed);
            return Err(Box::new(ApplyError {
                outputs: applied.outputs,
                done: applied.done,
                failed: Some(failed),
                left,
                source,
            }));
        }
    }
    Ok(applied)
}

/// Once: a plan may have the same step twice, as when a role is widened and narrowed.
fn strike(steps: &mut Vec<Step>, step: &Step) {
    if let Some(at) = steps.iter().position(|other| other == step) {
        steps.remove(at);
    }
}

async fn step(
    cloud: &impl Cloud,
    change: &Change,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Result<Outputs, CloudError> {
    let function = &cloud.names().function;
    let step = Step::of(change, cloud.names());
    let started = Instant::now();
    (observer.tell)(&Event::Started { function: function.clone(), step: step.clone() });
    let result = match select(pin!(cloud.carry_out(change, delivery, observer)), (observer.insisted)()).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(CloudError::new(step.to_string(), Reason::Interrupted, UNANSWERED)),
    };
    let environments = delivery.target.live.iter().flat_map(|live| &live.newest().configuration.environment);
    // What every message names is no secret, and hiding it would hide what the message is about.
    let result = result.map_err(|error| {
        let secrets = environments.flat_map(|(_, secret)| secret.with_parts());
        let secrets: Vec<Secret> = secrets.filter(|secret| !cloud.names().have(secret.reveal())).collect();
        error.without(secrets.iter().map(Secret::reveal))
    });
    (observer.tell)(&match &result {
        Ok(_) => Event::Done { function: function.clone(), step, took: started.elapsed() },
        Err(_) => Event::Failed { function: function.clone(), step },
    });
    result
}
