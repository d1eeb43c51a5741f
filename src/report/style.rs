//! Colour, which repeats what the words already say.

use anstyle::{AnsiColor, Style};

pub const VERB: Style = AnsiColor::Green.on_default().bold();
pub const WAIT: Style = AnsiColor::Cyan.on_default().bold();
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const HINT: Style = AnsiColor::Yellow.on_default().bold();

/// How wide the column of verbs is, as in cargo's output.
const COLUMN: usize = 12;

/// A verb in its right-aligned column, then what it is about.
pub fn line(style: Style, verb: &str, rest: &str) -> String {
    format!("{style}{verb:>COLUMN$}{style:#} {rest}")
}

pub fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
