//! What is written for a person: harmless, whoever chose its words. Colour repeats what the words already say.

use crate::text;
use anstyle::{AnsiColor, Style};
use std::fmt;

pub const VERB: Style = AnsiColor::Green.on_default().bold();
pub const WAIT: Style = AnsiColor::Cyan.on_default().bold();
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const HINT: Style = AnsiColor::Yellow.on_default().bold();

/// How wide the column of verbs is, as in cargo's output.
const COLUMN: usize = 12;

/// A line for stderr. It stays one line, and gives no orders to a terminal or to a CI system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    pub fn plain(text: &str) -> Line {
        Line(text::line(text))
    }

    /// A line of a program that may have colours.
    pub fn coloured(text: &str) -> Line {
        Line(text::coloured_line(text))
    }

    /// A verb in its right-aligned column, then what it is about.
    pub fn verb(style: Style, verb: &str, rest: &str) -> Line {
        Line(format!("{style}{verb:>COLUMN$}{style:#} {}", text::line(rest)))
    }

    /// A mark such as `error:`, then what it is about.
    pub fn marked(style: Style, mark: &str, rest: &str) -> Line {
        Line(format!("{style}{mark}{style:#} {}", text::line(rest)))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Lines for stdout, each harmless as a [`Line`] is, with the end of the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn lines(text: &str) -> Text {
        Text(text::lines(text))
    }

    /// Lines of a log, where colours pass.
    pub fn coloured_lines(text: &str) -> Text {
        Text(text::coloured_lines(text))
    }

    /// A document on a line of its own.
    pub fn json(document: &serde_json::Value) -> Text {
        Text(text::json(document) + "\n")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Text> for Text {
    fn from_iter<T: IntoIterator<Item = Text>>(texts: T) -> Text {
        Text(texts.into_iter().map(|text| text.0).collect())
    }
}
