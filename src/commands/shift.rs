//! `lamstream promote` and `lamstream abort`: the two ends of a shift.

use super::project::Project;
use super::proposal::Proposal;
use super::rollout::{prove, roll_out};
use super::session::Session;
use super::site::observe_all;
use super::values::connect_for_checks;
use crate::apply::Source;
use crate::cli::{Abort, Promote};
use crate::failure::Failure;
use crate::report::{Answer, Functions};
use crate::stack::{Live, Release, Stack};

pub async fn promote(session: &Session, arguments: &Promote) -> Result<Answer, Failure> {
    let newest = |live: &Live| live.newest().clone();
    end(session, arguments.function.as_ref(), !arguments.no_verify, newest).await.map(Answer::Promote)
}

/// Nothing is verified: what gets all the traffic has had most of it all along.
pub async fn abort(session: &Session, arguments: &Abort) -> Result<Answer, Failure> {
    end(session, arguments.function.as_ref(), false, |live| live.release.clone()).await.map(Answer::Abort)
}

async fn end(
    session: &Session,
    function: Option<&String>,
    verify: bool,
    winner: impl Fn(&Live) -> Release,
) -> Result<Functions, Failure> {
    let project = Project::single(&session.global, function)?;
    let (project, site) = connect_for_checks(session, project, verify).await?;
    let jobs = site.jobs(&project, session.global.local);
    let mut functions = Vec::new();
    for (job, current) in observe_all(session, &jobs).await? {
        let (stack, outputs) = (&current.observed.stack, &current.observed.outputs);
        let live = stack.live.as_ref().ok_or_else(|| Failure::no_release(&job.function.name))?;
        if live.shift.is_none() && verify && outputs.remembered.interrupted {
            functions.push(prove(session, job, current).await);
            continue;
        }
        if live.shift.is_none() {
            session.console.note("nothing to do: no shift is in progress");
            functions.push(job.answer(&current.observed));
            continue;
        }
        let release = winner(live);
        let number = if release == live.release { &outputs.version } else { &outputs.shifted };
        let source = number.clone().map_or(Source::Nothing, Source::Version);
        let target = Stack { live: Some(release.into()), ..stack.clone() };
        let proposal = Proposal::new(current, target);
        proposal.refuse_strangers()?;
        functions.push(roll_out(session, job, proposal, &source, verify, Vec::new()).await);
    }
    Ok(site.functions(&project, functions))
}
