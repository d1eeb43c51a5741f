//! The difference between two states of one thing.

use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diff<T> {
    Create(T),
    Update { from: T, to: T },
    Delete(T),
}

impl<T: Clone + PartialEq> Diff<T> {
    /// `None` if the two are equal.
    pub fn between(current: &Option<T>, target: &Option<T>) -> Option<Diff<T>> {
        match (current, target) {
            (None, None) => None,
            (None, Some(to)) => Some(Diff::Create(to.clone())),
            (Some(from), None) => Some(Diff::Delete(from.clone())),
            (Some(from), Some(to)) if from == to => None,
            (Some(from), Some(to)) => Some(Diff::Update { from: from.clone(), to: to.clone() }),
        }
    }

    /// The thing after the difference is carried out; `None` if it is deleted.
    pub fn target(&self) -> Option<&T> {
        match self {
            Diff::Create(to) | Diff::Update { to, .. } => Some(to),
            Diff::Delete(_) => None,
        }
    }

    /// The thing as it will be, or as it was if it is deleted.
    pub fn noun(&self) -> &T {
        match self {
            Diff::Create(noun) | Diff::Update { to: noun, .. } | Diff::Delete(noun) => noun,
        }
    }

    pub fn action(&self) -> Action {
        match self {
            Diff::Create(_) => Action::Create,
            Diff::Update { .. } => Action::Update,
            Diff::Delete(_) => Action::Delete,
        }
    }
}

/// A part of a stack: one thing or none, or a set of things.
pub(super) trait Part<T> {
    fn differences(&self, target: &Self) -> Vec<Diff<T>>;

    /// Applies a difference to the part.
    fn put(&mut self, diff: &Diff<T>);
}

impl<T: Clone + PartialEq> Part<T> for Option<T> {
    fn differences(&self, target: &Self) -> Vec<Diff<T>> {
        Diff::between(self, target).into_iter().collect()
    }

    fn put(&mut self, diff: &Diff<T>) {
        *self = diff.target().cloned();
    }
}

/// Things in a set are created and deleted, but never updated.
impl<T: Clone + Ord> Part<T> for BTreeSet<T> {
    fn differences(&self, target: &Self) -> Vec<Diff<T>> {
        let create_or_delete = |thing: &T| match target.contains(thing) {
            true => Diff::Create(thing.clone()),
            false => Diff::Delete(thing.clone()),
        };
        self.symmetric_difference(target).map(create_or_delete).collect()
    }

    fn put(&mut self, diff: &Diff<T>) {
        match diff {
            Diff::Delete(thing) => {
                self.remove(thing);
            }
            other => self.extend(other.target().cloned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
}

impl Action {
    /// The action's name in our JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }
}
