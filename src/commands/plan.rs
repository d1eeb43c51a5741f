//! `lamstream plan`: what deploy would change.

use super::package::{package_all, read_packages};
use super::preflight::preflight;
use super::project::Project;
use super::proposal::Proposal;
use super::session::Session;
use super::site::observe_all;
use super::values::connect;
use crate::cli::Plan;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer};

pub async fn plan(session: &Session, arguments: &Plan) -> Result<Answer, Failure> {
    let project = Project::read(&session.global, &arguments.functions)?;
    let zips = read_packages(session, &project, &arguments.packages.packages)?;
    let codes = preflight(session, &project, zips, None, true).await?;
    let (project, site) = connect(session, project).await?;
    let jobs = site.jobs(&project, session.global.local);
    let building = async { package_all(session, &jobs, codes).await.into_iter().collect::<Result<Vec<_>, _>>() };
    let (observed, packages) = tokio::try_join!(observe_all(session, &jobs), building)?;
    let functions = observed.into_iter().zip(packages).map(|((job, current), package)| {
        let proposal = Proposal::new(current, job.target(&package.sha256));
        let error = proposal.refuse_strangers().err();
        let answer = job.answer(&proposal.current.observed);
        FunctionAnswer { plan: Some(proposal.plan), error, ..answer }
    });
    Ok(Answer::Plan(site.functions(&project, functions.collect())))
}
