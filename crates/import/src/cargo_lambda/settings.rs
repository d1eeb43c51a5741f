//! The settings of one function, from all places in which cargo-lambda looks for them.

use crate::draft::LeftOver;
use std::collections::BTreeMap;
use toml::Value;
use toml_edit::{Document, Item, TableLike};

/// Other names of the same key, which cargo-lambda accepts.
const ALIASES: [(&str, &str, &str); 5] = [
    ("deploy", "tags", "tag"),
    ("deploy", "layers", "layer"),
    ("deploy", "iam_role", "role"),
    ("deploy", "env", "env_var"),
    ("build", "env", "env_var"),
];
/// Tables whose keys are settings of their own. cargo-lambda's guide writes the keys of the first as a table.
const NESTED: [&str; 2] = ["remote_config", "vpc"];

/// One key, with its place.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) file: String,
    pub(crate) line: usize,
    /// As in the file, such as `package.metadata.lambda.deploy.memory`.
    pub(crate) path: String,
    pub(crate) value: Value,
}

/// A file, and where its settings are.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    pub(crate) document: &'a Document<String>,
}

/// Settings by table and key. A later place replaces the setting of an earlier one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(BTreeMap<(String, String), Setting>);

impl Settings {
    /// Adds the settings of a table, such as that at `package.metadata.lambda`; none if it does not exist. Its key `bin`
    /// has the settings of single binaries.
    pub(crate) fn add(&mut self, source: &Source<'_>, path: &[&str]) {
        let Some(table) = find(source.document, path) else { return };
        for (section, _) in table.iter().filter(|(section, _)| *section != "bin") {
            self.add_section(source, &[path, &[section]].concat());
        }
    }

    /// Adds the settings of one section, such as that at `package.metadata.lambda.deploy`.
    pub(crate) fn add_section(&mut self, source: &Source<'_>, path: &[&str]) {
        let Some((section, above)) = path.split_last() else { return };
        let Some(parent) = find(source.document, above) else { return };
        let inner = parent.get(section).and_then(Item::as_table_like);
        let Some(inner) = inner.filter(|_| ["env", "build", "deploy"].contains(section)) else {
            return self.put(source, (section, ""), path, parent);
        };
        for (key, item) in inner.iter() {
            let path = [path, &[key]].concat();
            match item.as_table_like().filter(|_| *section == "deploy" && NESTED.contains(&key)) {
                Some(nested) => nested.iter().for_each(|(name, _)| {
                    let full = if key == "vpc" { format!("vpc.{name}") } else { name.to_owned() };
                    self.put(source, (section, &full), &[&path[..], &[name]].concat(), nested);
                }),
                None => self.put(source, (section, key), &path, inner),
            }
        }
    }

    /// Puts the last key of a path, which is in `table`.
    fn put(&mut self, source: &Source<'_>, (section, key): (&str, &str), path: &[&str], table: &dyn TableLike) {
        let Some((name, item)) = path.last().and_then(|last| table.get_key_value(last)) else { return };
        let Some(value) = value(item) else { return };
        let line = name.span().or_else(|| item.span()).map_or(1, |place| line(source.text, place.start));
        let setting = Setting { file: source.file.to_owned(), line, path: path.join("."), value };
        let alias = ALIASES.iter().find(|(of, other, _)| (*of, *other) == (section, key));
        let key = alias.map_or(key, |(.., key)| *key);
        self.0.insert((section.to_owned(), key.to_owned()), setting);
    }

    /// Takes a setting, so that only those remain that nothing has a use for.
    pub(crate) fn take(&mut self, section: &str, key: &str) -> Option<Setting> {
        self.0.remove(&(section.to_owned(), key.to_owned()))
    }

    /// Takes all settings of a table, by key.
    pub(crate) fn take_all(&mut self, section: &str) -> Vec<(String, Setting)> {
        self.0.extract_if(.., |(of, _), _| of == section).map(|((_, key), setting)| (key, setting)).collect()
    }

    /// Those that nothing has taken.
    pub(crate) fn rest(self) -> impl Iterator<Item = Setting> {
        self.0.into_values()
    }
}

impl Setting {
    pub(crate) fn left(&self, what: impl Into<String>, advice: impl Into<String>, blocks: bool) -> LeftOver {
        LeftOver {
            file: self.file.clone(),
            line: self.line,
            path: self.path.clone(),
            what: what.into(),
            advice: advice.into(),
            blocks,
        }
    }

    /// A string, or a number or a boolean as one.
    pub(crate) fn text(&self) -> Option<String> {
        text(&self.value)
    }

    pub(crate) fn is_true(&self) -> bool {
        self.value.as_bool() == Some(true)
    }

    /// The strings of a list, or the only one.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        match &self.value {
            Value::Array(items) => items.iter().map(text).collect(),
            other => text(other).map(|text| vec![text]),
        }
    }

    /// Names and values: of a table, or of a list of `NAME=VALUE`.
    pub(crate) fn pairs(&self) -> Option<Vec<(String, String)>> {
        match &self.value {
            Value::Table(table) => table.iter().map(|(name, value)| Some((name.clone(), text(value)?))).collect(),
            Value::Array(items) => {
                let pair = |item: &Value| {
                    let (name, value) = item.as_str()?.split_once('=')?;
                    Some((name.trim().to_owned(), value.trim().to_owned()))
                };
                items.iter().map(pair).collect()
            }
            _ => None,
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The table at a path.
pub(crate) fn find<'d>(document: &'d Document<String>, path: &[&str]) -> Option<&'d dyn TableLike> {
    let root: &dyn TableLike = document.as_table();
    path.iter().try_fold(root, |table, key| table.get(key)?.as_table_like())
}

pub(crate) fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn value(item: &Item) -> Option<Value> {
    match item {
        Item::None => None,
        Item::Value(found) => Some(of_value(found)),
        Item::Table(table) => Some(Value::Table(of_table(table))),
        Item::ArrayOfTables(tables) => {
            Some(Value::Array(tables.iter().map(|table| Value::Table(of_table(table))).collect()))
        }
    }
}

fn of_table(table: &dyn TableLike) -> toml::Table {
    table.iter().filter_map(|(key, item)| Some((key.to_owned(), value(item)?))).collect()
}

fn of_value(found: &toml_edit::Value) -> Value {
    match found {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::Integer(*number.value()),
        toml_edit::Value::Float(number) => Value::Float(*number.value()),
        toml_edit::Value::Boolean(boolean) => Value::Boolean(*boolean.value()),
        toml_edit::Value::Datetime(time) => Value::Datetime(*time.value()),
        toml_edit::Value::Array(items) => Value::Array(items.iter().map(of_value).collect()),
        toml_edit::Value::InlineTable(table) => Value::Table(of_table(table)),
    }
}
