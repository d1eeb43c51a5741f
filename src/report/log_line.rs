//! Formats the lines of a function's log. Pure.

use super::answer::LogLine;
use super::format::Text;
use super::moment::utc_milliseconds;
use crate::text;
use serde_json::{Value, json};

/// The message as lines with uniform line ends. Logs can contain anything that a caller sent, so commands for terminals
/// and CI systems are escaped. Colours are kept if `colours` is true.
///
/// With `time`, the message starts with its time in UTC.
pub(super) fn log_text(line: &LogLine, time: bool, colour: bool) -> Text {
    let time = if time { format!("{} ", utc_milliseconds(line.timestamp)) } else { String::new() };
    let message = format!("{time}{}\n", without_end(&line.message));
    if colour { Text::coloured_lines(&message) } else { Text::lines(&text::uncoloured(&message)) }
}

pub(super) fn log_json(line: &LogLine) -> Value {
    json!({
        "id": line.id,
        "timestamp": line.timestamp,
        "stream": line.stream,
        "version": line.version,
        "request_id": line.request,
        "message": without_end(&line.message),
    })
}

fn without_end(message: &str) -> &str {
    message.strip_suffix('\n').unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str, colour: bool) -> String {
        log_text(&LogLine { message: message.into(), ..LogLine::default() }, false, colour).as_str().to_owned()
    }

    #[test]
    fn no_terminal_is_given_orders() {
        let table = [
            ("a\tb é ✓\nc", "a\tb é ✓\nc\n"),
            ("two\n\n", "two\n\n"),
            ("\x1b]0;title\x07", "\\x1b]0;title\\x07\n"),
            ("\x1b[2Jgone", "\\x1b[2Jgone\n"),
            ("over\rwritten\x08\x7f", "over\\rwritten\\x08\\x7f\n"),
            ("\u{9b}2J", "\\u{9b}2J\n"),
            ("\x1b[31mred\x1b[0m", "red\n"),
            ("\x1b[31", "\\x1b[31\n"),
            ("x\n ::error::y", "x\n \\x3a:error::y\n"),
            ("\x1b[31m::error::y", "\\x3a:error::y\n"),
            ("##[gr\x1b[1moup]##\x1b[1m[error]", "#\\x23[group]#\\x23[error]\n"),
        ];
        for (message, expected) in table {
            assert_eq!(shown(message, false), expected);
        }
    }

    #[test]
    fn a_time_precedes_its_message() {
        let line = LogLine { timestamp: 1_796_025_600_007, message: "a\nb\n".into(), ..LogLine::default() };
        assert_eq!(log_text(&line, true, false).as_str(), "2026-11-30T08:00:00.007Z a\nb\n");
    }

    #[test]
    fn colours_pass_and_end_with_their_line() {
        assert_eq!(shown("\x1b[1;31mred\x1b[2J", true), "\x1b[1;31mred\\x1b[2J\x1b[0m\n");
    }
}
