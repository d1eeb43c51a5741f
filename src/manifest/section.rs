//! A cursor over one table of the manifest: it reads keys by their type and remembers which it was asked for.

use super::problem::Problem;
use super::secrets;
use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where problems are gathered while reading goes on, so that all are told at once.
pub(super) type Notes = RefCell<Vec<Problem>>;

/// How alike two keys must be for one to be taken for a misspelling of the other.
const ALIKE: f64 = 0.8;

/// One table.
pub(super) struct Section<'a> {
    /// How messages call it, such as "the function `chat`".
    title: String,
    /// Where it begins; the manifest itself begins nowhere.
    place: Option<Range<usize>>,
    table: &'a DeTable<'a>,
    asked: Vec<&'static str>,
    notes: &'a Notes,
}

/// One key with its value.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    /// Where the key stands.
    pub place: Range<usize>,
    value: &'a Spanned<DeValue<'a>>,
    notes: &'a Notes,
}

impl<'a> Section<'a> {
    pub fn whole(table: &'a DeTable<'a>, notes: &'a Notes) -> Section<'a> {
        Section { title: "the manifest".into(), place: None, table, asked: Vec::new(), notes }
    }

    /// What stands under a key that the manifest may have.
    pub fn entry(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.asked.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(Entry::new(name, value, self.notes))
    }

    /// What stands under a key that the manifest must have; `why` is added to the problem when it has not.
    pub fn required(&mut self, key: &'static str, why: impl Display) -> Option<Entry<'a>> {
        let entry = self.entry(key);
        if entry.is_none() {
            self.missing(&format!("`{key}`"), why);
        }
        entry
    }

    /// Notes that something is not there; `why` says what it would be.
    pub fn missing(&self, what: &str, why: impl Display) {
        self.problem(format!("{} has no {what}, expected {why}", self.title));
    }

    /// A table that is itself read by its keys.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        self.entry(key)?.section(format!("`{key}`"))
    }

    /// The tree itself, for who has other questions.
    pub fn table(&self) -> &'a DeTable<'a> {
        self.table
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A string in a table within this one, for who must know of it without reading it.
    pub fn peek(&self, table: &str, key: &str) -> Option<&'a str> {
        self.table.get(table)?.get_ref().get(key)?.get_ref().as_str()
    }

    /// What stands in a table within this one, for who must know of it without reading it.
    pub fn peek_all(&self, table: &str) -> Vec<Entry<'a>> {
        let entries = self.table.get(table).and_then(|table| table.get_ref().as_table()).into_iter().flatten();
        entries.map(|(name, value)| Entry::new(name, value, self.notes)).collect()
    }

    /// The strings of a list in this table, for who must know of them without reading it.
    pub fn peek_strings(&self, key: &str) -> Vec<Spanned<&'a str>> {
        let items = self.table.get(key).and_then(|list| list.get_ref().as_array()).into_iter().flatten();
        items.filter_map(|item| Some(Spanned::new(item.span(), item.get_ref().as_str()?))).collect()
    }

    /// What stands under names that the user has chosen, in the order of the text.
    pub fn all(&self) -> Vec<Entry<'a>> {
        let mut entries: Vec<Entry<'a>> =
            self.table.iter().map(|(name, value)| Entry::new(name, value, self.notes)).collect();
        entries.sort_by_key(|entry| entry.place.start);
        entries
    }

    /// Notes something about the section as a whole.
    pub fn problem(&self, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(self.place.clone(), message));
    }

    pub fn problem_at(&self, place: Range<usize>, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(Some(place), message));
    }

    /// Says which keys nobody asked for. Every section ends in this, or in `all`.
    pub fn finish(self) {
        for (key, value) in self.table.iter().filter(|(key, _)| !self.asked.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let message = match nearest(name, &self.asked) {
                Some(known) => format!("unknown key `{name}`; did you mean `{known}`?"),
                None => format!("unknown key `{name}`, expected one of {}", list(&self.asked)),
            };
            let mut problem = Problem::new(Some(key.span()), message);
            if !matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Boolean(_)) {
                problem.hidden = secrets::leaves(value);
            }
            self.notes.borrow_mut().push(problem);
        }
    }
}

impl<'a> Entry<'a> {
    fn new(name: &'a Spanned<std::borrow::Cow<'a, str>>, value: &'a Spanned<DeValue<'a>>, notes: &'a Notes) -> Self {
        Entry { name: name.get_ref(), place: name.span(), value, notes }
    }

    /// Notes something about the value.
    pub fn problem(&self, message: impl Into<String>) {
        self.problem_at(self.value.span(), message);
    }

    /// Notes something about the key, or about value and key together.
    pub fn problem_with_name(&self, message: impl Into<String>) {
        self.problem_at(self.place.clone(), message);
    }

    pub fn problem_at(&self, place: Range<usize>, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(Some(place), message));
    }

    /// Notes that the value is of another type than `expected`.
    pub fn wrong_type(&self, expected: impl Display) {
        let found = found(self.value.get_ref());
        let message = format!("`{}` is {found}, expected {expected}", self.name);
        // The place of a table is its header, or nowhere near; its name is what one looks for.
        if self.is_table() { self.problem_with_name(message) } else { self.problem(message) }
    }

    pub fn is_string(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// The string that it is, if it is one.
    pub fn text(&self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    pub fn is_empty_array(&self) -> bool {
        self.value.get_ref().as_array().is_some_and(|items| items.is_empty())
    }

    pub fn is_array(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub fn string(&self, expected: impl Display) -> Option<Spanned<&'a str>> {
        let string = self.value.get_ref().as_str();
        if string.is_none() {
            self.wrong_type(expected);
        }
        string.map(|string| Spanned::new(self.value.span(), string))
    }

    /// A string that is one `expected`, such as "an ARN of a role".
    pub fn matching(&self, is_one: impl Fn(&str) -> bool, expected: &str) -> Option<Spanned<&'a str>> {
        let string = self.string(format!("a string in quotes: {expected}"))?;
        if !is_one(string.get_ref()) {
            let found = if string.get_ref().is_empty() { "empty".into() } else { format!("`{}`", string.get_ref()) };
            self.problem(format!("`{}` is {found}, expected {expected}", self.name));
        }
        Some(string)
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<Spanned<T>> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let string = self.string(format!("one of {}", list(&names)))?;
        let found = words.iter().find(|(word, _)| word == string.get_ref());
        if found.is_none() {
            let hint = nearest(string.get_ref(), &names).map(|word| format!("; did you mean `{word}`?"));
            let (name, string, names) = (self.name, string.get_ref(), list(&names));
            self.problem(format!("`{name}` is `{string}`, expected one of {names}{}", hint.unwrap_or_default()));
        }
        found.map(|(_, meaning)| Spanned::new(string.span(), *meaning))
    }

    /// A whole number; `unit` follows the range in messages.
    pub fn integer(&self, range: RangeInclusive<u32>, unit: &str) -> Option<Spanned<u32>> {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let expected = format!("{} to {}{unit}", range.start(), range.end());
        let Some(written) = self.value.get_ref().as_integer() else {
            self.wrong_type(format!("a whole number: {expected}"));
            return None;
        };
        let number =
            u32::from_str_radix(written.as_str(), written.radix()).ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.problem(format!("`{}` is {written}, expected {expected}", self.name));
        }
        number.map(|number| Spanned::new(self.value.span(), number))
    }

    pub fn boolean(&self) -> Option<Spanned<bool>> {
        let boolean = self.value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type("`true` or `false`");
        }
        boolean.map(|boolean| Spanned::new(self.value.span(), boolean))
    }

    /// A list of strings; `expected` says of what, such as "ARNs of layers".
    pub fn strings(&self, expected: &str) -> Vec<Spanned<&'a str>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.wrong_type(format!("an array of strings: {expected}"));
            return Vec::new();
        };
        let string = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_str() {
            Some(string) => Some(Spanned::new(item.span(), string)),
            None => {
                let found = found(item.get_ref());
                self.problem_at(item.span(), format!("`{}` holds {found}, expected strings: {expected}", self.name));
                None
            }
        };
        items.iter().filter_map(string).collect()
    }

    pub fn section(&self, title: String) -> Option<Section<'a>> {
        let place = Some(self.place.clone());
        let Some(table) = self.value.get_ref().as_table() else {
            self.wrong_type("a table");
            return None;
        };
        Some(Section { title, place, table, asked: Vec::new(), notes: self.notes })
    }

    /// A list of tables.
    pub fn sections(&self, title: &str) -> Vec<Section<'a>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.wrong_type("an array of tables");
            return Vec::new();
        };
        let section = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_table() {
            Some(table) => {
                let place = Some(item.span());
                Some(Section { title: title.to_owned(), place, table, asked: Vec::new(), notes: self.notes })
            }
            None => {
                let found = found(item.get_ref());
                self.problem_at(item.span(), format!("`{}` holds {found}, expected tables", self.name));
                None
            }
        };
        items.iter().filter_map(section).collect()
    }

    /// A list of strings, or a single thing that is written as one: what IAM compares with.
    pub fn scalars(&self) -> Vec<String> {
        let single = std::slice::from_ref(self.value);
        let items = self.value.get_ref().as_array().map_or(single, |items| &items[..]);
        let text = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::String(string) => Some(string.to_string()),
            DeValue::Boolean(boolean) => Some(boolean.to_string()),
            DeValue::Integer(integer) => Some(integer.to_string()),
            _ => None,
        };
        let texts: Vec<String> = items.iter().filter_map(text).collect();
        if texts.len() < items.len() || texts.is_empty() {
            self.wrong_type("a string, or an array of strings");
        }
        texts
    }
}

/// What kind of value it is, with its article.
fn found(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// The one of `known` that `word` is a misspelling of.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&word, &known.to_lowercase());
    let best = known.iter().copied().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(best) > ALIKE).then_some(best)
}

/// Words in backticks.
pub(super) fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_recognised_and_strangers_are_not() {
        let known = ["memory", "timeout", "ephemeral_storage", "environment", "description"];
        for (word, expected) in [("memroy", "memory"), ("Timeout", "timeout"), ("env", "environment")] {
            assert_eq!(nearest(word, &known), Some(expected));
        }
        for word in ["runtime", "vpc", "x", ""] {
            assert_eq!(nearest(word, &known), None, "{word}");
        }
    }
}
