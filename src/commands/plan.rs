//! `lamstream plan`: shows what `deploy` would change.

use super::deploy::{Shiftings, build_all, observe};
use super::orphans::note_beside;
use super::package::read_packages;
use super::preflight::preflight;
use super::project::Project;
use super::session::Session;
use super::values::connect;
use crate::cli::Plan;
use crate::failure::Failure;
use crate::report::Answer;

pub(super) async fn plan(session: &Session, arguments: &Plan) -> Result<Answer, Failure> {
    let project = Project::to_deploy(&session.global, &arguments.functions, arguments.release)?;
    let packages = read_packages(session, &project, &arguments.packages.packages)?;
    let prepared = preflight(session, &project, packages, None, true).await?;
    let (site, foresight, prepared) = connect(session, &project, &arguments.functions, prepared).await?;
    site.refuse_missing_adapter(session, &project)?;
    let observing = observe(session, site.prepared_jobs(&project, prepared), foresight.deployed);
    let deployments = note_beside(session, &site, &project, &arguments.functions, foresight.orphans, observing).await?;
    let built = build_all(session, deployments, false, &Shiftings::default()).await;
    let mut functions = Vec::new();
    for built in built {
        let deployment = built.map_err(|not_built| not_built.failure)?;
        deployment.tell_cost(session);
        functions.push(deployment.preview()?);
    }
    Ok(site.functions(&project, functions).into())
}
