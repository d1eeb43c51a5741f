//! `lamstream status`: what is deployed, and where it differs from the manifest.

use super::project::Project;
use super::proposal::Proposal;
use super::session::Session;
use super::site::observe_all;
use super::values::{Missing, connect_with_what_is_there};
use crate::cli::Status;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::report::{Answer, Detail, FunctionAnswer, NotCompared, State};
use crate::stack::{Secret, Stack};
use std::collections::BTreeSet;

pub async fn status(session: &Session, arguments: &Status) -> Result<Answer, Failure> {
    let project = Project::read(&session.global, &arguments.functions)?;
    let (mut project, site, missing) = connect_with_what_is_there(session, project).await?;
    let missing: Vec<_> = project.functions.iter_mut().map(|function| without_missing(function, &missing)).collect();
    let jobs = site.jobs(&project, session.global.local);
    let everything = arguments.functions.is_empty();
    let orphans = async {
        match project.functions.first().filter(|_| everything) {
            Some(function) => {
                let names = site.names(&project, function);
                Ok(session.until_stopped(site.account.functions_of(&names)).await??)
            }
            None => Ok(BTreeSet::new()),
        }
    };
    let (observed, deployed) = tokio::try_join!(observe_all(session, &jobs), orphans)?;
    let mut functions = Vec::new();
    for ((job, current), missing) in observed.into_iter().zip(missing) {
        // Nothing is built for a status, so the code that is live counts as the manifest's.
        let code = current.observed.stack.live.as_ref().map_or("", |live| &live.newest().code);
        let mut target = job.target(code);
        leave_out(&missing, &current.observed.stack, &mut target);
        if let (Some(live), Some(wanted)) = (&current.observed.stack.live, &target.live)
            && *live.newest() == wanted.release
        {
            // A shift is no drift: it was asked for, and is shown by itself.
            target.live = Some(live.clone());
        }
        let is_live = current.observed.stack.live.is_some();
        let not_compared = missing.into_iter().filter(|_| is_live);
        let not_compared = not_compared.map(|(name, why)| NotCompared { field: format!("environment.{name}"), why });
        let detail = Detail::Comparison { in_manifest: true, not_compared: not_compared.collect() };
        let drift = Proposal::new(current, target);
        let answer = job.answer(&drift.current.observed);
        functions.push(FunctionAnswer { plan: Some(drift.plan), detail, ..answer });
    }
    let known: Vec<&String> = project.manifest.functions.iter().map(|function| &function.name).collect();
    for name in deployed.into_iter().filter(|name| !known.contains(&name)) {
        let detail = Detail::Comparison { in_manifest: false, not_compared: Vec::new() };
        functions.push(FunctionAnswer { name, state: State::Deployed, detail, ..FunctionAnswer::default() });
    }
    Ok(Answer::Status(site.functions(&project, functions)))
}

/// Takes out the variables whose values cannot be read here; gives each with the reason.
fn without_missing(function: &mut Function, missing: &Missing) -> Vec<(String, String)> {
    let variables = missing.variables(function);
    function.outside.clear();
    variables
}

/// What cannot be read here counts as it is on AWS, so that the rest can be compared.
fn leave_out(missing: &[(String, String)], current: &Stack, target: &mut Stack) {
    let (Some(live), Some(wanted)) = (&current.live, &mut target.live) else { return };
    let is = &live.newest().configuration.environment;
    for (name, _) in missing {
        // A variable that is not there at all differs whatever its value is.
        let value = is.get(name).cloned().unwrap_or_else(|| Secret::new(""));
        wanted.release.configuration.environment.insert(name.clone(), value);
    }
}
