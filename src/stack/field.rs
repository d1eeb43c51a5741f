//! The differences between two things, named as in the manifest.

use std::fmt::Display;

/// A key whose value changes. Values that may be secret or do not fit on one line are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// The old and the new value, if they may be shown.
    pub values: Option<(String, String)>,
}

/// Collects the fields that differ.
#[derive(Debug, Default)]
pub struct Fields(Vec<Field>);

impl Fields {
    pub(super) fn shown<T: PartialEq + Display>(&mut self, name: &str, from: &T, to: &T) {
        if from != to {
            self.0.push(Field { name: name.to_owned(), values: Some((from.to_string(), to.to_string())) });
        }
    }

    pub(super) fn hidden<T: PartialEq>(&mut self, name: &str, from: &T, to: &T) {
        if from != to {
            self.0.push(Field { name: name.to_owned(), values: None });
        }
    }
}

impl From<Fields> for Vec<Field> {
    fn from(fields: Fields) -> Vec<Field> {
        fields.0
    }
}

pub(super) fn optional(value: &Option<impl Display>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

pub(super) fn list<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
    format!("[{}]", values.join(", "))
}
