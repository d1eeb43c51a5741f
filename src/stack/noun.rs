//! The interface through which a plan uses each thing in a stack.

use super::address::Address;
use super::field::Fields;
use super::name::Names;
use super::owner::Owner;
use super::tags::Tags;

/// A thing on AWS that a plan creates, updates or deletes.
pub trait Noun: Clone + PartialEq {
    /// The kind's name in plans and in our JSON.
    const KIND: &'static str;
    /// The kind's name in a sentence.
    const IN_WORDS: &'static str = Self::KIND;
    /// The tags that determine the owner. A thing without tags belongs to its function.
    const TAGS: Option<fn(&Self) -> &Tags> = None;

    /// Its owner; `None` for a thing without tags.
    fn owner(&self, names: &Names) -> Option<Owner> {
        Self::TAGS.map(|tags| tags(self).owner(names))
    }

    /// Its name on AWS.
    fn name(&self, names: &Names) -> String;

    /// Where people reach the function through it. `assigned` is what AWS chose for it, such as the address of a URL.
    fn address(&self, _assigned: &str) -> Option<Address> {
        None
    }

    /// Adds the fields that differ in `to`, named as in the manifest.
    fn compare(&self, to: &Self, fields: &mut Fields);
}
