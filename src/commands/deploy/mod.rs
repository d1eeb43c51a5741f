//! `lamstream deploy`: build, plan, ask, apply, verify.

mod curl;
mod deployment;

use super::package::{package_all, read_packages};
use super::preflight::preflight;
use super::project::Project;
use super::session::Session;
use super::site::{Job, Site, observe_all};
use super::values::connect;
use crate::cli::Deploy;
use crate::failure::Failure;
use crate::report::{Answer, Line};
use deployment::Deployment;
use futures_util::future::join_all;
use std::time::Instant;

pub async fn deploy(session: &Session, arguments: &Deploy) -> Result<Answer, Failure> {
    let mut agreed = session.has_consent(arguments.yes, "deploy")?;
    let began = Instant::now();
    let project = Project::read(&session.global, &arguments.functions)?;
    refuse_shift(&project, arguments)?;
    let zips = read_packages(session, &project, &arguments.packages.packages)?;
    let codes = preflight(session, &project, zips, None, true).await?;
    let (project, site) = connect(session, project).await?;
    let jobs = site.jobs(&project, session.global.local);
    let ask = async |deployments: &[Deployment<'_>]| {
        session.ask(&lines(deployments), &question(&site, &project, deployments)).await
    };

    // lamstream asks once: before the build if a function is new, otherwise with the complete plan.
    if !agreed {
        let preview = observe(session, &jobs, arguments).await?;
        if preview.iter().any(Deployment::is_first) {
            ask(&preview).await?;
            agreed = true;
        }
    }
    let beginning = async {
        let observed = observe(session, &jobs, arguments).await?;
        Ok::<_, Failure>(join_all(observed.into_iter().map(|deployment| deployment.begin(session, agreed))).await)
    };
    let building = async { Ok(package_all(session, &jobs, codes).await) };
    let (begun, packages) = tokio::try_join!(beginning, building)?;
    let planned = begun.into_iter().zip(packages).map(|(begun, package)| begun.plan(package, arguments.shift));
    let deployments: Vec<Deployment<'_>> = planned.collect();

    // If one function cannot be built, the deploy stops for all of them.
    if deployments.iter().any(Deployment::has_failed) {
        let functions = deployments.into_iter().map(Deployment::abandon).collect();
        return Ok(Answer::Deploy(site.functions(&project, functions)));
    }
    if arguments.shift.is_some() {
        deployments.iter().try_for_each(Deployment::refuse_shift)?;
    }
    let lines = lines(&deployments);
    if !agreed && !lines.is_empty() {
        ask(&deployments).await?;
    } else if session.global.verbose {
        session.console.show(&lines);
    }
    let publishes = deployments.iter().any(Deployment::publishes);
    let origin = if publishes { packaging::origin(&project.directory) } else { String::new() };
    let verify = !arguments.no_verify;
    let work = deployments.into_iter().map(|deployment| deployment.carry_out(session, &origin, verify, began));
    let functions = join_all(work).await;
    Ok(Answer::Deploy(site.functions(&project, functions)))
}

/// Observes all functions, and refuses resources that lamstream did not create.
async fn observe<'a>(
    session: &Session,
    jobs: &'a [Job<'a>],
    arguments: &Deploy,
) -> Result<Vec<Deployment<'a>>, Failure> {
    let observed = observe_all(session, jobs).await?;
    let deployments: Vec<Deployment<'_>> =
        observed.into_iter().map(|(job, current)| Deployment::new(job, current)).collect();
    if !arguments.adopt {
        deployments.iter().try_for_each(Deployment::refuse_strangers)?;
    }
    Ok(deployments)
}

/// Refuses `--shift` with provisioned concurrency: Lambda keeps instances warm for one version only.
fn refuse_shift(project: &Project, arguments: &Deploy) -> Result<(), Failure> {
    let warm = project.functions.iter().find(|function| function.provisioned_concurrency.is_some());
    match (warm, arguments.shift) {
        (Some(warm), Some(_)) => Err(Failure::shift_of_provisioned(&warm.name)),
        _ => Ok(()),
    }
}

fn lines(deployments: &[Deployment<'_>]) -> Vec<Line> {
    deployments.iter().flat_map(Deployment::lines).collect()
}

fn question(site: &Site, project: &Project, deployments: &[Deployment<'_>]) -> String {
    let public = deployments.iter().filter(|deployment| deployment.makes_public());
    let public: Vec<String> = public.map(|deployment| format!("`{}`", deployment.name())).collect();
    let urls = match &*public {
        [] => String::new(),
        [name] => format!(", with a public URL for {name}"),
        names => format!(", with public URLs for {}", names.join(", ")),
    };
    format!("Deploy {} to {}{urls}?", project.app(), site.words())
}
