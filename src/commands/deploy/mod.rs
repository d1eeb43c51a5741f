//! `lamstream deploy`: build, plan, ask, apply, verify.

mod begin;
mod check;
mod finish;

use super::package::{brought, package_all};
use super::run::Run;
use super::site::{Job, observe_all};
use super::values::connect;
use crate::apply::Observed;
use crate::build::Package;
use crate::cli::Deploy;
use crate::failure::Failure;
use crate::plan::{Plan, plan};
use crate::report::{Answer, plan_lines};
use begin::{begin, ended_early};
use finish::finish;
use futures_util::future::join_all;
use std::time::Instant;

pub async fn deploy(run: &Run, arguments: &Deploy) -> Result<Answer, Failure> {
    if !arguments.yes && !run.console.can_ask() {
        return Err(Failure::needs_yes("deploy"));
    }
    let began = Instant::now();
    let project = run.project(&arguments.functions)?;
    let zips = brought(run, &project, &arguments.packages.packages)?;
    let (project, site) = connect(run, project).await?;
    let jobs = site.jobs(&project, run.global.local);
    let question = format!("Deploy to account {} in {}?", site.id, site.account.region);

    // Nobody is asked twice: before building if something is to be made for the first time, else with the plan.
    let mut agreed = arguments.yes;
    let mut observed = None;
    if !agreed {
        let found = observe(run, &jobs, arguments).await?;
        if found.iter().any(|observed| observed.stack.function.is_none()) {
            run.consent(&preview(&jobs, &found), &question).await?;
            agreed = true;
        }
        observed = Some(found);
    }
    let beginning = async {
        let found = match observed {
            Some(found) => found,
            None => observe(run, &jobs, arguments).await?,
        };
        Ok::<_, Failure>(join_all(jobs.iter().zip(found).map(|(job, found)| begin(run, job, found, agreed))).await)
    };
    let building = async { Ok(package_all(run, &project, &jobs, &zips).await) };
    let (begun, packages) = tokio::try_join!(beginning, building)?;

    let mut answer = site.answer("deploy", &project);
    if begun.iter().any(|begun| begun.failure.is_some()) || packages.iter().any(Result::is_err) {
        let parts = jobs.iter().zip(begun).zip(packages);
        answer.functions = parts.map(|((job, begun), package)| ended_early(job, begun, package.err())).collect();
        return Ok(answer);
    }
    let packages: Vec<Package> = packages.into_iter().flatten().collect();
    let plans: Vec<Plan> = jobs
        .iter()
        .zip(&begun)
        .zip(&packages)
        .map(|((job, begun), package)| plan(&begun.observed.stack, &job.target(&package.sha256)))
        .collect();
    let lines: Vec<String> = jobs.iter().zip(&plans).flat_map(|(job, plan)| plan_lines(job.names(), plan)).collect();
    if !agreed && !lines.is_empty() {
        run.consent(&lines, &question).await?;
    } else if run.global.verbose {
        lines.iter().for_each(|line| run.console.note(line));
    }
    let work = jobs.iter().zip(begun).zip(packages).zip(plans);
    answer.functions =
        join_all(work.map(|(((job, begun), package), plan)| finish(run, job, begun, package, plan, arguments, began)))
            .await;
    Ok(answer)
}

/// Observes all functions; refuses at once what is not ours.
async fn observe(run: &Run, jobs: &[Job<'_>], arguments: &Deploy) -> Result<Vec<Observed>, Failure> {
    let observed = run.looking("what is deployed", observe_all(jobs)).await??;
    for (job, observed) in jobs.iter().zip(&observed) {
        job.refuse_strangers(&plan(&observed.stack, &job.target("")), arguments.adopt)?;
    }
    Ok(observed)
}

/// What a deploy would make, before there is code to compare.
fn preview(jobs: &[Job<'_>], observed: &[Observed]) -> Vec<String> {
    let lines = |(job, observed): (&Job<'_>, &Observed)| {
        let code = observed.stack.live.as_ref().map_or("", |release| &release.code);
        plan_lines(job.names(), &plan(&observed.stack, &job.target(code)))
    };
    jobs.iter().zip(observed).flat_map(lines).collect()
}
