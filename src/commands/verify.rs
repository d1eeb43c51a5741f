//! `lamstream verify`: runs the checks on what is live, or on a version. It writes nothing, and moves no traffic.

use super::project::Project;
use super::session::Session;
use super::site::{Job, hide_environments, observe};
use super::values::connect_for_checks;
use super::verification::{Scope, Verification};
use crate::apply::Verified;
use crate::aws::Current;
use crate::cli::Verify;
use crate::failure::{Failure, FailureKind};
use crate::report::{Answer, Detail, FunctionAnswer};
use futures_util::future::join_all;

pub(super) async fn verify(session: &Session, arguments: &Verify) -> Result<Answer, Failure> {
    let number = arguments.version.map(|version| version.to_string());
    let mut project = Project::read(&session.global, &arguments.functions)?;
    if number.is_some() && project.functions.len() != 1 {
        // A number belongs to one function.
        let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
        return Err(Failure::which_function(session.console.running(), &known));
    }
    if arguments.functions.is_empty() && project.functions.iter().any(|function| function.url.is_some()) {
        project.functions.retain(|function| function.url.is_some());
    }
    let (project, site) = connect_for_checks(session, project, true).await?;
    let observed = observe(session, site.jobs(&project, session.global.local)).await?;
    let asked = observed.into_iter().map(|(job, current)| ask(session, job, current, number.as_deref()));
    let functions = session.until_stopped(join_all(asked)).await?;
    Ok(site.functions(&project, functions).into())
}

/// The answer for one function, which has the failure if it does not pass.
async fn ask(session: &Session, job: Job<'_>, current: Current<'_>, number: Option<&str>) -> FunctionAnswer {
    let answer = FunctionAnswer { detail: Detail::Checks, ..job.answer(&current.observed) };
    match verdict(session, &job, &current, number).await {
        Ok(verified) => FunctionAnswer { verified, ..answer },
        Err(failure) => answer.failed(failure),
    }
}

async fn verdict(
    session: &Session,
    job: &Job<'_>,
    current: &Current<'_>,
    number: Option<&str>,
) -> Result<Option<Verified>, Failure> {
    let (name, observed) = (&job.function.name, &current.observed);
    if observed.outputs.version.is_none() {
        return Err(Failure::no_release(name));
    }
    let checks = Verification::of(session, job, &observed.stack, observed, Scope::All);
    let addresses = checks.addresses(&observed.outputs);
    if addresses.is_empty() || job.function.url.is_none() {
        return Err(Failure::no_url(name));
    }
    hide_environments(session, job, [&observed.stack]);
    if !checks.verifies() {
        let why = match job.function.concurrency {
            Some(0) => "with `concurrency = 0` it cannot answer",
            _ => "each of its checks is left out",
        };
        return Err(Failure::new(FailureKind::Verify, format!("cannot verify `{name}`: {why}")));
    }
    let verified = match number {
        None => checks.ask(&addresses, current, false).await.map_err(|refused| refused.failure)?,
        Some(number) => {
            refuse_unknown(session, job, number).await?;
            checks.ask_released(number).await?
        }
    };
    if !checks.are_all_there() {
        // Each was noted with its reason.
        let why = "a value of a check is missing here, so the check was left out";
        return Err(Failure::new(FailureKind::Verify, format!("cannot verify all of `{name}`: {why}")));
    }
    Ok(verified)
}

async fn refuse_unknown(session: &Session, job: &Job<'_>, number: &str) -> Result<(), Failure> {
    if session.read("the release", job.place.release(number)).await??.is_some() {
        return Ok(());
    }
    let known = session.read("the releases", job.place.published()).await??;
    let known: Vec<String> = known.into_iter().map(|release| release.version).collect();
    Err(Failure::no_such_version(&job.function.name, number, &known))
}
