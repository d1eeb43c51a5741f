//! `lamstream rollback`: the plan towards a release that was live before.

use super::bring::Rollout;
use super::session::Session;
use super::site::{Job, single};
use super::values::connect_for_checks;
use crate::apply::{Cloud, Observed, Source};
use crate::cli::Rollback;
use crate::failure::Failure;
use crate::plan::plan;
use crate::report::{Answer, FunctionAnswer, plan_lines};
use crate::stack::Stack;

/// What stays as the last deploy left it.
const NOT_REVERTED: &str =
    "only code and configuration went back: role, url, statements, concurrency, log group and tags are as they were";

pub async fn rollback(session: &Session, arguments: &Rollback) -> Result<Answer, Failure> {
    let agreed = session.agreed(arguments.yes, "rollback")?;
    let project = single(session, arguments.function.as_deref())?;
    let (project, site) = connect_for_checks(session, project, !arguments.no_verify).await?;
    let mut answer = site.answer("rollback", &project);
    for job in site.jobs(&project, session.global.local) {
        let observed = session.looking("what is deployed", job.place.observe()).await??;
        let number = wanted(&job, &observed, arguments)?;
        if observed.outputs.version.as_ref() == Some(&number) {
            if observed.outputs.remembered.interrupted && !arguments.no_verify {
                answer.functions.push(prove(session, &job, &observed).await);
                continue;
            }
            session.console.note(&format!("nothing to do: version {number} is live"));
            answer.functions.push(job.answer(&observed));
            continue;
        }
        let target = target(session, &job, &observed, &number).await?;
        if arguments.to.is_none() && is_forward(&observed, &number) {
            let (name, live) = (&job.function.name, observed.outputs.version.as_deref().unwrap_or_default());
            session.console.note(&format!(
                "`{name}` was rolled back to version {live} before: this goes forward again, to version {number}"
            ));
        }
        let question = format!(
            "Rollout `{}` of {} from version {} to version {number} in {}?",
            job.function.name,
            project.app(),
            observed.outputs.version.as_deref().unwrap_or_default(),
            site.words()
        );
        answer.functions.push(
            go_back(session, &job, &observed, &target, &number, (!agreed).then_some(&*question), arguments).await?,
        );
    }
    Ok(answer)
}

/// The number of the version to go to.
fn wanted(job: &Job<'_>, observed: &Observed, arguments: &Rollback) -> Result<String, Failure> {
    let name = &job.function.name;
    let live = observed.stack.live.as_ref().ok_or_else(|| Failure::no_release(name))?;
    if live.shift.is_some() {
        return Err(Failure::shift_under_way(name));
    }
    let to = arguments.to.map(|version| version.to_string());
    to.or_else(|| observed.outputs.previous.clone()).ok_or_else(|| Failure::nothing_before(name))
}

/// All as it is, but for what is live.
async fn target(session: &Session, job: &Job<'_>, observed: &Observed, number: &str) -> Result<Stack, Failure> {
    match session.looking("the release", job.place.release(number)).await?? {
        Some(release) => Ok(Stack { live: Some(release.into()), ..observed.stack.clone() }),
        None => {
            let known = session.looking("the releases", job.place.published()).await??;
            let known: Vec<String> = known.into_iter().map(|release| release.version).collect();
            Err(Failure::no_such_version(&job.function.name, number, &known))
        }
    }
}

/// Whether what was live before is newer than what is live: the last move was a rollback.
fn is_forward(observed: &Observed, number: &str) -> bool {
    let parse = |number: &str| number.parse::<u64>().ok();
    observed.outputs.version.as_deref().and_then(parse) < parse(number)
}

/// Asks a release that a run before this one had made live when it was cut short.
pub(super) async fn prove(session: &Session, job: &Job<'_>, observed: &Observed) -> FunctionAnswer {
    let target = &observed.stack;
    let step = Rollout { session, job, observed, target, source: Source::Nothing, origin: "", verify: true };
    step.carry_out(plan(target, target), Vec::new()).await
}

async fn go_back(
    session: &Session,
    job: &Job<'_>,
    observed: &Observed,
    target: &Stack,
    number: &str,
    question: Option<&str>,
    arguments: &Rollback,
) -> Result<FunctionAnswer, Failure> {
    let plan = plan(&observed.stack, target);
    job.refuse_strangers(&plan, false)?;
    if let Some(question) = question {
        session.consent(&plan_lines(job.names(), &plan), question).await?;
    }
    let source = Source::Version(number);
    let step = Rollout { session, job, observed, target, source, origin: "", verify: !arguments.no_verify };
    let answer = step.carry_out(plan, Vec::new()).await;
    if answer.error.is_none() {
        session.console.note(NOT_REVERTED);
    }
    Ok(answer)
}
