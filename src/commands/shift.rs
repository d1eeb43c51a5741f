//! `lamstream promote` and `lamstream abort`: complete or cancel a shift.

use super::project::Project;
use super::proposal::Proposal;
use super::rollout::{roll_out, verify_interrupted};
use super::session::Session;
use super::site::{Job, observe};
use super::values::connect_for_checks;
use super::verification::Scope;
use crate::apply::ReleaseSource;
use crate::aws::Current;
use crate::cli::{Abort, Promote};
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer, Functions};
use crate::stack::{Live, Release, Stack};

pub(super) async fn promote(session: &Session, arguments: &Promote) -> Result<Answer, Failure> {
    let newest = |live: &Live| live.newest().clone();
    end(session, arguments.function.as_ref(), !arguments.no_verify, newest).await.map(Answer::from)
}

/// Verifies nothing: the release that gets all the traffic has had most of it during the shift.
pub(super) async fn abort(session: &Session, arguments: &Abort) -> Result<Answer, Failure> {
    end(session, arguments.function.as_ref(), false, |live| live.release.clone()).await.map(Answer::from)
}

async fn end(
    session: &Session,
    function: Option<&String>,
    verify: bool,
    winner: impl Fn(&Live) -> Release,
) -> Result<Functions, Failure> {
    let project = Project::single(&session.global, session.console.running(), function)?;
    let (project, site) = connect_for_checks(session, project, verify).await?;
    let jobs = site.jobs(&project, session.global.local);
    let mut functions = Vec::new();
    for (job, current) in observe(session, jobs).await? {
        let known = job.answer(&current.observed);
        functions.push(known.or_refused(end_one(session, &job, current, verify, &winner).await)?);
    }
    Ok(site.functions(&project, functions))
}

async fn end_one(
    session: &Session,
    job: &Job<'_>,
    current: Current<'_>,
    verify: bool,
    winner: impl Fn(&Live) -> Release,
) -> Result<FunctionAnswer, Failure> {
    let (stack, outputs) = (&current.observed.stack, &current.observed.outputs);
    let live = stack.live.as_ref().ok_or_else(|| Failure::no_release(&job.function.name))?;
    if live.shift.is_none() {
        if verify && outputs.remembered.interrupted {
            return Ok(verify_interrupted(session, job, current).await);
        }
        session.console.note("nothing to do: no shift is in progress");
        return Ok(job.answer(&current.observed));
    }
    let release = winner(live);
    let number = if release == live.release { &outputs.version } else { &outputs.shifted };
    let source = number.clone().map_or(ReleaseSource::Nothing, ReleaseSource::Version);
    let target = Stack { live: Some(release.into()), ..stack.clone() };
    let proposal = Proposal::new(current, target);
    proposal.refuse_strangers()?;
    Ok(roll_out(session, job, proposal, &source, Scope::wanted(verify)).await.answer)
}
