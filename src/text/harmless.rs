//! Makes text harmless: to a terminal, to the program that reads a CI log, and to the reader's eye.
//!
//! Control characters, bidirectional marks and invisible characters are shown as escapes (`\x1b`, `\n`, `\u{202e}`). If
//! a line would be a command of a CI system (`::add-mask::` at its start, `##[group]` and the like anywhere in it), the
//! character that makes it a command is shown as an escape, too.

use std::fmt::Write;

/// On one line: line ends are shown as `\n` and `\r`. Tabs stay.
pub fn line(text: &str) -> String {
    written(text, Colours::Escaped)
}

/// On one line, with colours, which are reset at the end of the line.
pub fn coloured_line(text: &str) -> String {
    let mut line = written(text, Colours::Kept);
    if line.contains('\x1b') {
        line.push_str("\x1b[0m");
    }
    line
}

/// Line by line; line ends stay.
pub fn lines(text: &str) -> String {
    line_by_line(text, line)
}

/// Line by line, with colours as in [`coloured_line`].
pub fn coloured_lines(text: &str) -> String {
    line_by_line(text, coloured_line)
}

fn line_by_line(text: &str, harmless: fn(&str) -> String) -> String {
    text.split_inclusive('\n').fold(String::with_capacity(text.len()), |mut lines, piece| {
        let (text, end) = piece.strip_suffix('\n').map_or((piece, ""), |text| (text, "\n"));
        lines.push_str(&harmless(text));
        lines.push_str(end);
        lines
    })
}

/// Removes the colours that [`coloured_lines`] keeps.
pub fn uncoloured(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\x1b') {
        plain.push_str(&rest[..at]);
        let length = colour_length(&rest[at..]).unwrap_or(0);
        plain.push_str(if length > 0 { "" } else { "\x1b" });
        rest = &rest[at + length.max(1)..];
    }
    plain + rest
}

/// The same JSON document, with dangerous characters in its strings written as `\u001b`.
pub fn json(document: &serde_json::Value) -> String {
    let mut safe = String::new();
    // These characters cannot occur outside strings.
    for letter in document.to_string().replace("##", "#\\u0023").chars() {
        match letter {
            '\x7f' | '\u{200c}' | '\u{200d}' => push_units(&mut safe, letter),
            letter if letter.is_control() || is_invisible(letter) => push_units(&mut safe, letter),
            letter => safe.push(letter),
        }
    }
    safe
}

fn push_units(json: &mut String, letter: char) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = write!(json, "\\u{unit:04x}");
    }
}

/// For a terminal, bytes that arrive in pieces: characters and line ends are shown as soon as they are complete.
#[derive(Default)]
pub struct Stream {
    /// The start of an incomplete character or line end.
    rest: Vec<u8>,
    before: char,
}

impl Stream {
    /// What can be shown now. Bytes that are not UTF-8 are shown as `\xff`.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let mut bytes = std::mem::take(&mut self.rest);
        let held = held_back(&bytes);
        self.rest = bytes.split_off(bytes.len() - held);
        self.show(&bytes)
    }

    /// Everything held back so far.
    pub fn end(mut self) -> String {
        let rest = std::mem::take(&mut self.rest);
        self.show(&rest)
    }

    fn show(&mut self, bytes: &[u8]) -> String {
        let mut shown = String::new();
        for chunk in bytes.utf8_chunks() {
            let mut letters = chunk.valid().chars().peekable();
            while let Some(letter) = letters.next() {
                match letter {
                    '\r' if letters.peek() == Some(&'\n') => {}
                    '\n' => shown.push('\n'),
                    letter => push(&mut shown, letter, self.before),
                }
                self.before = letter;
            }
            for byte in chunk.invalid() {
                let _ = write!(shown, "\\x{byte:02x}");
            }
        }
        shown
    }
}

/// How many bytes at the end may belong to an incomplete character or line end.
fn held_back(bytes: &[u8]) -> usize {
    if bytes.ends_with(b"\r") {
        return 1;
    }
    let last = bytes.utf8_chunks().last();
    match last.map(|chunk| chunk.invalid()) {
        // `utf8_chunks` reports the start of an incomplete character as invalid, just like bytes that can never become
        // one.
        Some(begun) if std::str::from_utf8(begun).is_err_and(|error| error.error_len().is_none()) => begun.len(),
        _ => 0,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colours {
    Kept,
    Escaped,
}

fn written(text: &str, colours: Colours) -> String {
    let (mut out, mut rest, mut before) = (String::with_capacity(text.len()), text, '\0');
    // Where the line's own text starts: after spaces and colours.
    let mut begins = true;
    while let Some(letter) = rest.chars().next() {
        let length = if colours == Colours::Kept { colour_length(rest).unwrap_or(0) } else { 0 };
        if length > 0 {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        match letter {
            ':' if begins && rest.starts_with("::") => out.push_str("\\x3a"),
            '#' if before == '#' && opens_command(&rest[1..]) => out.push_str("\\x23"),
            letter => push(&mut out, letter, before),
        }
        begins &= letter.is_whitespace() || letter.is_control() || is_invisible(letter);
        before = letter;
        rest = &rest[letter.len_utf8()..];
    }
    out
}

/// After `##`: `[group]`, `vso[task…]`, `teamcity[…]`, which CI systems look for anywhere in a line.
fn opens_command(rest: &str) -> bool {
    rest.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()).starts_with('[')
}

fn push(out: &mut String, letter: char, before: char) {
    let _ = match letter {
        '\t' => out.write_char('\t'),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\x00'..'\x20' | '\x7f' => write!(out, "\\x{:02x}", u32::from(letter)),
        // These join and separate letters in scripts that need it, and the parts of an emoji. Between ASCII letters
        // they only make two different names look the same.
        '\u{200c}' | '\u{200d}' if !before.is_ascii() => out.write_char(letter),
        '\u{200c}' | '\u{200d}' => write!(out, "{}", letter.escape_unicode()),
        letter if letter.is_control() || is_invisible(letter) => write!(out, "{}", letter.escape_unicode()),
        letter => out.write_char(letter),
    };
}

/// Invisible characters: they change the direction of writing, break a line where none ends, or hide text.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The length of the colour that `text` starts with: ESC, `[`, digits and semicolons, `m`. A sequence that makes text
/// invisible does not count.
fn colour_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\x1b[")?;
    let end = inside.find(|letter: char| !letter.is_ascii_digit() && !";:".contains(letter))?;
    let numbers: Vec<&str> = inside[..end].split([';', ':']).collect();
    // After a 5, the number selects a colour.
    let hides =
        |(at, number): (usize, &&str)| number.trim_start_matches('0') == "8" && (at == 0 || numbers[at - 1] != "5");
    (inside[end..].starts_with('m') && !numbers.iter().enumerate().any(hides)).then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_orders_is_shown() {
        let table = [
            ("a\tb é ✓ 漢字 \\", "a\tb é ✓ 漢字 \\"),
            ("two\nlines\r", "two\\nlines\\r"),
            ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
            ("\x1b[2J\x1b[31mred\x7f\0", "\\x1b[2J\\x1b[31mred\\x7f\\x00"),
            ("\u{9b}2J \u{9d}0;t\u{9c} \u{85}", "\\u{9b}2J \\u{9d}0;t\\u{9c} \\u{85}"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}\u{2028}", "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}\\u{2028}"),
            ("ad\u{200d}min 👩\u{200d}💻 می\u{200c}خواهم", "ad\\u{200d}min 👩\u{200d}💻 می\u{200c}خواهم"),
            ("x\u{e0041}", "x\\u{e0041}"),
            ("::add-mask::x", "\\x3a:add-mask::x"),
            (" \t::error::x", " \t\\x3a:error::x"),
            ("\u{feff}::error::x", "\\u{feff}\\x3a:error::x"),
            ("log: ::error::x a::b", "log: ::error::x a::b"),
            ("a ##[group]b", "a #\\x23[group]b"),
            ("###[error]", "##\\x23[error]"),
            ("##vso[task.x]y ##teamcity[z]", "#\\x23vso[task.x]y #\\x23teamcity[z]"),
            ("## Title [x]", "## Title [x]"),
        ];
        for (text, expected) in table {
            assert_eq!(line(text), expected);
            assert_eq!(line(&line(text)), expected, "what is harmless stays as it is");
        }
        assert_eq!(lines("a\r\n::b\n\n"), "a\\r\n\\x3a:b\n\n");
    }

    #[test]
    fn colours_pass_where_they_may_and_end_with_their_line() {
        assert_eq!(coloured_line("\x1b[1;31mred\x1b[2J"), "\x1b[1;31mred\\x1b[2J\x1b[0m");
        assert_eq!(coloured_line("\x1b[38;5;8mgrey"), "\x1b[38;5;8mgrey\x1b[0m");
        for hidden in ["\x1b[8mgone", "\x1b[0;08mgone"] {
            assert!(coloured_line(hidden).starts_with("\\x1b["), "{hidden:?}");
        }
        assert_eq!(coloured_line("\x1b[32m::error::x"), "\x1b[32m\\x3a:error::x\x1b[0m");
        assert_eq!(coloured_line("\x1b[31"), "\\x1b[31");
    }

    #[test]
    fn json_says_the_same() {
        let text = "\x1b\u{9b}\u{202e}\u{200d}\u{e0041}\x7f ##[x] é 漢 ::a::";
        let document = serde_json::json!({ text: text });
        let written = json(&document);
        assert!(written.chars().all(|letter| !letter.is_control() && !is_invisible(letter)), "{written}");
        assert!(!written.contains("##") && written.contains("é 漢"), "{written}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), document);
    }

    #[test]
    fn a_stream_is_the_same_in_whatever_pieces_it_comes() {
        let bytes = "data: é 漢 👩\u{200d}💻\r\n\x1b[2J\rx\u{9b}\n".as_bytes();
        let bytes: Vec<u8> = bytes.iter().copied().chain([0xff, b'a', 0xe6, 0xbc]).collect();
        let expected = "data: é 漢 👩\u{200d}💻\n\\x1b[2J\\rx\\u{9b}\n\\xffa\\xe6\\xbc";
        for size in 1..=bytes.len() {
            let mut stream = Stream::default();
            let shown: String = bytes.chunks(size).map(|piece| stream.push(piece)).collect();
            assert_eq!(shown + &stream.end(), expected, "{size}");
        }
        let mut stream = Stream::default();
        assert_eq!(stream.push("data: é".as_bytes()), "data: é", "what is whole is not held back");
    }
}
