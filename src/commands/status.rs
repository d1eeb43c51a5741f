//! `lamstream status`: what is deployed, and where it differs from the manifest.

use super::session::Session;
use super::site::observe_all;
use super::values::{Missing, connect_with_what_is_there};
use crate::apply::Observed;
use crate::cli::Status;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::plan::plan;
use crate::report::{Answer, FunctionAnswer, NotCompared, State};
use crate::stack::{Secret, Stack};

pub async fn status(session: &Session, arguments: &Status) -> Result<Answer, Failure> {
    let project = session.project(&arguments.functions)?;
    let (mut project, site, missing) = connect_with_what_is_there(session, project).await?;
    let missing: Vec<_> = project.functions.iter_mut().map(|function| without_missing(function, &missing)).collect();
    let jobs = site.jobs(&project, session.global.local);
    let everything = arguments.functions.is_empty();
    let orphans = async {
        match project.functions.first().filter(|_| everything) {
            Some(function) => Ok(site.account.functions_of(&site.names(&project, function)).await?),
            None => Ok(Default::default()),
        }
    };
    let looking = async { tokio::try_join!(observe_all(&jobs), orphans) };
    let (observed, deployed) = session.looking("what is deployed", looking).await??;
    let mut answer = site.answer("status", &project);
    for ((job, observed), missing) in jobs.iter().zip(&observed).zip(missing) {
        // Nothing is built for a status, so the code that is live counts as the manifest's.
        let code = observed.stack.live.as_ref().map_or("", |live| &live.newest().code);
        let mut target = job.target(code);
        leave_out(&missing, observed, &mut target);
        if let (Some(live), Some(wanted)) = (&observed.stack.live, &target.live)
            && *live.newest() == wanted.release
        {
            // A shift is no drift: it was asked for, and is shown by itself.
            target.live = Some(live.clone());
        }
        let drift = plan(&observed.stack, &target);
        let not_compared =
            missing.into_iter().map(|(name, why)| NotCompared { field: format!("environment.{name}"), why });
        let not_compared = not_compared.filter(|_| observed.stack.live.is_some()).collect();
        answer.functions.push(FunctionAnswer { plan: Some(drift), not_compared, ..job.answer(observed) });
    }
    let known: Vec<&String> = project.manifest.functions.iter().map(|function| &function.name).collect();
    for name in deployed.into_iter().filter(|name| !known.contains(&name)) {
        answer.functions.push(FunctionAnswer {
            name,
            state: State::Deployed,
            orphan: true,
            ..FunctionAnswer::default()
        });
    }
    Ok(answer)
}

/// Takes out the variables whose values cannot be read here; gives each with the reason.
fn without_missing(function: &mut Function, missing: &Missing) -> Vec<(String, String)> {
    let variables = missing.variables(function);
    function.outside.clear();
    variables
}

/// What cannot be read here counts as it is on AWS, so that the rest can be compared.
fn leave_out(missing: &[(String, String)], observed: &Observed, target: &mut Stack) {
    let (Some(live), Some(wanted)) = (&observed.stack.live, &mut target.live) else { return };
    let is = &live.newest().configuration.environment;
    for (name, _) in missing {
        // A variable that is not there at all differs whatever its value is.
        let value = is.get(name).cloned().unwrap_or_else(|| Secret::new(""));
        wanted.release.configuration.environment.insert(name.clone(), value);
    }
}
