//! One step of a plan, and its effect on the stack.

use super::diff::{Action, Diff, Part};
use crate::stack::{
    Address, Field, Fields, Function, FunctionUrl, Live, LogGroup, Names, Noun, Owner, Permission, Provisioned, Role,
    Stack,
};
use std::collections::BTreeMap;

/// What AWS chose for resources, such as the address of a URL.
pub type Assigned = BTreeMap<ResourceKind, String>;

/// A resource that is not ours although a plan would change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignResource {
    pub kind: ResourceKind,
    /// The resource's name on AWS.
    pub name: String,
}

/// Declares the changes, one row each.
macro_rules! changes {
    ($($(#[$about:meta])* $kind:ident($noun:ty) in $part:ident, ranks: $create:literal $update:literal $delete:literal;)+) => {
        /// One write, or a few writes that belong together. Every change may be carried out twice.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(clippy::large_enum_variant, reason = "a plan has a handful of changes")]
        pub enum Change {
            $($(#[$about])* $kind(Diff<$noun>),)+
        }

        /// The kind of resource that a change is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ResourceKind {
            $($kind,)+
        }

        impl ResourceKind {
            /// The kind's name in our JSON and in plans.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(ResourceKind::$kind => <$noun>::KIND,)+
                }
            }

            /// The kind's name in a sentence.
            pub fn in_words(self) -> &'static str {
                match self {
                    $(ResourceKind::$kind => <$noun>::IN_WORDS,)+
                }
            }

            /// The kind whose tags determine the owner.
            pub(super) fn owner(self) -> ResourceKind {
                let has_tags = match self {
                    $(ResourceKind::$kind => <$noun>::TAGS.is_some(),)+
                };
                if has_tags { self } else { ResourceKind::Function }
            }
        }

        impl Change {
            pub fn kind(&self) -> ResourceKind {
                match self {
                    $(Change::$kind(_) => ResourceKind::$kind,)+
                }
            }

            pub fn action(&self) -> Action {
                match self {
                    $(Change::$kind(diff) => diff.action(),)+
                }
            }

            /// The name on AWS of the resource that changes.
            pub fn name(&self, names: &Names) -> String {
                match self {
                    $(Change::$kind(diff) => diff.noun().name(names),)+
                }
            }

            /// The fields that differ, named as in the manifest; empty if the resource is created or deleted.
            pub fn fields(&self) -> Vec<Field> {
                let mut fields = Fields::default();
                match self {
                    $(Change::$kind(Diff::Update { from, to }) => from.compare(to, &mut fields),)+
                    _ => {}
                }
                fields.into()
            }

            /// Changes are carried out by rank, the lowest first.
            pub(super) fn rank(&self) -> u8 {
                match self {
                    $(Change::$kind(diff) => match diff.action() {
                        Action::Create => $create,
                        Action::Update => $update,
                        Action::Delete => $delete,
                    },)+
                }
            }

            /// All differences, in the order of the rows.
            pub(super) fn between(current: &Stack, target: &Stack) -> Vec<Change> {
                let mut changes = Vec::new();
                $(changes.extend(current.$part.differences(&target.$part).into_iter().map(Change::$kind));)+
                changes
            }
        }

        impl Stack {
            /// The stack after `change` is carried out, as the model of a cloud.
            pub fn after(mut self, change: &Change) -> Stack {
                match change {
                    $(Change::$kind(diff) => self.$part.put(diff),)+
                }
                self
            }

            /// Where people reach the function, in the order of the rows: a later address leads to an earlier one. What
            /// AWS has not chosen anything for does not exist yet, and has no address.
            pub fn addresses(&self, assigned: &Assigned) -> Vec<Address> {
                let mut addresses = Vec::new();
                $(if let Some(chosen) = assigned.get(&ResourceKind::$kind) {
                    addresses.extend(self.$part.iter().filter_map(|noun| noun.address(chosen)));
                })+
                addresses
            }

            /// The resources that have tags, but not ours.
            pub(super) fn foreign(&self) -> Vec<ForeignResource> {
                let mut foreign = Vec::new();
                $(
                    let theirs = self.$part.iter().filter(|noun| noun.owner(&self.names) == Some(Owner::Foreign));
                    foreign.extend(theirs.map(|noun| ForeignResource { kind: ResourceKind::$kind, name: noun.name(&self.names) }));
                )+
                foreign
            }
        }
    };
}

// Each row has the ranks of creating, updating and deleting. Changes of rank 0 need no code. Changes of rank
// `NEEDED_NO_MORE` and above only remove something.
changes! {
    LogGroup(LogGroup) in log_group, ranks: 0 0 11;
    Role(Role) in role, ranks: 0 0 10;
    Function(Function) in function, ranks: 1 1 9;
    /// Publishes a version, tries it, and moves `live`, or part of its traffic, to it.
    Release(Live) in live, ranks: 2 4 8;
    Url(FunctionUrl) in url, ranks: 5 5 6;
    Provisioned(Provisioned) in provisioned, ranks: 5 5 6;
    /// Adds or removes a statement. AWS has no call that changes one.
    Permission(Permission) in permissions, ranks: 3 3 7;
}

/// From this rank on, a change only removes something.
pub(super) const NEEDED_NO_MORE: u8 = 6;
