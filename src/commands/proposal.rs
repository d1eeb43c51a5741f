//! A change that can be shown, asked about and carried out.

use crate::apply::Current as _;
use crate::aws::Current;
use crate::failure::Failure;
use crate::plan::{Kind, Plan, plan};
use crate::report::{Line, plan_lines};
use crate::stack::{Names, Stack};

/// What is there, what it is to become, and the plan that leads there.
pub(super) struct Proposal<'a> {
    pub current: Current<'a>,
    pub target: Stack,
    pub plan: Plan,
}

impl<'a> Proposal<'a> {
    pub fn new(current: Current<'a>, target: Stack) -> Proposal<'a> {
        Proposal { plan: plan(current.stack(), &target), current, target }
    }

    /// From the same to another target.
    pub fn towards(self, target: Stack) -> Proposal<'a> {
        Proposal::new(self.current, target)
    }

    /// The plan, one line a change.
    pub fn lines(&self) -> Vec<Line> {
        plan_lines(&self.target.names, &self.plan)
    }

    /// # Errors
    /// When the plan would change what is not ours.
    pub fn refuse_strangers(&self) -> Result<(), Failure> {
        match self.plan.strangers.first() {
            Some(kind) => {
                let outlives = matches!(kind, Kind::LogGroup);
                Err(Failure::stranger(kind.in_words(), &name_of(*kind, &self.target.names), outlives))
            }
            None => Ok(()),
        }
    }
}

fn name_of(kind: Kind, names: &Names) -> String {
    match kind {
        Kind::LogGroup => names.log_group(),
        Kind::Role => names.role_name(),
        Kind::Function | Kind::Release | Kind::Url | Kind::Provisioned | Kind::Permission => names.function_name(),
    }
}
