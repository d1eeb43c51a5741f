//! The manifest in the making: keys with their comments, and what is left over.

use super::node::Node;
use super::rules::Rules;
use super::template::Template;
use std::fmt;
use std::ops::RangeInclusive;
use toml::{Table, Value};

/// Something that the manifest has no word for, or that cannot be known here. Its texts are the template's: whoever prints
/// one makes it printable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    pub file: String,
    pub line: usize,
    /// Where it stands in the file, such as `Resources.Chat.Events`.
    pub path: String,
    pub what: String,
    pub advice: String,
}

/// One thing that stands in a table of the manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub table: Vec<String>,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A key; one that is switched off is a comment that may be switched on.
    Key {
        name: String,
        value: Value,
        on: bool,
    },
    /// A table in an array of tables.
    Part {
        name: String,
        value: Table,
        on: bool,
    },
    Comment(String),
    /// A comment about something that is left over.
    Left(LeftOver),
}

/// What is said of most of what the manifest has no word for.
pub const NO_WORD: &str = "lamstream has no word for it";
pub const STILL_NEEDED: &str = "see whether it is still needed";

#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub items: Vec<Item>,
}

impl Draft {
    pub fn left(&self) -> impl Iterator<Item = &LeftOver> {
        self.items.iter().filter_map(|item| if let Said::Left(left) = &item.said { Some(left) } else { None })
    }
}

/// Where keys go: a table of the manifest, for a place in the template.
pub struct Page<'a> {
    pub draft: &'a mut Draft,
    pub template: &'a Template,
    pub rules: &'a dyn Rules,
    pub table: Vec<String>,
    /// Where the values come from, such as `Resources.Chat.Properties`.
    pub path: String,
}

impl Page<'_> {
    /// The page of a table within this one.
    pub fn within(&mut self, table: &str, path: &str) -> Page<'_> {
        let mut inner = self.table.clone();
        inner.push(table.to_owned());
        let path = format!("{}.{path}", self.path);
        Page { draft: self.draft, template: self.template, rules: self.rules, table: inner, path }
    }

    fn say(&mut self, said: Said) {
        self.draft.items.push(Item { table: self.table.clone(), said });
    }

    pub fn key(&mut self, name: &str, value: impl Into<Value>) {
        self.say(Said::Key { name: name.to_owned(), value: value.into(), on: true });
    }

    /// A key that is not in force, because something in it is not known.
    pub fn key_off(&mut self, name: &str, value: impl Into<Value>) {
        self.say(Said::Key { name: name.to_owned(), value: value.into(), on: false });
    }

    pub fn part(&mut self, name: &str, value: Table, on: bool) {
        self.say(Said::Part { name: name.to_owned(), value, on });
    }

    pub fn comment(&mut self, text: impl Into<String>) {
        self.say(Said::Comment(text.into()));
    }

    /// Lists what is left over, and says so at this place of the manifest.
    pub fn left(&mut self, node: &Node, property: &str, what: impl Into<String>, advice: impl Into<String>) {
        let beside = property == "Condition" || property.starts_with("Metadata");
        let base = if beside { self.path.trim_end_matches(".Properties") } else { &self.path };
        let path = if property.is_empty() { base.to_owned() } else { format!("{base}.{property}") };
        let left = LeftOver {
            file: self.template.file.clone(),
            line: node.line,
            path: path.trim_start_matches('.').to_owned(),
            what: what.into(),
            advice: advice.into(),
        };
        self.say(Said::Left(left));
    }

    /// Lists a value that is not known.
    pub fn left_open(&mut self, node: &Node, property: &str) {
        let (what, advice) = self.template.unknown(&node.open());
        self.left(node, property, what, advice);
    }

    /// The entries of a map; anything else is left over, for the reason that it has.
    pub fn map<'n>(&mut self, node: &'n Node, property: &str) -> Option<&'n [(String, Node)]> {
        if node.is_map() {
            return Some(node.entries());
        }
        self.left_but(node, property, "a map");
        None
    }

    /// A map that has these keys alone: each other one is left over.
    pub fn fields<'n>(&mut self, node: &'n Node, property: &str, known: &[&str]) -> Option<&'n Node> {
        for (name, other) in self.map(node, property)?.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let path = if property.is_empty() { name.clone() } else { format!("{property}.{name}") };
            self.left(other, &path, NO_WORD, STILL_NEEDED);
        }
        Some(node)
    }

    /// Lists what is not of the kind that stands here.
    fn left_but(&mut self, node: &Node, property: &str, expected: &str) {
        if node.is_null() {
            self.left(node, property, "it has no value", "write one here, or see that it is needed no more");
        } else if node.is_map() || node.open().is_empty() {
            let what = format!("it is {}, expected {expected}", node.kind());
            self.left(node, property, what, "see what the template means, and write it here");
        } else {
            self.left_open(node, property);
        }
    }

    /// A text that is known, or it is left over.
    pub fn text(&mut self, node: &Node, property: &str) -> Option<String> {
        if !node.open().is_empty() {
            self.left_open(node, property);
            return None;
        }
        let text = node.text().map(str::to_owned);
        if text.is_none() {
            self.left_but(node, property, "a text");
        }
        text
    }

    /// Texts that are all known, or they are left over.
    pub fn texts(&mut self, node: &Node, property: &str) -> Option<Vec<String>> {
        node.each().into_iter().map(|item| self.text(item, property)).collect()
    }

    pub fn truth(&mut self, node: &Node, property: &str) -> Option<bool> {
        let text = self.text(node, property)?;
        let truth = node.truth();
        if truth.is_none() {
            self.left(node, property, format!("it is `{text}`, and no truth"), "write `true` or `false` here");
        }
        truth
    }

    pub fn number(&mut self, node: &Node, property: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let text = self.text(node, property)?;
        let number = text.trim().parse::<i64>().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let what = format!("it is `{text}`, and AWS takes {} to {}", range.start(), range.end());
            self.left(node, property, what, "write a number that AWS takes");
        }
        number
    }

    /// Writes a number under a key.
    pub fn number_key(&mut self, key: &str, node: Option<&Node>, property: &str, range: RangeInclusive<i64>) {
        if let Some(number) = node.and_then(|node| self.number(node, property, range)) {
            self.key(key, number);
        }
    }

    /// Writes one of a few words under a key.
    pub fn word_key(&mut self, key: &str, node: Option<&Node>, property: &str, words: &[(&str, &str)]) -> bool {
        let Some(node) = node else { return false };
        let Some(text) = self.text(node, property) else { return false };
        match words.iter().find(|(known, _)| *known == text) {
            Some((_, word)) => self.key(key, *word),
            None => {
                let known = words.iter().map(|(known, _)| format!("`{known}`")).collect::<Vec<_>>().join(", ");
                self.left(node, property, format!("it is `{text}`, expected one of {known}"), "write the one you mean");
                return false;
            }
        }
        true
    }
}

impl fmt::Display for LeftOver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}: {}; {}", self.file, self.line, self.path, self.what, self.advice)
    }
}
