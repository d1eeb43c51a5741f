//! Fills one table of the manifest from the settings of cargo-lambda.

use super::settings::Setting;
use crate::draft::{Draft, Entry, LeftOver};
use crate::input::Options;
use std::ops::RangeInclusive;
use toml::Value;

pub(crate) struct Writer<'a> {
    pub(crate) draft: &'a mut Draft,
    pub(crate) options: &'a Options<'a>,
    /// The keys that lead to the table.
    pub(crate) table: Vec<String>,
}

impl Writer<'_> {
    pub(crate) fn within(&mut self, table: &str) -> Writer<'_> {
        let table = [&self.table[..], &[table.to_owned()]].concat();
        Writer { draft: self.draft, options: self.options, table }
    }

    pub(crate) fn key(&mut self, name: &str, value: impl Into<Value>) {
        self.draft.push(&self.table, Entry::Key { name: name.to_owned(), value: value.into(), enabled: true });
    }

    /// Writes a key as a comment, for a setting that you may want.
    pub(crate) fn disabled_key(&mut self, name: &str, value: impl Into<Value>) {
        self.draft.push(&self.table, Entry::Key { name: name.to_owned(), value: value.into(), enabled: false });
    }

    pub(crate) fn comment(&mut self, text: impl Into<String>) {
        self.draft.push(&self.table, Entry::Comment(text.into()));
    }

    pub(crate) fn left(&mut self, left: LeftOver) {
        self.draft.push(&self.table, Entry::LeftOver(left));
    }

    /// Writes a key at the top level. A function that wants another value than the others is reported.
    pub(crate) fn shared_key(&mut self, name: &str, setting: &Setting, value: String) {
        let known = self.draft.items.iter().find_map(|item| match &item.entry {
            Entry::Key { name: known, value, .. } if item.table.is_empty() && known == name => Some(value.clone()),
            _ => None,
        });
        match known {
            None => {
                self.draft.push(&[], Entry::Key { name: name.to_owned(), value: value.into(), enabled: true });
            }
            Some(known) if known.as_str() == Some(value.as_str()) => {}
            Some(_) => {
                let what = format!("`{name}` is the same for all functions of a manifest");
                self.left(setting.left(what, "put the function into a manifest of its own", true));
            }
        }
    }

    pub(crate) fn number_key(&mut self, key: &str, setting: Option<Setting>, range: RangeInclusive<i64>) {
        let Some(setting) = setting else { return };
        match setting.value.as_integer().filter(|number| range.contains(number)) {
            Some(number) => self.key(key, number),
            None => {
                let what = format!("expected a number from {} to {}", range.start(), range.end());
                self.left(setting.left(what, format!("set `{key}` to a number in that range"), true));
            }
        }
    }

    pub(crate) fn text_key(&mut self, key: &str, setting: Option<Setting>) {
        let Some(setting) = setting else { return };
        match setting.text() {
            Some(text) => self.key(key, text),
            None => self.unexpected(&setting, "a string"),
        }
    }

    pub(crate) fn texts_key(&mut self, key: &str, setting: Option<Setting>) {
        let Some(setting) = setting else { return };
        match setting.texts() {
            Some(texts) if texts.is_empty() => {}
            Some(texts) => self.key(key, texts),
            None => self.unexpected(&setting, "a list of strings"),
        }
    }

    pub(crate) fn unexpected(&mut self, setting: &Setting, expected: &str) {
        self.left(setting.left(format!("expected {expected}"), "check what is meant, and set it here", true));
    }
}
