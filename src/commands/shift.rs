//! `lamstream promote` and `lamstream abort`: the two ends of a shift.

use super::bring::Rollout;
use super::rollback::prove;
use super::session::Session;
use super::site::single;
use super::values::connect_for_checks;
use crate::apply::{Cloud, Observed, Source};
use crate::cli::{Abort, Promote};
use crate::failure::Failure;
use crate::plan::plan;
use crate::report::Answer;
use crate::stack::{Live, Release, Stack};

pub async fn promote(session: &Session, arguments: &Promote) -> Result<Answer, Failure> {
    let newest = |live: &Live| live.newest().clone();
    end(session, "promote", arguments.function.as_deref(), !arguments.no_verify, newest).await
}

/// Nothing is verified: what gets all the traffic has had most of it all along.
pub async fn abort(session: &Session, arguments: &Abort) -> Result<Answer, Failure> {
    end(session, "abort", arguments.function.as_deref(), false, |live| live.release.clone()).await
}

async fn end(
    session: &Session,
    command: &'static str,
    function: Option<&str>,
    verify: bool,
    winner: impl Fn(&Live) -> Release,
) -> Result<Answer, Failure> {
    let project = single(session, function)?;
    let (project, site) = connect_for_checks(session, project, verify).await?;
    let mut answer = site.answer(command, &project);
    for job in site.jobs(&project, session.global.local) {
        let observed = session.looking("what is deployed", job.place.observe()).await??;
        let live = observed.stack.live.as_ref().ok_or_else(|| Failure::no_release(&job.function.name))?;
        if live.shift.is_none() && verify && observed.outputs.remembered.interrupted {
            answer.functions.push(prove(session, &job, &observed).await);
            continue;
        }
        if live.shift.is_none() {
            session.console.note("nothing to do: no shift is under way");
            answer.functions.push(job.answer(&observed));
            continue;
        }
        let release = winner(live);
        let number = number(&observed, release == live.release);
        let target = Stack { live: Some(release.into()), ..observed.stack.clone() };
        let plan = plan(&observed.stack, &target);
        job.refuse_strangers(&plan, false)?;
        let source = Source::Version(&number);
        let step = Rollout { session, job: &job, observed: &observed, target: &target, source, origin: "", verify };
        answer.functions.push(step.carry_out(plan, Vec::new()).await);
    }
    Ok(answer)
}

/// The number of the version that had most of the traffic, or of the one that had a part.
fn number(observed: &Observed, most: bool) -> String {
    let outputs = &observed.outputs;
    let number = if most { &outputs.version } else { &outputs.shifted };
    number.clone().unwrap_or_default()
}
