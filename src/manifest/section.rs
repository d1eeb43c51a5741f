//! A cursor over one table of the manifest. It reads the keys in the table of [keys](super::keys), and reports others.

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

/// Collects problems while reading continues, so that all are reported at once.
pub(super) type Notes = RefCell<Vec<Problem>>;

/// One table.
pub(super) struct Section<'a> {
    /// Its name in messages, such as "the function `chat`".
    title: String,
    /// Where it starts; `None` for the manifest itself.
    place: Option<Range<usize>>,
    table: &'a DeTable<'a>,
    shape: Shape,
    /// Whether it is in a table that may hold secrets.
    is_secret: bool,
    notes: &'a Notes,
}

/// One key with its value.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    /// Where the key is.
    pub place: Range<usize>,
    value: &'a Spanned<DeValue<'a>>,
    /// `None` for names that the user chooses.
    key: Option<&'static Key>,
    /// The keys of the table, if the value is one.
    shape: Shape,
    /// Whether no message may show the value.
    is_secret: bool,
    notes: &'a Notes,
}

impl<'a> Section<'a> {
    pub(super) fn whole(table: &'a DeTable<'a>, notes: &'a Notes) -> Section<'a> {
        let (title, shape) = ("the manifest".into(), Shape::Known(ROOT));
        Section { title, place: None, table, shape, is_secret: false, notes }.checked()
    }

    fn checked(self) -> Section<'a> {
        if let Shape::Known(keys) = self.shape {
            self.refuse_unknown(&keys::names(keys));
        }
        self
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

    /// The value of an optional key.
    pub(super) fn entry(&self, key: &'static str) -> Option<Entry<'a>> {
        let known = self.shape.find(key);
        debug_assert!(known.is_some(), "`{key}` is not in the table of keys");
        let (name, value) = self.table.get_key_value(key)?;
        let shape = known.map_or(Shape::Free(&[]), |key| Shape::of(&key.value));
        Some(Entry { key: known, ..self.named(name, value, shape) })
    }

    /// The value of a required key. If it is missing, the problem includes `why`.
    pub(super) fn required(&self, key: &'static str, why: impl Display) -> Option<Entry<'a>> {
        let entry = self.entry(key);
        if entry.is_none() {
            self.missing(&format!("`{key}`"), why);
        }
        entry
    }

    /// Reports a missing key; `why` says what it is for.
    pub(super) fn missing(&self, what: &str, why: impl Display) {
        self.problem(format!("{} has no {what}, expected {why}", self.title));
    }

    /// A table that is read key by key.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        self.entry(key)?.section(format!("`{key}`"))
    }

    /// A number, or its default.
    pub(super) fn number(&self, key: &'static str) -> u32 {
        let written = self.written_number(key).map(Spanned::into_inner);
        written.or_else(|| self.default(key)?.parse().ok()).unwrap_or_default()
    }

    /// A number without a default.
    pub(super) fn written_number(&self, key: &'static str) -> Option<Spanned<u32>> {
        self.entry(key)?.number()
    }

    /// One of the key's words, or the default.
    pub(super) fn word<T: Word>(&self, key: &'static str) -> T {
        let written = self.entry(key).and_then(|entry| entry.word());
        let word = written.or_else(|| self.default(key)).and_then(T::parse);
        word.unwrap_or(T::ALL[0])
    }

    /// `true` or `false`, or the default.
    pub(super) fn switch(&self, key: &'static str) -> bool {
        self.written_switch(key).unwrap_or_else(|| self.default(key) == Some("true"))
    }

    /// `true` or `false` without a default.
    pub(super) fn written_switch(&self, key: &'static str) -> Option<bool> {
        self.entry(key)?.boolean().map(Spanned::into_inner)
    }

    /// A string that is one `expected`; see [`Entry::matching`].
    pub(super) fn matching(&self, key: &'static str, is_one: impl Fn(&str) -> bool, expected: &str) -> Option<&'a str> {
        self.entry(key)?.matching(is_one, expected).map(Spanned::into_inner)
    }

    fn default(&self, key: &str) -> Option<&'static str> {
        match self.shape.find(key)?.absent {
            Absent::Default(default) => Some(default),
            Absent::Required | Absent::Means(_) => None,
        }
    }

    /// The table's tree.
    pub(super) fn table(&self) -> &'a DeTable<'a> {
        self.table
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A string in a nested table.
    pub(super) fn peek(&self, table: &str, key: &str) -> Option<&'a str> {
        self.table.get(table)?.get_ref().get(key)?.get_ref().as_str()
    }

    /// The entries of a nested table.
    pub(super) fn peek_all(&self, table: &str) -> Vec<Entry<'a>> {
        let entries = self.table.get(table).and_then(|table| table.get_ref().as_table()).into_iter().flatten();
        entries.map(|(name, value)| self.named(name, value, Shape::Free(&[]))).collect()
    }

    /// The strings of a list in this table.
    pub(super) fn peek_strings(&self, key: &str) -> Vec<Spanned<&'a str>> {
        let items = self.table.get(key).and_then(|list| list.get_ref().as_array()).into_iter().flatten();
        items.filter_map(|item| Some(Spanned::new(item.span(), item.get_ref().as_str()?))).collect()
    }

    /// All entries of a table whose names the user chooses, in the order of the text.
    pub(super) fn all(&self) -> Vec<Entry<'a>> {
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
        let is_secret = self.is_secret || secrets::may_hold_secrets(name.get_ref());
        Entry { name: name.get_ref(), place: name.span(), value, key: None, shape, is_secret, notes: self.notes }
    }

    /// Reports a problem with the section as a whole.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(self.place.clone(), message));
    }

    pub(super) fn problem_at(&self, place: Range<usize>, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(Some(place), message));
    }
}

impl<'a> Entry<'a> {
    /// Reports a problem with the value.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.problem_at(self.value.span(), message);
    }

    /// Reports a problem with the key, or with the value and the key together.
    pub(super) fn problem_with_name(&self, message: impl Into<String>) {
        self.problem_at(self.place.clone(), message);
    }

    pub(super) fn problem_at(&self, place: Range<usize>, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem::new(Some(place), message));
    }

    /// Reports a value whose type is not `expected`.
    pub(super) fn wrong_type(&self, expected: impl Display) {
        let message = format!("`{}` is {}, expected {expected}", self.name, self.found(self.value.get_ref()));
        // A table's header may be far away; its name is easier to find.
        if self.is_table() { self.problem_with_name(message) } else { self.problem(message) }
    }

    /// A value as the manifest spells it, or its type if it is large or may be secret.
    fn found(&self, value: &DeValue<'_>) -> String {
        match value {
            _ if self.is_secret => {}
            DeValue::String(text) => return format!("`\"{text}\"`"),
            DeValue::Integer(number) => return format!("`{number}`"),
            DeValue::Float(number) => return format!("`{number}`"),
            DeValue::Boolean(boolean) => return format!("`{boolean}`"),
            DeValue::Datetime(time) => return format!("`{time}`"),
            DeValue::Array(items) if items.is_empty() => return "`[]`".to_owned(),
            DeValue::Array(_) | DeValue::Table(_) => {}
        }
        let kind = value.type_str();
        let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {kind}")
    }

    pub(super) fn is_string(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// The value, if it is a string.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    pub(super) fn is_empty_array(&self) -> bool {
        self.value.get_ref().as_array().is_some_and(|items| items.is_empty())
    }

    pub(super) fn is_array(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub(super) fn string(&self, expected: impl Display) -> Option<Spanned<&'a str>> {
        let string = self.value.get_ref().as_str();
        if string.is_none() {
            self.wrong_type(expected);
        }
        string.map(|string| Spanned::new(self.value.span(), string))
    }

    /// A string that is one `expected`, such as "an ARN of a role".
    pub(super) fn matching(&self, is_one: impl Fn(&str) -> bool, expected: &str) -> Option<Spanned<&'a str>> {
        let string = self.string(format!("a string in quotes: {expected}"))?;
        if !is_one(string.get_ref()) {
            let found = if string.get_ref().is_empty() { "empty".into() } else { format!("`{}`", string.get_ref()) };
            self.problem(format!("`{}` is {found}, expected {expected}", self.name));
        }
        Some(string)
    }

    /// One of the key's words.
    pub(super) fn word(&self) -> Option<&'static str> {
        let words = match self.key.map(|key| &key.value) {
            Some(Value::Word(words)) => *words,
            _ => &[],
        };
        self.one_of(words).map(Spanned::into_inner)
    }

    pub(super) fn one_of<'w>(&self, words: &[&'w str]) -> Option<Spanned<&'w str>> {
        let string = self.string(format!("one of {}", list::quoted(words)))?;
        let found = words.iter().find(|word| *word == string.get_ref());
        if found.is_none() {
            let hint = nearest(string.get_ref(), words).map(|word| format!("; did you mean `{word}`?"));
            let (name, string, words) = (self.name, string.get_ref(), list::quoted(words));
            self.problem(format!("`{name}` is `{string}`, expected one of {words}{}", hint.unwrap_or_default()));
        }
        found.map(|word| Spanned::new(string.span(), *word))
    }

    /// A whole number in the key's range.
    pub(super) fn number(&self) -> Option<Spanned<u32>> {
        match self.key.map(|key| &key.value) {
            Some(Value::Number(range, unit) | Value::Numbers(range, unit)) => self.integer(range, unit),
            Some(Value::NumberOrText(range)) => self.integer(range, ""),
            _ => None,
        }
    }

    /// A whole number; `unit` follows the range in messages.
    pub(super) fn integer(&self, range: &RangeInclusive<u32>, unit: &str) -> Option<Spanned<u32>> {
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

    /// The items of an array, each as a value of this key.
    pub(super) fn items(&self, expected: &str) -> Option<Vec<Entry<'a>>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.wrong_type(expected);
            return None;
        };
        Some(items.iter().map(|value| Entry { value, place: self.place.clone(), ..*self }).collect())
    }

    pub(super) fn boolean(&self) -> Option<Spanned<bool>> {
        let boolean = self.value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type("`true` or `false`");
        }
        boolean.map(|boolean| Spanned::new(self.value.span(), boolean))
    }

    /// A list of strings; `expected` names them in messages, such as "ARNs of layers".
    pub(super) fn strings(&self, expected: &str) -> Vec<Spanned<&'a str>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.wrong_type(format!("an array of strings: {expected}"));
            return Vec::new();
        };
        let string = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_str() {
            Some(string) => Some(Spanned::new(item.span(), string)),
            None => {
                let found = self.found(item.get_ref());
                self.problem_at(item.span(), format!("`{}` contains {found}, expected strings: {expected}", self.name));
                None
            }
        };
        items.iter().filter_map(string).collect()
    }

    pub(super) fn section(&self, title: String) -> Option<Section<'a>> {
        let place = Some(self.place.clone());
        let Some(table) = self.value.get_ref().as_table() else {
            self.wrong_type("a table");
            return None;
        };
        Some(self.opened(title, place, table))
    }

    fn opened(&self, title: String, place: Option<Range<usize>>, table: &'a DeTable<'a>) -> Section<'a> {
        Section { title, place, table, shape: self.shape, is_secret: self.is_secret, notes: self.notes }.checked()
    }

    /// A list of tables.
    pub(super) fn sections(&self, title: &str) -> Vec<Section<'a>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.wrong_type("an array of tables");
            return Vec::new();
        };
        let section = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_table() {
            Some(table) => Some(self.opened(title.to_owned(), Some(item.span()), table)),
            None => {
                let found = self.found(item.get_ref());
                self.problem_at(item.span(), format!("`{}` contains {found}, expected tables", self.name));
                None
            }
        };
        items.iter().filter_map(section).collect()
    }

    /// A list of strings, or a single value that is written as a string: the operands of an IAM condition.
    pub(super) fn scalars(&self) -> Vec<String> {
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
