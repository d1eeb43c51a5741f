//! What is done for a function once its code is there: brought live, then tidied up.

use super::begin::Begun;
use super::curl::curl;
use crate::apply::{Artifact, Event, Source};
use crate::cli::Deploy;
use crate::commands::bring::Move;
use crate::commands::run::Run;
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
    run: &Run,
    job: &Job<'_>,
    ready: Ready,
    origin: &str,
    arguments: &Deploy,
    began: Instant,
) -> FunctionAnswer {
    let Ready { begun, package, target, plan } = ready;
    let step = Move {
        run,
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
    prune(run, job).await;
    let function = job.function.name.clone();
    run.console.tell(&Event::Finished { function, took: run.took(began), changed: answer.changed });
    let check = leading(&job.function.checks);
    if let (Some(url), Some(check)) = (answer.outputs.url.as_ref().filter(|_| answer.changed), check) {
        run.console.note(&format!("try it: `{}`", curl(url, check)));
    }
    answer
}

/// Deletes old versions. What is live is not touched by it, so a deploy does not fail for it: the next one tries again.
async fn prune(run: &Run, job: &Job<'_>) {
    // What is live is not touched by it, so that a run that is told to stop need not begin.
    let Ok(pruned) = run.until_stopped(job.place.prune(job.function.keep_releases as usize)).await else { return };
    match pruned {
        Ok(versions) if versions.is_empty() => {}
        Ok(versions) => run.console.tell(&Event::Pruned { function: job.function.name.clone(), versions }),
        Err(error) => run.console.note(&format!("old versions stay for now: {error}")),
    }
}
