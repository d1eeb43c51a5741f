//! An unfinished manifest: the content of each table, in order.

use std::fmt;
use toml::{Table, Value};

/// The message for most things that the manifest has no key for.
pub(crate) const UNSUPPORTED: &str = "not supported by lamstream";
pub(crate) const STILL_NEEDED: &str = "check whether you still need it";

/// Something of the template that needs the user's attention: lamstream does not support it, or its value is not known.
/// The texts quote the template: make them printable before you print them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// The file, or the function that was imported.
    pub file: String,
    /// 0 if it is not in a file.
    pub line: usize,
    /// Where it is in the file, such as `Resources.Chat.Events`.
    pub path: String,
    pub what: String,
    pub advice: String,
    /// Whether it blocks a deploy: the deploy of the manifest would fail, or the function would lack something that it
    /// needs, such as its code, a value or a permission.
    pub blocks: bool,
}

impl fmt::Display for LeftOver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LeftOver { file, line, path, what, advice, .. } = self;
        let line = if *line > 0 { format!(":{line}") } else { String::new() };
        let path = if path.is_empty() { String::new() } else { format!(" {path}:") };
        write!(formatter, "{file}{line}:{path} {what}; {advice}")
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub items: Vec<Item>,
}

/// One item in a table of the manifest. The keys that lead to the table name it; none lead to the top level.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub table: Vec<String>,
    pub entry: Entry,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// A key; one that is not enabled is written as a comment.
    Key {
        name: String,
        value: Value,
        enabled: bool,
    },
    /// A table in an array of tables.
    Element {
        name: String,
        value: Table,
        enabled: bool,
    },
    Comment(String),
    /// A comment about something that is left over.
    LeftOver(LeftOver),
}

impl Draft {
    pub(crate) fn push(&mut self, table: &[String], entry: Entry) {
        self.items.push(Item { table: table.to_vec(), entry });
    }

    /// Everything that is left over, in the order of the manifest.
    pub(crate) fn left_over(&self) -> impl Iterator<Item = &LeftOver> {
        self.items.iter().filter_map(|item| if let Entry::LeftOver(left) = &item.entry { Some(left) } else { None })
    }

    /// The tables in the order in which they were first mentioned; the top level is always the first.
    pub(crate) fn tables(&self) -> Vec<&[String]> {
        let mut tables: Vec<&[String]> = vec![&[]];
        for item in &self.items {
            if !tables.contains(&item.table.as_slice()) {
                tables.push(&item.table);
            }
        }
        tables
    }

    pub(crate) fn has_functions(&self) -> bool {
        self.items.iter().any(|item| item.is_in("functions"))
    }
}

impl Item {
    /// The keys that lead to the item.
    pub(crate) fn path(&self) -> Vec<String> {
        match &self.entry {
            Entry::Key { name, .. } | Entry::Element { name, .. } => {
                [&self.table[..], std::slice::from_ref(name)].concat()
            }
            Entry::Comment(_) | Entry::LeftOver(_) => self.table.clone(),
        }
    }

    /// Whether it is below a table at the top level.
    pub(crate) fn is_in(&self, table: &str) -> bool {
        self.table.first().is_some_and(|first| first == table)
    }

    pub(crate) fn is_enabled(&self) -> bool {
        matches!(self.entry, Entry::Key { enabled: true, .. } | Entry::Element { enabled: true, .. })
    }

    pub(crate) fn disable(&mut self) {
        if let Entry::Key { enabled, .. } | Entry::Element { enabled, .. } = &mut self.entry {
            *enabled = false;
        }
    }
}

/// A table of TOML from pairs.
pub(crate) fn table<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Table {
    pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()
}
