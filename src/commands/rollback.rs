//! `lamstream rollback`: plans and applies the changes that lead to a release that was live before.

use super::project::Project;
use super::proposal::Proposal;
use super::rollout::{roll_out, verify_interrupted};
use super::session::Session;
use super::site::{Job, Site, observe};
use super::values::connect_for_checks;
use super::verification::Scope;
use crate::apply::{Observed, ReleaseSource};
use crate::aws::Current;
use crate::cli::Rollback;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer};
use crate::stack::{Release, Stack};

/// The settings that a rollback does not change.
const NOT_REVERTED: &str = "only code and configuration were rolled back; the role, URL, permissions, concurrency, log group and tags were not changed";

const NO_TRIAL: &str = "; without `--no-verify`, lamstream waits for it before it moves the traffic";

pub(super) async fn rollback(session: &Session, arguments: &Rollback) -> Result<Answer, Failure> {
    let agreed = session.has_consent(arguments.yes, "rollback")?;
    let project = Project::single(&session.global, session.console.running(), arguments.function.as_ref())?;
    let (project, site) = connect_for_checks(session, project, !arguments.no_verify).await?;
    let jobs = site.jobs(&project, session.global.local);
    let mut functions = Vec::new();
    for (job, current) in observe(session, jobs).await? {
        let known = job.answer(&current.observed);
        functions.push(known.or_refused(roll_back(session, &site, &project, job, current, arguments, agreed).await)?);
    }
    Ok(site.functions(&project, functions).into())
}

async fn roll_back(
    session: &Session,
    site: &Site,
    project: &Project,
    job: Job<'_>,
    current: Current<'_>,
    arguments: &Rollback,
    agreed: bool,
) -> Result<FunctionAnswer, Failure> {
    let Destination { number, from } = destination(&job, &current.observed, arguments)?;
    if number == from {
        if current.observed.outputs.remembered.interrupted && !arguments.no_verify {
            return Ok(verify_interrupted(session, &job, current).await);
        }
        session.console.note(&format!("nothing to do: version {number} is already live"));
        return Ok(job.answer(&current.observed));
    }
    let release = release(session, &job, &number).await?;
    let name = &job.function.name;
    if arguments.to.is_none() && is_forward(&from, &number) {
        session
            .console
            .note(&format!("`{name}` was rolled back to version {from}; this rolls it forward to version {number}"));
    }
    tell_drawbacks(session, &job, &release, &number, arguments).await?;
    let target = Stack { live: Some(release.into()), ..current.observed.stack.clone() };
    let proposal = Proposal::new(current, target);
    proposal.refuse_strangers()?;
    proposal.refuse_snapshots_beside_warm_instances()?;
    if !agreed {
        let (app, place) = (project.app(), site.words());
        let question = format!("Move `{name}` of {app} from version {from} to version {number} in {place}?");
        session.ask(&proposal.lines(), &question).await?;
    }
    let (source, scope) = (ReleaseSource::Version(number), Scope::wanted(!arguments.no_verify));
    let answer = roll_out(session, &job, proposal, &source, scope).await.answer;
    if answer.error.is_none() {
        session.console.note(NOT_REVERTED);
    }
    Ok(answer)
}

/// Says what a version lacks that serves again: a place for its log, or a state in which it can answer.
async fn tell_drawbacks(
    session: &Session,
    job: &Job<'_>,
    release: &Release,
    number: &str,
    arguments: &Rollback,
) -> Result<(), Failure> {
    let (name, names) = (&job.function.name, job.names());
    let group = &release.configuration.log_group;
    if ![names.log_group(), names.own_log_group()].contains(group) {
        session.console.note(&format!(
            "version {number} of `{name}` logs to `{group}`, where the function's role may no longer write"
        ));
    }
    let has_checks = !job.function.checks.is_empty();
    if has_checks && !arguments.no_verify {
        // The trial waits until the version is restored.
        return Ok(());
    }
    let function_name = names.function_name();
    if let Some(why) = session.read("the release", job.place.account.unready(&function_name, number)).await?? {
        let cure = if has_checks { NO_TRIAL } else { "" };
        session
            .console
            .note(&format!("{why}: its first request fails and makes Lambda restore it, which takes minutes{cure}"));
    }
    Ok(())
}

/// The numbers of the version to go to and of the live one.
struct Destination {
    number: String,
    from: String,
}

fn destination(job: &Job<'_>, observed: &Observed, arguments: &Rollback) -> Result<Destination, Failure> {
    let name = &job.function.name;
    let (Some(live), Some(from)) = (&observed.stack.live, &observed.outputs.version) else {
        return Err(Failure::no_release(name));
    };
    if live.shift.is_some() {
        return Err(Failure::shift_in_progress(name));
    }
    let to = arguments.to.map(|version| version.to_string());
    let number = to.or_else(|| observed.outputs.previous.clone()).ok_or_else(|| Failure::nothing_before(name))?;
    Ok(Destination { number, from: from.clone() })
}

/// Reads the release that was published under this number.
async fn release(session: &Session, job: &Job<'_>, number: &str) -> Result<Release, Failure> {
    if let Some(release) = session.read("the release", job.place.release(number)).await?? {
        return Ok(release);
    }
    let known = session.read("the releases", job.place.published()).await??;
    let known: Vec<String> = known.into_iter().map(|release| release.version).collect();
    Err(Failure::no_such_version(&job.function.name, number, &known))
}

/// Whether the previous release is newer than the live one, because the last move was a rollback.
fn is_forward(from: &str, number: &str) -> bool {
    let parse = |number: &str| number.parse::<u64>().ok();
    parse(from) < parse(number)
}
