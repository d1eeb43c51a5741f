//! What is done for a function once its code is there: brought live, then tidied up.

use super::begin::Begun;
use super::curl::curl;
use crate::apply::{Artifact, Event, Source};
use crate::cli::Deploy;
use crate::commands::bring::Rollout;
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::commands::verification::leading;
use crate::plan::Plan;
use crate::report::FunctionAnswer;
use crate::stack::Stack;
use packaging::Package;
use std::time::Instant;

/// One function that is ready to be brought live.
pub(super) struct Ready {
    pub begun: Begun,
    pub package: Package,
    pub target: Stack,
    pub plan: Plan,
}

pub(super) async fn finish(
    session: &Session,
    job: &Job<'_>,
    ready: Ready,
    origin: &str,
    arguments: &Deploy,
    began: Instant,
) -> FunctionAnswer {
    let Ready { begun, package, target, plan } = ready;
    let step = Rollout {
        session,
        job,
        observed: &begun.observed,
        target: &target,
        source: Source::Zip(Artifact { zip: &package.zip, bucket: job.bucket }),
        origin,
        verify: !arguments.no_verify,
    };
    let answer = step.carry_out(plan, begun.done).await;
    if answer.error.is_some() {
        return answer;
    }
    prune(session, job).await;
    let function = job.function.name.clone();
    session.console.tell(&Event::Finished { function, took: session.took(began), changed: answer.changed });
    let check = leading(&job.function.checks);
    if let (Some(url), Some(check)) = (answer.outputs.url.as_ref().filter(|_| answer.changed), check) {
        session.console.note(&format!("try it: `{}`", curl(url, check)));
    }
    answer
}

/// Deletes old versions. What is live is not touched by it, so a deploy does not fail for it: the next one tries again.
async fn prune(session: &Session, job: &Job<'_>) {
    // What is live is not touched by it, so that a run that is told to stop need not begin.
    let Ok(pruned) = session.until_stopped(job.place.prune(job.function.keep_releases as usize)).await else { return };
    match pruned {
        Ok(versions) if versions.is_empty() => {}
        Ok(versions) => session.console.tell(&Event::Pruned { function: job.function.name.clone(), versions }),
        Err(error) => session.console.note(&format!("old versions stay for now: {error}")),
    }
}
