//! Lines for people. Their type keeps them harmless, whatever the source of the text is. Colour only repeats what the
//! words already say.

use crate::text;
use anstyle::Style;
use std::fmt;
use std::time::Duration;
use textwrap::core::display_width;

/// The width of the column of verbs, as in cargo's output.
const VERB_COLUMN: usize = 12;
/// The column in which times end, if there is room.
const TIME_END: usize = 68;
/// The columns of a time and the space before it.
const TIME_WIDTH: usize = 7;
/// The space between a time and its detail.
const GAP: &str = "   ";
/// The smallest indent of a wrapped line.
const INDENT: usize = 2;

/// A line for stderr that contains no commands for a terminal or a CI system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// A styled verb, or a word such as `error:`.
    mark: String,
    text: String,
    took: Option<Duration>,
    /// What follows the time: on the same line, or on one of its own if there is no room.
    detail: String,
    /// The `^^^` below a line of a file.
    underline: Option<String>,
}

impl Line {
    pub fn plain(text: &str) -> Line {
        Line { text: text::line(text), ..Line::default() }
    }

    /// A line of another program, whose colours are kept.
    pub fn coloured(text: &str) -> Line {
        Line { text: text::coloured_line(text), ..Line::default() }
    }

    /// A verb in its right-aligned column, followed by its object.
    pub fn verb(style: Style, verb: &str, about: &str) -> Line {
        Line { mark: format!("{style}{verb:>VERB_COLUMN$}{style:#}"), ..Line::plain(about) }
    }

    /// A mark such as `error:`, followed by the text.
    pub fn marked(style: Style, mark: &str, about: &str) -> Line {
        Line { mark: format!("{style}{mark}{style:#}"), ..Line::plain(about) }
    }

    /// A line of a file, and the `^^^` below it.
    pub fn excerpt(line: &str, underline: &str) -> Line {
        Line { underline: Some(text::line(underline)), ..Line::plain(line) }
    }

    /// The line with more text, in this style.
    pub fn and(mut self, style: Style, text: &str) -> Line {
        self.text += &format!("{style}{}{style:#}", text::line(text));
        self
    }

    pub fn indented(self) -> Line {
        let spaces = " ".repeat(INDENT);
        match self.mark.is_empty() {
            true => Line { text: spaces + &self.text, ..self },
            false => Line { mark: spaces + &self.mark, ..self },
        }
    }

    pub fn took(self, took: Duration) -> Line {
        Line { took: Some(took), ..self }
    }

    pub fn detail(self, detail: &str) -> Line {
        Line { detail: text::line(detail), ..self }
    }

    /// The line wrapped for a terminal of this many columns, as [`text::wrapped`] does it.
    pub fn wrapped(&self, columns: usize) -> String {
        if let Some(underline) = &self.underline {
            return text::excerpt(&self.text, underline, columns).join("\n");
        }
        let text = self.text.trim_start_matches(' ');
        let spaces = self.text.len() - text.len();
        let (mark, hanging) = match self.mark.is_empty() {
            true => (" ".repeat(spaces), spaces + INDENT),
            false => (format!("{} ", self.mark), display_width(&self.mark) + 1),
        };
        let lines = self.hung(&mark, text, columns, hanging);
        // A word that is too long may fit with a smaller indent.
        if lines.lines().any(|line| display_width(line) > columns) {
            return self.hung(&mark, text, columns, INDENT);
        }
        lines
    }

    /// The lines, all but the first of which are indented.
    fn hung(&self, mark: &str, text: &str, columns: usize, indent: usize) -> String {
        let rest = columns.saturating_sub(indent);
        let mut lines = mark.to_owned();
        lines += &text::wrapped(text, [columns.saturating_sub(display_width(mark)), rest], indent);
        if let Some(took) = self.took {
            let (time, end) = (seconds(took), TIME_END.min(columns));
            let gap = end.saturating_sub(last_width(&lines) + TIME_WIDTH);
            lines += &match last_width(&lines) + gap + TIME_WIDTH <= columns {
                true => format!("{:gap$}{time:>TIME_WIDTH$}", ""),
                false => format!("\n{time:>end$}"),
            };
        }
        if !self.detail.is_empty() {
            lines += &match last_width(&lines) + GAP.len() + display_width(&self.detail) <= columns {
                true => format!("{GAP}{}", self.detail),
                false => format!("\n{:indent$}{}", "", text::wrapped(&self.detail, [rest; 2], indent)),
            };
        }
        lines
    }
}

fn last_width(lines: &str) -> usize {
    display_width(lines.rsplit('\n').next().unwrap_or_default())
}

/// The whole line, for everything that is not a terminal.
impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.wrapped(usize::MAX))
    }
}

/// A time for people: `0.3s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::palette::{GREEN, RED};

    fn plain(line: &Line, columns: usize) -> String {
        anstream::adapter::strip_str(&line.wrapped(columns)).to_string()
    }

    #[test]
    fn a_line_is_wrapped_below_its_text() {
        let error = Line::marked(RED, "error:", "cannot deploy `chat`: nothing is known about it");
        assert_eq!(plain(&error, 40), "error: cannot deploy `chat`: nothing is\n       known about it");
        let cause = Line::plain("  caused by: a service that does not answer in time");
        assert_eq!(plain(&cause, 40), "  caused by: a service that does not\n    answer in time");
        assert_eq!(plain(&cause, 80), cause.to_string());
    }

    #[test]
    fn a_time_has_its_column_and_a_detail_its_line_if_there_is_room() {
        let verified = Line::verb(GREEN, "Verified", "the URL of 漢字").took(Duration::from_millis(7040));
        let detailed = verified.clone().detail("first byte after 12 ms, 3 chunks over 7.0s");
        let column = |text: String, what: &str| display_width(text.split(what).next().unwrap_or_default());
        assert_eq!(column(plain(&verified, 120), "7.0s"), 64);
        assert_eq!(column(plain(&verified, 40), "7.0s"), 36);
        assert_eq!(plain(&detailed, 120), anstream::adapter::strip_str(&detailed.to_string()).to_string());
        let lines = plain(&detailed, 80);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[1], "             first byte after 12 ms, 3 chunks over 7.0s");
        assert_eq!(plain(&detailed, 40).lines().map(display_width).max(), Some(40));
    }
}
