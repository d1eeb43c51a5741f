//! `lamstream releases`: the versions that are there.

use super::session::Session;
use super::site::{Site, single};
use crate::apply::Cloud;
use crate::cli::Releases;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer};

pub async fn releases(session: &Session, arguments: &Releases) -> Result<Answer, Failure> {
    let project = single(session, arguments.function.as_deref())?;
    let site: Site = session.connect(&project.manifest).await?;
    let mut answer = site.answer("releases", &project);
    for job in site.jobs(&project, session.global.local) {
        let reading = async { tokio::try_join!(job.place.observe(), job.place.published()) };
        let (observed, releases) = session.looking("the releases", reading).await??;
        if observed.stack.function.is_none() {
            return Err(Failure::no_release(&job.function.name));
        }
        answer.functions.push(FunctionAnswer { releases, ..job.answer(&observed) });
    }
    Ok(answer)
}
