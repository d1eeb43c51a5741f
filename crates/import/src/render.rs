//! A draft as the text of a manifest.

use super::draft::{Draft, Said};
use super::rules::Rules;
use std::fmt::Write;
use std::ops::Range;
use toml::{Table, Value};

const WIDTH: usize = 110;

/// The text, and what each part of it was made of.
pub struct Rendered {
    pub text: String,
    pub origins: Vec<(Range<usize>, Origin)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An item, by its number.
    Item(usize),
    /// A table's header.
    Table(Vec<String>),
}

/// The tables in the order in which they were first spoken of, each with its keys before its parts.
pub fn render(draft: &Draft, rules: &dyn Rules) -> Rendered {
    let mut tables: Vec<&[String]> = Vec::new();
    for item in &draft.items {
        if !tables.contains(&item.table.as_slice()) {
            tables.push(&item.table);
        }
    }
    // What belongs to no table has to come before the first one.
    tables.sort_by_key(|table| !table.is_empty());
    let (mut text, mut origins) = (String::new(), Vec::new());
    for table in tables {
        let all = draft.items.iter().enumerate().filter(|(_, item)| item.table == table);
        let (parts, others): (Vec<_>, Vec<_>) = all.partition(|(_, item)| matches!(item.said, Said::Part { .. }));
        if !table.is_empty() && !others.is_empty() {
            let has_keys = others.iter().any(|(_, item)| matches!(item.said, Said::Key { on: true, .. }));
            let start = text.len();
            let blank = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{blank}{}[{}]", if has_keys { "" } else { "#" }, header(table, rules));
            origins.push((start..text.len(), Origin::Table(table.to_vec())));
        }
        for (number, item) in others.into_iter().chain(parts) {
            let start = text.len();
            line(&mut text, table, &item.said, rules);
            origins.push((start..text.len(), Origin::Item(number)));
        }
    }
    Rendered { text, origins }
}

fn line(text: &mut String, table: &[String], said: &Said, rules: &dyn Rules) {
    match said {
        Said::Comment(comment) => wrap(text, comment, rules),
        Said::Left(left) => wrap(text, &rules.printable(&format!("{left}.")), rules),
        Said::Key { name, value, on } => {
            let _ = writeln!(text, "{}{} = {}", mark(*on), word(name, rules), written(value, rules));
        }
        Said::Part { name, value, on } => {
            let _ = writeln!(text, "\n{}[[{}.{}]]", mark(*on), header(table, rules), word(name, rules));
            for (name, value) in value {
                let _ = writeln!(text, "{}{} = {}", mark(*on), word(name, rules), written(value, rules));
            }
        }
    }
}

fn mark(on: bool) -> &'static str {
    if on { "" } else { "#" }
}

pub fn header(table: &[String], rules: &dyn Rules) -> String {
    table.iter().map(|name| word(name, rules)).collect::<Vec<_>>().join(".")
}

/// A key as TOML wants it.
fn word(name: &str, rules: &dyn Rules) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { quoted(name, rules) }
}

/// On one line, which a value that is switched off needs.
fn written(value: &Value, rules: &dyn Rules) -> String {
    match value {
        Value::String(text) => quoted(text, rules),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| written(item, rules)).collect::<Vec<_>>().join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => format!("{{ {} }}", pairs(table, rules)),
        other => other.to_string(),
    }
}

fn pairs(table: &Table, rules: &dyn Rules) -> String {
    table
        .iter()
        .map(|(name, value)| format!("{} = {}", word(name, rules), written(value, rules)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn quoted(value: &str, rules: &dyn Rules) -> String {
    let mut out = String::from("\"");
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '#' if out.ends_with('#') => out.push_str("\\u0023"),
            // What is printed must give no orders, and still be the same text.
            other if rules.printable(other.encode_utf8(&mut [0; 4])).starts_with('\\') => {
                let _ = write!(out, "\\U{:08X}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out + "\""
}

/// A comment, whose words break into lines; what the template says can begin no line of its own.
pub fn wrap(page: &mut String, comment: &str, rules: &dyn Rules) {
    for paragraph in comment.lines() {
        let mut line = String::from("#");
        for word in paragraph.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
            if line.chars().count() + 1 + word.chars().count() > WIDTH && line != "#" {
                let _ = writeln!(page, "{line}");
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(&rules.printable(word));
        }
        let _ = writeln!(page, "{line}");
    }
}
