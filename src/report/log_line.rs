//! Formats the lines of a function's log. Pure.

use super::answer::LogLine;
use super::format::Text;
use crate::text;
use serde_json::{Value, json};

/// The message as lines with uniform line ends. Logs can contain anything that a caller sent, so commands for terminals
/// and CI systems are escaped. Colours are kept if `colours` is true.
pub(super) fn log_text(line: &LogLine, colour: bool) -> Text {
    let message = format!("{}\n", without_end(&line.message));
    if colour { Text::coloured_lines(&message) } else { Text::lines(&text::uncoloured(&message)) }
}

pub(super) fn log_json(line: &LogLine) -> Value {
    json!({
        "id": line.id,
        "timestamp": line.timestamp,
        "stream": line.stream,
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
        log_text(&LogLine { message: message.into(), ..LogLine::default() }, colour).as_str().to_owned()
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
    fn colours_pass_and_end_with_their_line() {
        assert_eq!(shown("\x1b[1;31mred\x1b[2J", true), "\x1b[1;31mred\\x1b[2J\x1b[0m\n");
    }
}
