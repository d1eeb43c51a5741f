//! `lamstream rollback`: the plan towards a release that was live before.

use super::project::Project;
use super::proposal::Proposal;
use super::rollout::{prove, roll_out};
use super::session::Session;
use super::site::{Job, observe_all};
use super::values::connect_for_checks;
use crate::apply::{Observed, Source};
use crate::cli::Rollback;
use crate::failure::Failure;
use crate::report::Answer;
use crate::stack::{Release, Stack};

/// What stays as the last deploy left it.
const NOT_REVERTED: &str = "only code and configuration were rolled back; role, URL, statements, concurrency, log group and tags were not changed";

pub async fn rollback(session: &Session, arguments: &Rollback) -> Result<Answer, Failure> {
    let agreed = session.has_consent(arguments.yes, "rollback")?;
    let project = Project::single(&session.global, arguments.function.as_ref())?;
    let (project, site) = connect_for_checks(session, project, !arguments.no_verify).await?;
    let jobs = site.jobs(&project, session.global.local);
    let mut functions = Vec::new();
    for (job, current) in observe_all(session, &jobs).await? {
        let Destination { number, from } = destination(job, &current.observed, arguments)?;
        if number == from {
            if current.observed.outputs.remembered.interrupted && !arguments.no_verify {
                functions.push(prove(session, job, current).await);
                continue;
            }
            session.console.note(&format!("nothing to do: version {number} is already live"));
            functions.push(job.answer(&current.observed));
            continue;
        }
        let release = release(session, job, &number).await?;
        let name = &job.function.name;
        if arguments.to.is_none() && is_forward(&from, &number) {
            session.console.note(&format!(
                "`{name}` was rolled back to version {from} before; this moves it forward again, to version {number}"
            ));
        }
        let target = Stack { live: Some(release.into()), ..current.observed.stack.clone() };
        let proposal = Proposal::new(current, target);
        proposal.refuse_strangers()?;
        if !agreed {
            let (app, place) = (project.app(), site.words());
            let question = format!("Move `{name}` of {app} from version {from} to version {number} in {place}?");
            session.ask(&proposal.lines(), &question).await?;
        }
        let source = Source::Version(number);
        let answer = roll_out(session, job, proposal, &source, !arguments.no_verify, Vec::new()).await;
        if answer.error.is_none() {
            session.console.note(NOT_REVERTED);
        }
        functions.push(answer);
    }
    Ok(Answer::Rollback(site.functions(&project, functions)))
}

/// The numbers of the version to go to, and of the one that is live.
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
        return Err(Failure::shift_under_way(name));
    }
    let to = arguments.to.map(|version| version.to_string());
    let number = to.or_else(|| observed.outputs.previous.clone()).ok_or_else(|| Failure::nothing_before(name))?;
    Ok(Destination { number, from: from.clone() })
}

/// The release that was published under this number.
async fn release(session: &Session, job: &Job<'_>, number: &str) -> Result<Release, Failure> {
    if let Some(release) = session.read("the release", job.place.release(number)).await?? {
        return Ok(release);
    }
    let known = session.read("the releases", job.place.published()).await??;
    let known: Vec<String> = known.into_iter().map(|release| release.version).collect();
    Err(Failure::no_such_version(&job.function.name, number, &known))
}

/// Whether what was live before is newer than what is live: the last move was a rollback.
fn is_forward(from: &str, number: &str) -> bool {
    let parse = |number: &str| number.parse::<u64>().ok();
    parse(from) < parse(number)
}
