//! The difference between two states of one thing.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diff<T> {
    Create(T),
    Update { from: T, to: T },
    Delete(T),
}

impl<T: Clone + PartialEq> Diff<T> {
    /// `None` where the two are equal.
    pub fn between(current: &Option<T>, target: &Option<T>) -> Option<Diff<T>> {
        match (current, target) {
            (None, None) => None,
            (None, Some(to)) => Some(Diff::Create(to.clone())),
            (Some(from), None) => Some(Diff::Delete(from.clone())),
            (Some(from), Some(to)) if from == to => None,
            (Some(from), Some(to)) => Some(Diff::Update { from: from.clone(), to: to.clone() }),
        }
    }

    /// What is there once the difference is carried out.
    pub fn target(&self) -> Option<&T> {
        match self {
            Diff::Create(to) | Diff::Update { to, .. } => Some(to),
            Diff::Delete(_) => None,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
}

impl Action {
    /// As our JSON spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }
}
