//! The difference between two stacks, in an order that is safe to carry out. Pure: it decides, but carries out nothing.

mod change;
mod diff;

pub use change::{Assigned, Change, ForeignResource, ResourceKind};
pub use diff::{Action, Diff};

use crate::stack::{Role, Stack};
use change::NEEDED_NO_MORE;
use std::slice;

/// The necessary changes, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// Resources that the plan would change although they are not ours. None of them may be changed without consent.
    pub foreign: Vec<ForeignResource>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Splits the plan into the changes that lead to the target, and the removals that must wait until the target is
    /// known to work.
    pub fn halves(self) -> (Plan, Plan) {
        let (after, before) = self.changes.into_iter().partition(|change| rank(change) >= NEEDED_NO_MORE);
        (Plan { changes: before, foreign: self.foreign.clone() }, Plan { changes: after, foreign: self.foreign })
    }

    /// The changes in order, those together that are carried out at the same time.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let function_goes = self.changes.iter().any(is_function_deleted);
        let together = move |one: &Change, other: &Change| match (one, other) {
            (Change::Permission(Diff::Delete(_)) | Change::Release(Diff::Delete(_)), _) => function_goes,
            (Change::LogGroup(_), Change::Role(_)) | (Change::Role(_), Change::LogGroup(_)) => true,
            (Change::Role(Diff::Create(_)), Change::Function(Diff::Create(_))) => true,
            _ => false,
        };
        self.changes.chunk_by(together).map(|changes| match changes {
            [change] => Group::One(change),
            [parts @ .., function] if is_function_deleted(function) => Group::Deleted { parts, function },
            [apart @ .., function @ Change::Function(_)] => Group::Created { apart, function },
            changes => Group::Apart(changes),
        })
    }

    /// The part that needs no code. It can be carried out while the code is being built.
    pub fn before_code(&self) -> Plan {
        self.only(|change| rank(change) == 0)
    }

    /// The creation of the function, which uploads its code.
    pub fn creation(&self) -> Plan {
        self.only(|change| change.kind() == ResourceKind::Function && change.action() == Action::Create)
    }

    fn only(&self, is_of: impl Fn(&Change) -> bool) -> Plan {
        let changes = self.changes.iter().filter(|change| is_of(change)).cloned().collect();
        Plan { changes, foreign: self.foreign.clone() }
    }
}

fn is_function_deleted(change: &Change) -> bool {
    matches!(change, Change::Function(Diff::Delete(_)))
}

/// Changes that are carried out at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group<'a> {
    One(&'a Change),
    /// None needs another: the log group and the role, which different services keep.
    Apart(&'a [Change]),
    /// The function is created with its role: it needs the role to exist, but none of the role's policies.
    Created {
        /// As in `Apart`.
        apart: &'a [Change],
        function: &'a Change,
    },
    /// The function is deleted, and AWS deletes these with it. Source: docs/aws.md, "Control plane".
    Deleted {
        parts: &'a [Change],
        function: &'a Change,
    },
}

impl<'a> Group<'a> {
    /// Its changes, in the plan's order.
    pub fn changes(self) -> impl Iterator<Item = &'a Change> {
        let (first, last) = match self {
            Group::One(change) => (slice::from_ref(change), None),
            Group::Apart(changes) => (changes, None),
            Group::Created { apart: parts, function } | Group::Deleted { parts, function } => (parts, Some(function)),
        };
        first.iter().chain(last)
    }
}

/// All changes that lead from `current` to `target`, two stacks with the same names.
///
/// No client is worse off at any point: permissions are widened before `live` moves and narrowed afterwards, a URL is
/// changed in place (the address of a deleted URL can never be recovered), and deletes come last. Another owner's resource
/// is never deleted: if the target does not contain it, the plan leaves it unchanged. So it does with a log group that the
/// manifest names, and that is not ours.
pub fn plan(current: &Stack, target: &Stack) -> Plan {
    debug_assert_eq!(current.names, target.names);
    let widened = |change| match change {
        Change::Role(Diff::Update { from, to }) => role_changes(from, to, current, target),
        other => vec![other],
    };
    let mut changes: Vec<Change> = Change::between(current, target).into_iter().flat_map(widened).collect();
    let mut foreign = current.foreign();
    let is_of = |change: &Change, other: &ForeignResource| change.kind().owner() == other.kind;
    changes.retain(|change| change.kind() != ResourceKind::LogGroup || !current.borrows_log_group());
    changes.retain(|change| change.action() != Action::Delete || !foreign.iter().any(|other| is_of(change, other)));
    changes.sort_by_key(rank);
    foreign.retain(|other| changes.iter().any(|change| is_of(change, other)));
    Plan { changes, foreign }
}

/// While `live` moves, both releases may serve. The role allows what either of them needs, and is narrowed afterwards.
fn role_changes(from: Role, to: Role, current: &Stack, target: &Stack) -> Vec<Change> {
    let moves = current.live.is_some() && current.live != target.live;
    let wide = from.widened_to(&to);
    let update = |from: &Role, to: &Role| Diff::between(&Some(from.clone()), &Some(to.clone())).map(Change::Role);
    if target.live.as_ref().is_some_and(|live| live.shift.is_some()) {
        // Both releases keep serving. Permissions that only one of them needs are removed when the shift is over.
        return update(&from, &wide).into_iter().collect();
    }
    if moves {
        return update(&from, &wide).into_iter().chain(update(&wide, &to)).collect();
    }
    update(&from, &to).into_iter().collect()
}

/// Narrowing a role only removes permissions, although it is an update.
fn rank(change: &Change) -> u8 {
    match change {
        Change::Role(Diff::Update { from, to }) if from.widened_to(to) == *from => NEEDED_NO_MORE,
        other => other.rank(),
    }
}
