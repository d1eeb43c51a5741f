//! A cursor over one table of the manifest: it reads keys as the table of [keys](super::keys) has them, and says which
//! are unknown.

use super::keys::{self, Absent, Key, ROOT, Shape, Value};
use super::problem::Problem;
use super::secrets;
use super::spelling::nearest;
use crate::stack::Word;
use crate::text::list;
use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where problems are collected while reading goes on, so that all are reported at once.
pub(super) type Notes = RefCell<Vec<Problem>>;

/// One table.
pub(super) struct Section<'a> {
    /// What messages call it, such as "the function `chat`".
    title: String,
    /// Where it begins; the manifest itself begins nowhere.
    place: Option<Range<usize>>,
    table: &'a DeTable<'a>,
    shape: Shape,
    notes: &'a Notes,
}

/// One key with its value.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    /// Where the key stands.
    pub place: Range<usize>,
    value: &'a Spanned<DeValue<'a>>,
    /// `None` for a name of the user's choice.
    key: Option<&'static Key>,
    /// Of the table, if it is one.
    shape: Shape,
    notes: &'a Notes,
}

impl<'a> Section<'a> {
    pub fn whole(table: &'a DeTable<'a>, notes: &'a Notes) -> Section<'a> {
        Section::open("the manifest".into(), None, table, Shape::Known(ROOT), notes)
    }

    fn open(
        title: String,
        place: Option<Range<usize>>,
        table: &'a DeTable<'a>,
        shape: Shape,
        notes: &'a Notes,
    ) -> Section<'a> {
        let section = Section { title, place, table, shape, notes };
        if let Shape::Known(keys) = shape {
            section.refuse_unknown(&keys::names(keys));
        }
        section
    }

    fn refuse_unknown(&self, known: &[&str]) {
        for (key, value) in self.table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let message = match nearest(name, known) {
                Some(known) => format!("unknown key `{name}`; did you mean `{known}`?"),
                None => format!("unknown key `{name}`, expected one of {}", list::quoted(known)),
            };
            let mut problem = Problem::new(Some(key.span()), message);
            if !matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Boolean(_)) {
                problem.hidden = secrets::leaves(value);
            }
            self.notes.borrow_mut().push(problem);
        }
    }

    /// What stands under a key that the manifest may have.
    pub fn entry(&self, key: &'static str) -> Option<Entry<'a>> {
        let known = self.shape.find(key);
        debug_assert!(known.is_some(), "`{key}` is not in the table of keys");
        let (name, value) = self.table.get_key_value(key)?;
        let shape = known.map_or(Shape::Free(&[]), |key| Shape::of(&key.value));
        Some(Entry { name: name.get_ref(), place: name.span(), value, key: known, shape, notes: self.notes })
    }

    /// What stands under a key that the manifest must have; `why` is added to the problem when it has not.
    pub fn required(&self, key: &'static str, why: impl Display) -> Option<Entry<'a>> {
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
    pub fn section(&self, key: &'static str) -> Option<Section<'a>> {
        self.entry(key)?.section(format!("`{key}`"))
    }

    /// A number, or its default.
    pub fn number(&self, key: &'static str) -> u32 {
        let written = self.written_number(key).map(Spanned::into_inner);
        written.or_else(|| self.default(key)?.parse().ok()).unwrap_or_default()
    }

    /// A number without a default.
    pub fn written_number(&self, key: &'static str) -> Option<Spanned<u32>> {
        self.entry(key)?.number()
    }

    /// One of a few words, or the default.
    pub fn word<T: Word>(&self, key: &'static str) -> T {
        let written = self.entry(key).and_then(|entry| entry.word());
        let word = written.or_else(|| self.default(key)).and_then(T::parse);
        word.unwrap_or(T::ALL[0])
    }

    /// `true` or `false`, or the default.
    pub fn switch(&self, key: &'static str) -> bool {
        let written = self.entry(key).and_then(|entry| entry.boolean());
        written.map_or_else(|| self.default(key) == Some("true"), Spanned::into_inner)
    }

    /// A string that is one `expected`, as [`Entry::matching`] has it.
    pub fn matching(&self, key: &'static str, is_one: impl Fn(&str) -> bool, expected: &str) -> Option<&'a str> {
        self.entry(key)?.matching(is_one, expected).map(Spanned::into_inner)
    }

    fn default(&self, key: &str) -> Option<&'static str> {
        match self.shape.find(key)?.absent {
            Absent::Default(default) => Some(default),
            Absent::Required | Absent::Means(_) => None,
        }
    }

    /// The tree itself.
    pub fn table(&self) -> &'a DeTable<'a> {
        self.table
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A string in a table within this one, without reading that table.
    pub fn peek(&self, table: &str, key: &str) -> Option<&'a str> {
        self.table.get(table)?.get_ref().get(key)?.get_ref().as_str()
    }

    /// The entries of a table within this one, without reading that table.
    pub fn peek_all(&self, table: &str) -> Vec<Entry<'a>> {
        let entries = self.table.get(table).and_then(|table| table.get_ref().as_table()).into_iter().flatten();
        entries.map(|(name, value)| self.named(name, value, Shape::Free(&[]))).collect()
    }

    /// The strings of a list in this table, without reading it.
    pub fn peek_strings(&self, key: &str) -> Vec<Spanned<&'a str>> {
        let items = self.table.get(key).and_then(|list| list.get_ref().as_array()).into_iter().flatten();
        items.filter_map(|item| Some(Spanned::new(item.span(), item.get_ref().as_str()?))).collect()
    }

    /// What stands under names that the user has chosen, in the order of the text.
    pub fn all(&self) -> Vec<Entry<'a>> {
        let shape = self.shape.of_named();
        let mut entries: Vec<Entry<'a>> =
            self.table.iter().map(|(name, value)| self.named(name, value, shape)).collect();
        entries.sort_by_key(|entry| entry.place.start);
        entries
    }

    fn named(
        &self,
        name: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
        shape: Shape,
    ) -> Entry<'a> {
        Entry { name: name.get_ref(), place: name.span(), value, key: None, shape, notes: self.notes }
    }

    /// Notes something about the section as a whole.
    pub fn problem(&self, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(self.place.clone(), message));
    }

    pub fn problem_at(&self, place: Range<usize>, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(Some(place), message));
    }
}

impl<'a> Entry<'a> {
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

    /// One of the words of the key.
    pub fn word(&self) -> Option<&'static str> {
        let words = match self.key.map(|key| &key.value) {
            Some(Value::Word(words)) => *words,
            _ => &[],
        };
        self.one_of(words).map(Spanned::into_inner)
    }

    pub fn one_of<'w>(&self, words: &[&'w str]) -> Option<Spanned<&'w str>> {
        let string = self.string(format!("one of {}", list::quoted(words)))?;
        let found = words.iter().find(|word| *word == string.get_ref());
        if found.is_none() {
            let hint = nearest(string.get_ref(), words).map(|word| format!("; did you mean `{word}`?"));
            let (name, string, words) = (self.name, string.get_ref(), list::quoted(words));
            self.problem(format!("`{name}` is `{string}`, expected one of {words}{}", hint.unwrap_or_default()));
        }
        found.map(|word| Spanned::new(string.span(), *word))
    }

    /// A whole number within the range of the key.
    pub fn number(&self) -> Option<Spanned<u32>> {
        match self.key.map(|key| &key.value) {
            Some(Value::Number(range, unit)) => self.integer(range, unit),
            Some(Value::NumberOrText(range)) => self.integer(range, ""),
            _ => None,
        }
    }

    /// A whole number; `unit` follows the range in messages.
    pub fn integer(&self, range: &RangeInclusive<u32>, unit: &str) -> Option<Spanned<u32>> {
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
        Some(Section::open(title, place, table, self.shape, self.notes))
    }

    /// A list of tables.
    pub fn sections(&self, title: &str) -> Vec<Section<'a>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.wrong_type("an array of tables");
            return Vec::new();
        };
        let section = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_table() {
            Some(table) => Some(Section::open(title.to_owned(), Some(item.span()), table, self.shape, self.notes)),
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
