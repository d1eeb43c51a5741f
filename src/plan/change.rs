//! One step of a plan, and how it shows in the stack.

use super::diff::{Action, Diff};
use super::field::{Field, Fields};
use crate::stack::{Function, FunctionUrl, Live, LogGroup, Names, Permission, Role, Stack};

/// One write, or the few writes that belong together. Every change may be carried out twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    LogGroup(Diff<LogGroup>),
    Role(Diff<Role>),
    Function(Diff<Function>),
    /// Publish a version, try it, and move `live` to it, or a part of the traffic.
    Release(Diff<Live>),
    Url(Diff<FunctionUrl>),
    /// How many instances are kept warm for `live`.
    Provisioned(Diff<u32>),
    /// A statement is added or removed; AWS has no way to change one.
    Permission(Diff<Permission>),
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    LogGroup,
    Role,
    Function,
    Release,
    Url,
    Provisioned,
    Permission,
}

impl Kind {
    /// As our JSON and plans spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::LogGroup => "log_group",
            Kind::Role => "role",
            Kind::Function => "function",
            Kind::Release => "release",
            Kind::Url => "url",
            Kind::Provisioned => "provisioned_concurrency",
            Kind::Permission => "permission",
        }
    }

    /// As a sentence has it.
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::LogGroup => "log group",
            Kind::Url => "URL",
            Kind::Provisioned => "provisioned concurrency",
            other => other.as_str(),
        }
    }
}

impl Change {
    pub fn kind(&self) -> Kind {
        match self {
            Change::LogGroup(_) => Kind::LogGroup,
            Change::Role(_) => Kind::Role,
            Change::Function(_) => Kind::Function,
            Change::Release(_) => Kind::Release,
            Change::Url(_) => Kind::Url,
            Change::Provisioned(_) => Kind::Provisioned,
            Change::Permission(_) => Kind::Permission,
        }
    }

    pub fn action(&self) -> Action {
        match self {
            Change::LogGroup(diff) => diff.action(),
            Change::Role(diff) => diff.action(),
            Change::Function(diff) => diff.action(),
            Change::Release(diff) => diff.action(),
            Change::Url(diff) => diff.action(),
            Change::Provisioned(diff) => diff.action(),
            Change::Permission(diff) => diff.action(),
        }
    }

    /// What AWS calls the thing that changes.
    pub fn name(&self, names: &Names) -> String {
        match self {
            Change::LogGroup(_) => names.log_group(),
            Change::Role(_) => names.role_name(),
            Change::Function(_) => names.function_name(),
            Change::Release(_) | Change::Url(_) | Change::Provisioned(_) => {
                format!("{}:{}", names.function_name(), Names::ALIAS)
            }
            Change::Permission(Diff::Create(permission) | Diff::Delete(permission)) => permission.sid().to_owned(),
            Change::Permission(Diff::Update { to, .. }) => to.sid().to_owned(),
        }
    }

    /// What differs, in the manifest's words; empty for what is created or deleted.
    pub fn fields(&self) -> Vec<Field> {
        match self {
            Change::LogGroup(Diff::Update { from, to }) => Fields::of_log_group(from, to),
            Change::Role(Diff::Update { from, to }) => Fields::of_role(from, to),
            Change::Function(Diff::Update { from, to }) => Fields::of_function(from, to),
            Change::Release(Diff::Update { from, to }) => Fields::of_live(from, to),
            Change::Url(Diff::Update { from, to }) => Fields::of_url(from, to),
            Change::Provisioned(Diff::Update { from, to }) => Fields::of_provisioned(*from, *to),
            _ => Vec::new(),
        }
    }
}

impl Stack {
    /// The stack once `change` is carried out: the model of a cloud.
    pub fn after(mut self, change: &Change) -> Stack {
        match change {
            Change::LogGroup(diff) => self.log_group = diff.target().cloned(),
            Change::Role(diff) => self.role = diff.target().cloned(),
            Change::Function(diff) => self.function = diff.target().cloned(),
            Change::Release(diff) => self.live = diff.target().cloned(),
            Change::Url(diff) => self.url = diff.target().cloned(),
            Change::Provisioned(diff) => self.provisioned = diff.target().copied(),
            Change::Permission(Diff::Delete(permission)) => {
                self.permissions.remove(permission);
            }
            Change::Permission(diff) => self.permissions.extend(diff.target()),
        }
        self
    }
}
