//! `lamstream status`: what is deployed, and where it differs from the manifest.

use super::run::Run;
use super::site::observe_all;
use super::values::connect;
use crate::cli::Status;
use crate::failure::Failure;
use crate::plan::plan;
use crate::report::{Answer, FunctionAnswer, State};

pub async fn status(run: &Run, arguments: &Status) -> Result<Answer, Failure> {
    let project = run.project(&arguments.functions)?;
    let (project, site) = connect(run, project).await?;
    let jobs = site.jobs(&project, run.global.local);
    let everything = arguments.functions.is_empty();
    let strays = async {
        match project.functions.first().filter(|_| everything) {
            Some(function) => Ok(site.account.functions_of(&site.names(&project, function)).await?),
            None => Ok(Default::default()),
        }
    };
    let looking = async { tokio::try_join!(observe_all(&jobs), strays) };
    let (observed, deployed) = run.looking("what is deployed", looking).await??;
    let mut answer = site.answer("status", &project);
    for (job, observed) in jobs.iter().zip(&observed) {
        // Nothing is built for a status, so the code that is live counts as the manifest's.
        let code = observed.stack.live.as_ref().map_or("", |live| &live.newest().code);
        let mut target = job.target(code);
        if let (Some(live), Some(wanted)) = (&observed.stack.live, &target.live)
            && *live.newest() == wanted.release
        {
            // A shift is no drift: it was asked for, and is shown by itself.
            target.live = Some(live.clone());
        }
        let drift = plan(&observed.stack, &target);
        answer.functions.push(FunctionAnswer { plan: Some(drift), ..job.answer(observed) });
    }
    let known: Vec<&String> = project.manifest.functions.iter().map(|function| &function.name).collect();
    for name in deployed.into_iter().filter(|name| !known.contains(&name)) {
        answer.functions.push(FunctionAnswer {
            name,
            state: State::Deployed,
            stray: true,
            ..FunctionAnswer::default()
        });
    }
    Ok(answer)
}
