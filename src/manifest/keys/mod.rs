//! Every key that a manifest may have: one table for the parser, for docs/manifest.md and for docs/deploy.schema.json.
//!
//! The parser takes from it which keys are known, ranges, words and defaults; what else has to hold is said where a key
//! is read.

mod function;
mod root;

pub use root::ROOT;

use std::ops::RangeInclusive;

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub value: Value,
    pub absent: Absent,
    /// What it is, in Markdown; `{}` stands for the range or the words of its value.
    pub about: &'static str,
}

/// What may be written for a key.
#[derive(Debug)]
pub enum Value {
    Text,
    /// A whole number; the unit may be empty.
    Number(RangeInclusive<u32>, &'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    Switch,
    /// An array of strings.
    Texts,
    /// A number, or a string.
    NumberOrText(RangeInclusive<u32>),
    Table(Keys),
    /// An array of tables.
    Tables(Keys),
    /// One table, or an array of them.
    TableOrTables(Keys),
    /// Tables under names of the user's choice.
    Named(Keys),
    /// Strings under names of the user's choice.
    Pairs,
    /// The same, where a table instead of a string says where the value comes from.
    Values(Keys),
    /// Tables of tables, as IAM has conditions.
    Conditions,
    /// Whatever the manifest itself may have.
    Stages,
}

/// What counts where a key is not written.
#[derive(Debug)]
pub enum Absent {
    /// It has to be there.
    Required,
    /// The value, as the manifest would spell it, but without quotes.
    Default(&'static str),
    /// In words.
    Means(&'static str),
}

/// The keys of one table, in groups as docs/manifest.md shows them.
pub type Keys = &'static [Group];

/// Keys that the documentation shows together.
#[derive(Debug)]
pub struct Group {
    /// The heading in docs/manifest.md below which they stand.
    pub heading: &'static str,
    /// The prefix of their names there.
    pub prefix: &'static str,
    pub keys: &'static [Key],
}

/// The names of all keys, in the order of the documentation.
pub(super) fn names(keys: Keys) -> Vec<&'static str> {
    keys.iter().flat_map(|group| group.keys).map(|key| key.name).collect()
}

impl Value {
    /// The keys of the table that it is, or that each of its tables is.
    pub fn keys(&self) -> Keys {
        match self {
            Value::Table(keys)
            | Value::Tables(keys)
            | Value::TableOrTables(keys)
            | Value::Named(keys)
            | Value::Values(keys) => keys,
            _ => &[],
        }
    }
}

/// Which keys a table has.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Known(Keys),
    /// Names of the user's choice. The keys are those of the table that each may be; without any the same holds there.
    Free(Keys),
}

impl Shape {
    pub fn of(value: &Value) -> Shape {
        match value {
            Value::Table(_) | Value::Tables(_) | Value::TableOrTables(_) => Shape::Known(value.keys()),
            _ => Shape::Free(value.keys()),
        }
    }

    /// The keys of a table that stands under a name of the user's choice.
    pub fn of_named(self) -> Shape {
        match self {
            Shape::Free(keys) if !keys.is_empty() => Shape::Known(keys),
            _ => Shape::Free(&[]),
        }
    }

    /// The key of this name.
    pub fn find(self, name: &str) -> Option<&'static Key> {
        match self {
            Shape::Known(keys) => keys.iter().flat_map(|group| group.keys).find(|key| key.name == name),
            Shape::Free(_) => None,
        }
    }
}

const fn key(name: &'static str, value: Value, absent: Absent, about: &'static str) -> Key {
    Key { name, value, absent, about }
}
