//! Lines of a function's log. Pure.

use super::answer::LogLine;
use serde_json::{Value, json};

/// What reads the lines, as far as it changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A file or a pipe: the function's bytes and nothing else.
    Program,
    /// A terminal obeys control characters, and whoever can make a function log something could give it orders. Colours
    /// pass where they are wanted; all other control characters but tabs and line ends are shown, as `cat -v` shows them.
    Terminal { colour: bool },
}

/// The message with its one line end.
pub fn log_text(line: &LogLine, reader: Reader) -> String {
    let message = without_end(&line.message);
    match reader {
        Reader::Program => format!("{message}\n"),
        Reader::Terminal { colour } => format!("{}\n", harmless(message, colour)),
    }
}

pub fn log_json(line: &LogLine) -> Value {
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

fn harmless(message: &str, colour: bool) -> String {
    let mut shown = String::new();
    let mut rest = message;
    while let Some(letter) = rest.chars().next() {
        let length = colour_length(rest).unwrap_or(0);
        if length > 0 {
            shown.push_str(if colour { &rest[..length] } else { "" });
            rest = &rest[length..];
            continue;
        }
        match letter {
            '\t' | '\n' => shown.push(letter),
            '\x00'..'\x20' | '\x7f' => shown.extend(['^', char::from(letter as u8 ^ 0x40)]),
            letter if letter.is_control() => shown.extend(letter.escape_unicode()),
            letter => shown.push(letter),
        }
        rest = &rest[letter.len_utf8()..];
    }
    // A line's colour is its own.
    if shown.contains('\x1b') { shown + "\x1b[0m" } else { shown }
}

/// The length of a colour sequence that `text` begins with: ESC, `[`, digits and semicolons, `m`.
fn colour_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\x1b[")?;
    let end = inside.find(|letter: char| !letter.is_ascii_digit() && !";:".contains(letter))?;
    inside[end..].starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str, reader: Reader) -> String {
        log_text(&LogLine { message: message.into(), ..LogLine::default() }, reader)
    }

    #[test]
    fn a_program_gets_the_functions_bytes() {
        let odd = "a\tb\r\x1b]0;title\x07\x1b[2J\u{9b}0m é";
        assert_eq!(shown(&format!("{odd}\n"), Reader::Program), format!("{odd}\n"));
        assert_eq!(shown("no end", Reader::Program), "no end\n");
        assert_eq!(shown("two\n\n", Reader::Program), "two\n\n");
    }

    #[test]
    fn a_terminal_is_given_no_orders() {
        let plain = Reader::Terminal { colour: false };
        let table = [
            ("a\tb é ✓\nc", "a\tb é ✓\nc\n"),
            ("\x1b]0;title\x07", "^[]0;title^G\n"),
            ("\x1b[2Jgone", "^[[2Jgone\n"),
            ("over\rwritten\x08\x7f", "over^Mwritten^H^?\n"),
            ("\u{9b}2J", "\\u{9b}2J\n"),
            ("\x1b[31mred\x1b[0m", "red\n"),
            ("\x1b[31", "^[[31\n"),
            ("\x1b", "^[\n"),
        ];
        for (message, expected) in table {
            assert_eq!(shown(message, plain), expected);
        }
    }

    #[test]
    fn colours_pass_and_end_with_their_line() {
        let colour = Reader::Terminal { colour: true };
        assert_eq!(shown("\x1b[1;31mred\x1b[2J", colour), "\x1b[1;31mred^[[2J\x1b[0m\n");
    }
}
