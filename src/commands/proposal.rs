//! A change that lamstream can show, ask about and carry out.

use crate::apply::Current as _;
use crate::aws::Current;
use crate::failure::Failure;
use crate::plan::{Change, ForeignResource, Plan, ResourceKind, plan};
use crate::report::{Line, plan_lines};
use crate::stack::{Live, Stack};

/// The current state, the target, and the plan that leads from one to the other.
pub(super) struct Proposal<'a> {
    pub current: Current<'a>,
    /// The changes that this run has carried out since it observed the current state.
    pub done: Vec<Change>,
    pub target: Stack,
    pub plan: Plan,
}

impl<'a> Proposal<'a> {
    pub(super) fn new(current: Current<'a>, target: Stack) -> Proposal<'a> {
        Proposal::after(current, Vec::new(), target)
    }

    /// The rest of the proposal, after the changes in `done` were carried out.
    pub(super) fn having_done(self, done: Vec<Change>) -> Proposal<'a> {
        Proposal::after(self.current, done, self.target)
    }

    /// The same current state with another target.
    pub(super) fn towards(self, target: Stack) -> Proposal<'a> {
        Proposal::after(self.current, self.done, target)
    }

    fn after(current: Current<'a>, done: Vec<Change>, target: Stack) -> Proposal<'a> {
        Proposal { plan: left_to(&target, &current, &done), current, done, target }
    }

    /// The plan, one line per change.
    pub(super) fn lines(&self) -> Vec<Line> {
        plan_lines(&self.target.names, &self.plan)
    }

    /// The lines of the plan that leads to this stack instead.
    pub(super) fn lines_to(&self, stack: &Stack) -> Vec<Line> {
        plan_lines(&stack.names, &left_to(stack, &self.current, &self.done))
    }

    /// Lambda keeps the instances of `live` warm, and cannot do that for a version that starts from a snapshot.
    ///
    /// # Errors
    /// When the plan would move `live` to such a version while it has provisioned concurrency.
    pub(super) fn refuse_snapshots_beside_warm_instances(&self) -> Result<(), Failure> {
        let has_snapshots = |live: &Live| live.newest().configuration.settings.snap_start;
        let is_warm = self.current.stack().provisioned.is_some();
        match self.target.live.as_ref().is_some_and(has_snapshots) && is_warm {
            true => Err(Failure::snapshots_beside_warm_instances(&self.target.names.function)),
            false => Ok(()),
        }
    }

    /// # Errors
    /// When the plan would change something that lamstream did not create.
    pub(super) fn refuse_strangers(&self) -> Result<(), Failure> {
        match self.plan.foreign.first() {
            Some(ForeignResource { kind, name }) => {
                Err(Failure::foreign(kind.in_words(), name, matches!(kind, ResourceKind::LogGroup)))
            }
            None => Ok(()),
        }
    }
}

/// The plan that leads to `target` after the changes in `done`.
fn left_to(target: &Stack, current: &Current<'_>, done: &[Change]) -> Plan {
    plan(&done.iter().fold(current.stack().clone(), Stack::after), target)
}
