//! Fills one table of the manifest from one place of the template.

use super::draft::{Draft, Entry, LeftOver, STILL_NEEDED, UNSUPPORTED};
use super::input::Options;
use super::node::Node;
use super::resolve::Resolver;
use std::ops::RangeInclusive;
use std::path::Path;
use toml::{Table, Value};

pub(crate) struct Writer<'a> {
    pub draft: &'a mut Draft,
    pub values: &'a Resolver<'a>,
    pub options: &'a Options<'a>,
    /// The keys that lead to the table.
    pub table: Vec<String>,
    /// Where the values come from, such as `Resources.Chat.Properties`.
    pub path: String,
    /// Whether the function works without the values of this table, such as its tags.
    pub is_optional: bool,
}

impl Writer<'_> {
    /// The writer of a table within this one, for a place within this one's.
    pub(crate) fn within(&mut self, table: &str, path: &str) -> Writer<'_> {
        let path = format!("{}.{path}", self.path);
        let table = [&self.table[..], &[table.to_owned()]].concat();
        let is_optional = self.is_optional;
        Writer { draft: self.draft, values: self.values, options: self.options, table, path, is_optional }
    }

    /// A path that is relative to the template, relative to the manifest.
    pub(crate) fn path_to(&self, path: &str) -> String {
        let path = path.trim_start_matches("./");
        let whole = Path::new(self.options.template_directory).join(path).to_string_lossy().into_owned();
        let whole = whole.trim_end_matches("/.").trim_end_matches('/');
        if whole.is_empty() { ".".to_owned() } else { whole.to_owned() }
    }

    /// Reports something that is left over in another file than the template.
    pub(crate) fn push_left(&mut self, left: LeftOver) {
        self.push(Entry::LeftOver(left));
    }

    pub(crate) fn key(&mut self, name: &str, value: impl Into<Value>) {
        self.push(Entry::Key { name: name.to_owned(), value: value.into(), enabled: true });
    }

    /// Writes a key as a comment, because something in its value is not known.
    pub(crate) fn disabled_key(&mut self, name: &str, value: impl Into<Value>) {
        self.push(Entry::Key { name: name.to_owned(), value: value.into(), enabled: false });
    }

    pub(crate) fn element(&mut self, name: &str, value: Table, enabled: bool) {
        self.push(Entry::Element { name: name.to_owned(), value, enabled });
    }

    pub(crate) fn comment(&mut self, text: impl Into<String>) {
        self.push(Entry::Comment(text.into()));
    }

    fn push(&mut self, entry: Entry) {
        self.draft.push(&self.table, entry);
    }

    /// Reports something that is left over and does not block a deploy, at this place of the manifest.
    pub(crate) fn left(&mut self, node: &Node, property: &str, what: impl Into<String>, advice: impl Into<String>) {
        self.report(node, property, (what.into(), advice.into()), false);
    }

    /// Reports something that is left over and blocks a deploy, unless the table is optional.
    pub(crate) fn block(&mut self, node: &Node, property: &str, what: impl Into<String>, advice: impl Into<String>) {
        self.report(node, property, (what.into(), advice.into()), !self.is_optional);
    }

    fn report(&mut self, node: &Node, property: &str, (what, advice): (String, String), blocks: bool) {
        let is_beside = property == "Condition" || property.starts_with("Metadata");
        let base = if is_beside { self.path.trim_end_matches(".Properties") } else { &self.path };
        let path = if property.is_empty() { base.to_owned() } else { format!("{base}.{property}") };
        self.push(Entry::LeftOver(LeftOver {
            file: self.values.template.file.clone(),
            line: node.line,
            path: path.trim_start_matches('.').to_owned(),
            what,
            advice,
            blocks,
        }));
    }

    /// Reports a value that is not known.
    pub(crate) fn left_unknown(&mut self, node: &Node, property: &str) {
        let (what, advice) = self.values.why_unknown(&node.unknown());
        self.block(node, property, what, advice);
    }

    /// Reports a value of another kind than the expected one.
    fn left_unexpected(&mut self, node: &Node, property: &str, expected: &str) {
        if node.is_null() {
            self.block(node, property, "has no value", "set it here, or leave it out");
        } else if node.is_map() || node.unknown().is_empty() {
            let what = format!("is {}, expected {expected}", node.kind());
            self.block(node, property, what, "check what the template means, and set it here");
        } else {
            self.left_unknown(node, property);
        }
    }

    /// The entries of a map; anything else is reported.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, property: &str) -> Option<&'n [(String, Node)]> {
        if node.is_map() {
            return Some(node.entries());
        }
        self.left_unexpected(node, property, "a map");
        None
    }

    /// A map that has only these keys; any other is reported.
    pub(crate) fn fields<'n>(&mut self, node: &'n Node, property: &str, known: &[&str]) -> Option<&'n Node> {
        for (name, other) in self.map(node, property)?.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let path = if property.is_empty() { name.clone() } else { format!("{property}.{name}") };
            self.left(other, &path, UNSUPPORTED, STILL_NEEDED);
        }
        Some(node)
    }

    /// A text that is known; anything else is reported.
    pub(crate) fn text(&mut self, node: &Node, property: &str) -> Option<String> {
        if !node.unknown().is_empty() {
            self.left_unknown(node, property);
            return None;
        }
        let text = node.text().map(str::to_owned);
        if text.is_none() {
            self.left_unexpected(node, property, "a string");
        }
        text
    }

    /// Texts that are all known; the first that is not is reported.
    pub(crate) fn texts(&mut self, node: &Node, property: &str) -> Option<Vec<String>> {
        node.each().into_iter().map(|item| self.text(item, property)).collect()
    }

    pub(crate) fn boolean(&mut self, node: &Node, property: &str) -> Option<bool> {
        let text = self.text(node, property)?;
        let boolean = node.boolean();
        if boolean.is_none() {
            self.block(node, property, format!("is `{text}`, expected `true` or `false`"), "set the one you mean");
        }
        boolean
    }

    pub(crate) fn number(&mut self, node: &Node, property: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let text = self.text(node, property)?;
        let number = text.trim().parse::<i64>().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let what = format!("is `{text}`, expected a number from {} to {}", range.start(), range.end());
            self.block(node, property, what, "set a number in that range");
        }
        number
    }

    /// Writes a number under a key.
    pub(crate) fn number_key(&mut self, key: &str, node: Option<&Node>, property: &str, range: RangeInclusive<i64>) {
        if let Some(number) = node.and_then(|node| self.number(node, property, range)) {
            self.key(key, number);
        }
    }

    /// Writes one of a few words under a key, and returns whether it was one of them.
    pub(crate) fn word_key(&mut self, key: &str, node: Option<&Node>, property: &str, words: &[(&str, &str)]) -> bool {
        let Some(node) = node else { return false };
        let Some(text) = self.text(node, property) else { return false };
        let word = words.iter().find(|(known, _)| *known == text);
        match word {
            Some((_, word)) => self.key(key, *word),
            None => {
                let known = words.iter().map(|(known, _)| format!("`{known}`")).collect::<Vec<_>>().join(", ");
                self.block(node, property, format!("is `{text}`, expected one of {known}"), "set the one you mean");
            }
        }
        word.is_some()
    }
}
