//! All keys of the manifest: one table for the parser, docs/manifest.md and docs/deploy.schema.json.
//!
//! The parser takes the known keys, their ranges, words and defaults from it. Further rules are where a key is read.

mod check;
mod function;
mod outside;
mod root;

pub use check::CHECK;

pub use root::ROOT;

use std::ops::RangeInclusive;

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub value: Value,
    pub absent: Absent,
    /// Its description in Markdown; `{}` stands for the range or the words of its value.
    pub about: &'static str,
}

/// The values that a key accepts.
#[derive(Debug)]
pub enum Value {
    Text,
    /// A whole number; the unit may be empty.
    Number(RangeInclusive<u32>, &'static str),
    /// An array of whole numbers; the unit may be empty.
    Numbers(RangeInclusive<u32>, &'static str),
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
    /// A table, or an array of tables.
    TableOrTables(Keys),
    /// Tables whose names the user chooses.
    Named(Keys),
    /// Strings whose names the user chooses.
    Pairs,
    /// The same, where a table instead of a string names the value's source.
    Values(Keys),
    /// Nested tables, such as IAM's conditions.
    Conditions,
    /// Everything that the manifest itself accepts.
    Stages,
}

/// What applies if a key is missing.
#[derive(Debug)]
pub enum Absent {
    /// The key is required.
    Required,
    /// The value as the manifest would spell it, but without quotes.
    Default(&'static str),
    /// In words.
    Means(&'static str),
}

/// The keys of one table, grouped as in docs/manifest.md.
pub type Keys = &'static [Group];

/// Keys that the documentation lists together.
#[derive(Debug)]
pub struct Group {
    /// Their heading in docs/manifest.md.
    pub heading: &'static str,
    /// The prefix of their names there.
    pub prefix: &'static str,
    pub keys: &'static [Key],
}

/// The names of all keys, in the order of the documentation.
pub(super) fn names(keys: Keys) -> Vec<&'static str> {
    keys.iter().flat_map(|group| group.keys).map(|key| key.name).collect()
}

/// Whether some table has a key of this name whose value is a number or a switch.
pub(super) fn is_plain(name: &str) -> bool {
    let mut open = vec![ROOT];
    while let Some(keys) = open.pop() {
        for key in keys.iter().flat_map(|group| group.keys) {
            if key.name == name && matches!(key.value, Value::Number(..) | Value::Switch | Value::NumberOrText(_)) {
                return true;
            }
            open.push(key.value.keys());
        }
    }
    false
}

impl Key {
    /// A value as Markdown.
    pub fn code(&self, value: &str) -> String {
        match &self.value {
            Value::Number(..) | Value::NumberOrText(..) => value.to_owned(),
            Value::Switch => format!("`{value}`"),
            _ => format!("`\"{value}\"`"),
        }
    }

    /// Its description in Markdown, with its range or words.
    pub fn described(&self) -> String {
        let value = match &self.value {
            Value::Number(range, "") => format!("{} to {}", range.start(), range.end()),
            Value::Number(range, unit) | Value::Numbers(range, unit) => {
                format!("{} to {} {unit}", range.start(), range.end())
            }
            Value::Word(words) => words.iter().map(|word| self.code(word)).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        self.about.replace("{}", &value)
    }
}

impl Value {
    /// The keys of the value's table or tables.
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
    /// Names that the user chooses. The keys are those of each named table; empty means that nested tables are the
    /// same.
    Free(Keys),
}

impl Shape {
    pub(super) fn of(value: &Value) -> Shape {
        match value {
            Value::Table(_) | Value::Tables(_) | Value::TableOrTables(_) => Shape::Known(value.keys()),
            _ => Shape::Free(value.keys()),
        }
    }

    /// The keys of a table whose name the user chooses.
    pub(super) fn of_named(self) -> Shape {
        match self {
            Shape::Free(keys) if !keys.is_empty() => Shape::Known(keys),
            _ => Shape::Free(&[]),
        }
    }

    /// The key of this name.
    pub(super) fn find(self, name: &str) -> Option<&'static Key> {
        match self {
            Shape::Known(keys) => keys.iter().flat_map(|group| group.keys).find(|key| key.name == name),
            Shape::Free(_) => None,
        }
    }
}

const fn key(name: &'static str, value: Value, absent: Absent, about: &'static str) -> Key {
    Key { name, value, absent, about }
}
