//! What a first deploy does while it builds: a new role takes seconds to propagate, and an upload takes its time.

use crate::apply::{Delivery, NoTrial, ReleaseSource, apply};
use crate::commands::proposal::Proposal;
use crate::commands::session::Session;
use crate::failure::Failure;
use crate::plan::Plan;

/// Creates the resources that need no code.
pub(super) async fn begin<'a>(session: &Session, proposal: Proposal<'a>) -> (Proposal<'a>, Result<(), Failure>) {
    let early = proposal.plan.before_code();
    carry_out(session, proposal, early, &ReleaseSource::Nothing).await
}

/// Creates the function with its code, which gets no traffic yet.
pub(super) async fn upload<'a>(
    session: &Session,
    proposal: Proposal<'a>,
    source: ReleaseSource,
) -> (Proposal<'a>, Result<(), Failure>) {
    let creation = proposal.plan.creation();
    carry_out(session, proposal, creation, &source).await
}

/// Carries out a part of the proposal's plan. Returns what is left of the proposal.
async fn carry_out<'a>(
    session: &Session,
    mut proposal: Proposal<'a>,
    early: Plan,
    source: &ReleaseSource,
) -> (Proposal<'a>, Result<(), Failure>) {
    let delivery = Delivery { source, ..Delivery::of(&proposal.target) };
    let applied = apply(&mut proposal.current, &early, &delivery, &mut NoTrial, &session.observer()).await;
    let (done, result) = match applied {
        Ok(applied) => (applied.done.len(), Ok(())),
        Err(error) => (error.done.len(), Err(error.into())),
    };
    let done = proposal.done.iter().cloned().chain(early.changes.into_iter().take(done)).collect();
    (proposal.having_done(done), result)
}
