//! `lamstream deploy`: build, plan, ask, apply, verify.

mod begin;
mod curl;
mod finish;

use super::package::{brought, package_all};
use super::preflight::preflight;
use super::session::Session;
use super::site::{Job, Project, Site, observe_all};
use super::values::connect;
use crate::apply::Observed;
use crate::cli::Deploy;
use crate::failure::Failure;
use crate::plan::{Kind, plan};
use crate::report::{Answer, plan_lines};
use crate::stack::{Auth, FunctionUrl, Live, Shift, Stack, Weight};
use begin::{Begun, begin, ended_early};
use finish::{Ready, finish};
use futures_util::future::join_all;
use packaging::{Package, origin};
use std::time::Instant;

pub async fn deploy(session: &Session, arguments: &Deploy) -> Result<Answer, Failure> {
    let mut agreed = session.agreed(arguments.yes, "deploy")?;
    let began = Instant::now();
    let project = session.project(&arguments.functions)?;
    refuse_shift(&project, arguments)?;
    let zips = brought(session, &project, &arguments.packages.packages)?;
    let codes = preflight(session, &project, zips, None, true).await?;
    let (project, site) = connect(session, project).await?;
    let jobs = site.jobs(&project, session.global.local);

    // Nobody is asked twice: before building if something is to be made for the first time, else with the plan.
    let mut observed = None;
    if !agreed {
        let found = observe(session, &jobs, arguments).await?;
        if found.iter().any(|observed| observed.stack.function.is_none()) {
            let public = made_public(&jobs, found.iter());
            session.consent(&preview(&jobs, &found), &question(&site, &project, &public)).await?;
            agreed = true;
        }
        observed = Some(found);
    }
    let beginning = async {
        let found = match observed {
            Some(found) => found,
            None => observe(session, &jobs, arguments).await?,
        };
        Ok::<_, Failure>(join_all(jobs.iter().zip(found).map(|(job, found)| begin(session, job, found, agreed))).await)
    };
    let building = async { Ok(package_all(session, &jobs, codes).await) };
    let (begun, packages) = tokio::try_join!(beginning, building)?;

    let mut answer = site.answer("deploy", &project);
    if begun.iter().any(|begun| begun.failure.is_some()) || packages.iter().any(Result::is_err) {
        let parts = jobs.iter().zip(begun).zip(packages);
        answer.functions = parts.map(|((job, begun), package)| ended_early(job, begun, package.err())).collect();
        return Ok(answer);
    }
    let packages: Vec<Package> = packages.into_iter().flatten().collect();
    let prepare = |((job, begun), package): ((&Job<'_>, Begun), Package)| {
        let target = target(job, &begun.observed, &package.sha256, arguments);
        Ready { plan: plan(&begun.observed.stack, &target), begun, package, target }
    };
    let ready: Vec<Ready> = jobs.iter().zip(begun).zip(packages).map(prepare).collect();
    if arguments.shift.is_some() {
        refuse_shift_beside_unverified(&jobs, &ready)?;
    }
    let lines: Vec<String> =
        jobs.iter().zip(&ready).flat_map(|(job, ready)| plan_lines(job.names(), &ready.plan)).collect();
    if !agreed && !lines.is_empty() {
        let public = made_public(&jobs, ready.iter().map(|ready| &ready.begun.observed));
        session.consent(&lines, &question(&site, &project, &public)).await?;
    } else if session.global.verbose {
        lines.iter().for_each(|line| session.console.note(line));
    }
    let publishes = ready.iter().flat_map(|ready| &ready.plan.changes).any(|change| change.kind() == Kind::Release);
    let origin = if publishes { origin(&project.directory) } else { String::new() };
    let work = jobs.iter().zip(ready);
    answer.functions = join_all(work.map(|(job, ready)| finish(session, job, ready, &origin, arguments, began))).await;
    Ok(answer)
}

fn question(site: &Site, project: &Project, public: &[String]) -> String {
    let urls = match public {
        [] => String::new(),
        [name] => format!(", with a public URL for {name}"),
        names => format!(", with public URLs for {}", names.join(", ")),
    };
    format!("Deploy {} to {}{urls}?", project.app(), site.words())
}

/// The functions whose URL is open to everybody after the deploy, and was not before.
fn made_public<'a>(jobs: &[Job<'_>], observed: impl Iterator<Item = &'a Observed>) -> Vec<String> {
    let open = |url: Option<&FunctionUrl>| url.is_some_and(|url| url.auth == Auth::None);
    let made = |(job, observed): &(&Job<'_>, &Observed)| {
        open(job.target("").url.as_ref()) && !open(observed.stack.url.as_ref())
    };
    jobs.iter().zip(observed).filter(made).map(|(job, _)| format!("`{}`", job.function.name)).collect()
}

/// Lambda keeps instances warm for one version only.
fn refuse_shift(project: &Project, arguments: &Deploy) -> Result<(), Failure> {
    let warm = project.functions.iter().find(|function| function.provisioned_concurrency.is_some());
    match (warm, arguments.shift) {
        (Some(warm), Some(_)) => Err(Failure::shift_of_provisioned(&warm.name)),
        _ => Ok(()),
    }
}

/// A release that an earlier run left unverified cannot be told from the one that a shift puts beside it. Running the
/// same shift again changes nothing, and asks its URL.
fn refuse_shift_beside_unverified(jobs: &[Job<'_>], ready: &[Ready]) -> Result<(), Failure> {
    for (job, ready) in jobs.iter().zip(ready) {
        let outputs = &ready.begun.observed.outputs;
        let moves = ready.plan.changes.iter().any(|change| change.kind() == Kind::Release);
        if moves && outputs.remembered.interrupted {
            let version = outputs.newest().cloned().unwrap_or_default();
            return Err(Failure::shift_beside_unverified(&job.function.name, &version));
        }
    }
    Ok(())
}

/// Observes all functions; refuses at once what is not ours.
async fn observe(session: &Session, jobs: &[Job<'_>], arguments: &Deploy) -> Result<Vec<Observed>, Failure> {
    let observed = session.looking("what is deployed", observe_all(jobs)).await??;
    for (job, observed) in jobs.iter().zip(&observed) {
        job.refuse_strangers(&plan(&observed.stack, &job.target("")), arguments.adopt)?;
    }
    Ok(observed)
}

/// What a deploy would make, before there is code to compare.
fn preview(jobs: &[Job<'_>], observed: &[Observed]) -> Vec<String> {
    let lines = |(job, observed): (&Job<'_>, &Observed)| {
        let code = observed.stack.live.as_ref().map_or("", |live| &live.newest().code);
        plan_lines(job.names(), &plan(&observed.stack, &job.target(code)))
    };
    jobs.iter().zip(observed).flat_map(lines).collect()
}

/// The stack that is wanted. With `--shift` the new release gets a part of the traffic, where there is another to
/// have the rest.
fn target(job: &Job<'_>, observed: &Observed, code: &str, arguments: &Deploy) -> Stack {
    let target = job.target(code);
    let weight = arguments.shift.and_then(Weight::percent);
    let (Some(current), Some(wanted), Some(weight)) = (&observed.stack.live, &target.live, weight) else {
        return target;
    };
    if current.release == wanted.release {
        return target;
    }
    let shift = Some(Box::new(Shift { release: wanted.release.clone(), weight }));
    Stack { live: Some(Live { release: current.release.clone(), shift }), ..target }
}
