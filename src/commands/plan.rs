//! `lamstream plan`: what deploy would change.

use super::package::{brought, package_all};
use super::preflight::preflight;
use super::session::Session;
use super::site::observe_all;
use super::values::connect;
use crate::cli::Plan;
use crate::failure::Failure;
use crate::plan;
use crate::report::{Answer, FunctionAnswer};

pub async fn plan(session: &Session, arguments: &Plan) -> Result<Answer, Failure> {
    let project = session.project(&arguments.functions)?;
    let zips = brought(session, &project, &arguments.packages.packages)?;
    let codes = preflight(session, &project, zips, None, true).await?;
    let (project, site) = connect(session, project).await?;
    let jobs = site.jobs(&project, session.global.local);
    let building = async { package_all(session, &jobs, codes).await.into_iter().collect::<Result<Vec<_>, _>>() };
    let (observed, packages) =
        tokio::try_join!(async { session.looking("what is deployed", observe_all(&jobs)).await? }, building,)?;
    let mut answer = site.answer("plan", &project);
    for ((job, observed), package) in jobs.iter().zip(&observed).zip(&packages) {
        let plan = plan::plan(&observed.stack, &job.target(&package.sha256));
        let error = job.refuse_strangers(&plan, false).err();
        answer.functions.push(FunctionAnswer { plan: Some(plan), error, ..job.answer(observed) });
    }
    Ok(answer)
}

pub fn has_changes(answer: &Answer) -> bool {
    answer.functions.iter().filter_map(|function| function.plan.as_ref()).any(|plan| !plan.is_empty())
}
