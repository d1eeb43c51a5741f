//! `lamstream releases`: lists the published versions.

use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::apply::Cloud;
use crate::cli::Releases;
use crate::failure::Failure;
use crate::report::{Answer, Detail, FunctionAnswer};

pub(super) async fn releases(session: &Session, arguments: &Releases) -> Result<Answer, Failure> {
    let project = Project::single(&session.global, session.console.running(), arguments.function.as_ref())?;
    let site = Site::connect(session, &project.manifest).await?;
    let mut functions = Vec::new();
    for job in site.jobs(&project, session.global.local) {
        let reading = async { tokio::try_join!(job.place.observe(), job.place.published()) };
        let (current, releases) = session.read("the releases", reading).await??;
        if current.observed.stack.live.is_none() && !releases.is_empty() {
            let function = &job.function.name;
            session.console.note(&format!("nothing is live: no version of `{function}` has passed its checks yet"));
        }
        let known = FunctionAnswer { detail: Detail::Releases(releases), ..job.answer(&current.observed) };
        let is_deployed = current.observed.stack.function.is_some();
        let result = is_deployed.then(|| known.clone()).ok_or_else(|| Failure::no_release(&job.function.name));
        functions.push(known.or_refused(result)?);
    }
    Ok(site.functions(&project, functions).into())
}
