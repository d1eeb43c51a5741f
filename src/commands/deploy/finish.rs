//! What is done for a function once its code is there: applied, then verified.

use super::begin::Begun;
use super::check::{curl, run_check};
use crate::apply::{Delivery, Event, apply};
use crate::build::Package;
use crate::cli::Deploy;
use crate::commands::run::Run;
use crate::commands::site::Job;
use crate::failure::Failure;
use crate::plan::Plan;
use crate::report::{FunctionAnswer, State};
use std::time::Instant;

pub(super) async fn finish(
    run: &Run,
    job: &Job<'_>,
    begun: Begun,
    package: Package,
    plan: Plan,
    arguments: &Deploy,
    began: Instant,
) -> FunctionAnswer {
    let mut answer = job.answer(&begun.observed);
    let target = job.target(&package.sha256);
    answer.changed = !plan.is_empty() || !begun.done.is_empty();
    let function = job.function.name.clone();
    let delivery = Delivery { target: &target, zip: Some(&package.zip) };
    let applied = run.watched(async |audience| apply(&job.place, &plan, &delivery, audience).await).await;
    answer.plan = Some(plan);
    match applied {
        Err(error) => return failed(answer, Failure::from(error).after(&begun.done)),
        Ok(applied) => {
            answer.done = begun.done.into_iter().chain(applied.done).collect();
            answer.outputs = answer.outputs.updated_by(applied.outputs);
        }
    }
    answer.state = State::Deployed;
    answer.release = target.live.clone();
    answer.url = target.url.clone();
    if answer.url.is_none() {
        answer.outputs.url = None;
    }
    let check = job.function.check.clone().unwrap_or_default();
    if let Some(url) = answer.outputs.url.clone().filter(|_| answer.changed && !arguments.no_verify) {
        match run_check(run, job, &url, &check).await {
            Ok(verified) => answer.verified = Some(verified),
            Err(failure) => {
                let done = answer.done.clone();
                return failed(answer, failure.after(&done));
            }
        }
    }
    run.console.tell(&Event::Finished { function, took: began.elapsed(), changed: answer.changed });
    if let Some(url) = answer.outputs.url.as_ref().filter(|_| answer.changed) {
        run.console.note(&format!("try it: {}", curl(url, &check)));
    }
    answer
}

fn failed(answer: FunctionAnswer, failure: Failure) -> FunctionAnswer {
    FunctionAnswer {
        state: State::Failed,
        done: failure.done.clone(),
        left: failure.left.clone(),
        error: Some(failure),
        ..answer
    }
}
