//! The difference between two stacks, in the order in which it is safe to carry out. Pure: it decides and does nothing.

mod change;
mod diff;
mod field;

pub use change::{Change, Kind};
pub use diff::{Action, Diff};
pub use field::Field;

use crate::stack::{Owner, Permission, Stack};

/// What has to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// What the plan would change although it is not ours. Nothing of it may be carried out without consent.
    pub strangers: Vec<Kind>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What leads to the target, and what can only be taken away once it is no longer needed: when the target has
    /// been seen to work.
    pub fn halves(self) -> (Plan, Plan) {
        let (after, before) = self.changes.into_iter().partition(|change| rank(change) >= NEEDED_NO_MORE);
        (
            Plan { changes: before, strangers: self.strangers.clone() },
            Plan { changes: after, strangers: self.strangers },
        )
    }

    /// The part that needs no code yet: it can be carried out while the code is being built.
    pub fn before_code(&self) -> Plan {
        let changes = self.changes.iter().filter(|change| rank(change) == 0).cloned().collect();
        Plan { changes, strangers: self.strangers.clone() }
    }
}

/// Everything that leads from `current` to `target`, two stacks of the same names.
///
/// No client is worse off at any point: permissions are widened before `live` moves and narrowed
/// after it, a URL is changed in place (a deleted one's address can never be had back), and deletes come last.
/// What is a stranger's is never deleted: a target without it simply leaves it alone.
pub fn plan(current: &Stack, target: &Stack) -> Plan {
    debug_assert_eq!(current.names, target.names);
    let mut changes = Vec::new();
    changes.extend(Diff::between(&current.log_group, &target.log_group).map(Change::LogGroup));
    changes.extend(role_changes(current, target));
    changes.extend(Diff::between(&current.function, &target.function).map(Change::Function));
    changes.extend(Diff::between(&current.live, &target.live).map(Change::Release));
    changes.extend(Diff::between(&current.url, &target.url).map(Change::Url));
    changes.extend(Diff::between(&current.provisioned, &target.provisioned).map(Change::Provisioned));
    changes.extend(Permission::ALL.into_iter().filter_map(|permission| {
        let has = |stack: &Stack| stack.permissions.contains(&permission).then_some(permission);
        Diff::between(&has(current), &has(target)).map(Change::Permission)
    }));
    let theirs = strangers(current);
    changes.retain(|change| change.action() != Action::Delete || !theirs.contains(&owned_through(change.kind())));
    changes.sort_by_key(rank);
    let strangers = theirs.into_iter().filter(|kind| touches(&changes, *kind)).collect();
    Plan { changes, strangers }
}

/// While `live` moves, both releases may be serving: the role allows what either needs, and is narrowed afterwards.
fn role_changes(current: &Stack, target: &Stack) -> Vec<Change> {
    let moves = current.live.is_some() && current.live != target.live;
    if let (Some(from), Some(to)) = (&current.role, &target.role) {
        let wide = from.widened_to(to);
        if target.live.as_ref().is_some_and(|live| live.shift.is_some()) {
            // Both go on serving: what only one of them needs is taken away when the shift is over.
            return Diff::between(&Some(from.clone()), &Some(wide)).map(Change::Role).into_iter().collect();
        }
        if moves && wide != *to {
            let widen = Diff::between(&Some(from.clone()), &Some(wide.clone())).map(Change::Role);
            return widen.into_iter().chain([Change::Role(Diff::Update { from: wide, to: to.clone() })]).collect();
        }
    }
    Diff::between(&current.role, &target.role).map(Change::Role).into_iter().collect()
}

/// From this rank on, a change only takes away.
const NEEDED_NO_MORE: u8 = 6;

/// The order: a change is carried out after all of a lower rank. Those of rank 0 need no code.
fn rank(change: &Change) -> u8 {
    match change {
        Change::Role(Diff::Update { from, to }) if from.widened_to(to) == *from && from != to => NEEDED_NO_MORE,
        Change::LogGroup(Diff::Create(_) | Diff::Update { .. })
        | Change::Role(Diff::Create(_) | Diff::Update { .. }) => 0,
        Change::Function(Diff::Create(_) | Diff::Update { .. }) => 1,
        Change::Release(Diff::Create(_)) => 2,
        Change::Permission(Diff::Create(_) | Diff::Update { .. }) => 3,
        Change::Release(Diff::Update { .. }) => 4,
        Change::Url(Diff::Create(_) | Diff::Update { .. })
        | Change::Provisioned(Diff::Create(_) | Diff::Update { .. }) => 5,
        Change::Url(Diff::Delete(_)) | Change::Provisioned(Diff::Delete(_)) => NEEDED_NO_MORE,
        Change::Permission(Diff::Delete(_)) => 7,
        Change::Release(Diff::Delete(_)) => 8,
        Change::Function(Diff::Delete(_)) => 9,
        Change::Role(Diff::Delete(_)) => 10,
        Change::LogGroup(Diff::Delete(_)) => 11,
    }
}

/// The kinds that carry tags and do not carry ours.
fn strangers(current: &Stack) -> Vec<Kind> {
    let owners = [
        (Kind::LogGroup, current.log_group.as_ref().map(|group| group.tags.owner(&current.names))),
        (Kind::Role, current.role.as_ref().map(|role| role.tags.owner(&current.names))),
        (Kind::Function, current.function.as_ref().map(|function| function.tags.owner(&current.names))),
    ];
    owners.into_iter().filter(|(_, owner)| *owner == Some(Owner::Stranger)).map(|(kind, _)| kind).collect()
}

/// Whose tags decide for a kind: releases, URLs, statements and the rest have none and belong to their function.
fn owned_through(kind: Kind) -> Kind {
    match kind {
        Kind::Release | Kind::Url | Kind::Provisioned | Kind::Permission => Kind::Function,
        other => other,
    }
}

fn touches(changes: &[Change], kind: Kind) -> bool {
    changes.iter().any(|change| owned_through(change.kind()) == kind)
}
