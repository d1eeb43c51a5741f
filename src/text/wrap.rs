//! Wraps text into lines of a given width.

use textwrap::WordSeparator;
use textwrap::core::{Word, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

/// Programs whose commands appear in messages.
const PROGRAMS: [&str; 14] = [
    "aws",
    "cargo",
    "curl",
    "eval",
    "lamstream",
    "npm",
    "pdm",
    "pip",
    "pipenv",
    "poetry",
    "rustup",
    "sed",
    "sudo",
    "uv",
];

/// Wraps text between words. The first line has the first width, all others have the second one and are indented.
///
/// Code between backticks stays on one line if it fits on one. A longer command is continued with a backslash, as in a
/// shell, so that it can still be copied. A word that is longer than a line is not broken.
pub fn wrapped(text: &str, widths: [usize; 2], indent: usize) -> String {
    if display_width(text) <= widths[0] {
        return text.to_owned();
    }
    let words = words(text, widths[1]);
    let lines = wrap_first_fit(&words, &widths.map(|width| width as f64)).into_iter().map(|line| {
        let Some((last, before)) = line.split_last() else { return String::new() };
        let before = before.iter().flat_map(|word| [word.word, word.whitespace]);
        before.chain([last.word, last.penalty]).collect::<String>()
    });
    lines.collect::<Vec<_>>().join(&format!("\n{:indent$}", ""))
}

/// The pieces that are never broken.
fn words(text: &str, width: usize) -> Vec<Word<'_>> {
    let (mut words, mut start, mut end, mut in_code) = (Vec::new(), 0, 0, false);
    for word in WordSeparator::AsciiSpace.find_words(text) {
        end += word.word.len() + word.whitespace.len();
        in_code ^= word.word.matches('`').count() % 2 == 1;
        // A backtick without a partner does not start code.
        if in_code && text[end..].contains('`') {
            continue;
        }
        let whole = Word::from(&text[start..end]);
        if display_width(whole.word) > width {
            let program = whole.split('`').nth(1).and_then(|code| code.split(' ').next());
            let penalty = if program.is_some_and(|program| PROGRAMS.contains(&program)) { " \\" } else { "" };
            let pieces = WordSeparator::AsciiSpace.find_words(&text[start..end]);
            words.extend(pieces.map(|piece| Word { penalty, ..piece }));
            words.last_mut().into_iter().for_each(|last| last.penalty = "");
        } else {
            words.push(whole);
        }
        start = end;
    }
    words
}

/// Recognises two rows that are never wrapped: a line of a file after a gutter that ends with `|`, and the `^^^` below
/// it. If they are too long, only the part around the `^^^` is shown.
pub fn excerpt(line: &str, underline: &str, columns: usize) -> [String; 2] {
    let (gutter, text) = line.split_at(line.find("| ").map_or(0, |at| at + 2));
    let (gutter_below, below) = underline.split_at(underline.len().min(gutter.len()));
    let room = columns.saturating_sub(gutter.len()).max(2);
    let mut cells = cells(text);
    if cells.len() <= room {
        return [line.to_owned(), underline.to_owned()];
    }
    let marked = below.find('^').unwrap_or_default();
    let marks = below.matches('^').count();
    // The marks are in the middle, if they do not fit at the beginning.
    let begin = if marked + marks < room { 0 } else { (marked + 1).saturating_sub(room / 2).min(cells.len() - room) };
    let is_cut_after = begin + room < cells.len();
    cells.truncate(begin + room);
    let mut shown = cells.split_off(begin);
    // Of a letter of two columns, the half that is left is a space.
    if begin > 0 {
        shown[0] = "…".to_owned();
        shown[1] = if shown[1].is_empty() { " ".to_owned() } else { std::mem::take(&mut shown[1]) };
    }
    if is_cut_after {
        if shown[room - 1].is_empty() {
            shown[room - 2] = " ".to_owned();
        }
        shown[room - 1] = "…".to_owned();
    }
    let below: String = below.chars().skip(begin).take(room).collect();
    [gutter.to_owned() + &shown.concat(), gutter_below.to_owned() + &below]
}

/// What is in each column of the text; nothing in the second column of a letter that takes two.
fn cells(text: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for letter in text.chars() {
        match (display_width(letter.encode_utf8(&mut [0; 4])), cells.last_mut()) {
            (0, Some(last)) => last.push(letter),
            (width, _) => {
                cells.push(letter.to_string());
                cells.extend((1..width).map(|_| String::new()));
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_what_is_marked() {
        let line = "  12 | abcdefghijklmnopqrstuvwxyz";
        let rows = |at: usize, marks: usize, columns: usize| {
            let underline = format!("     | {}{}", " ".repeat(at), "^".repeat(marks));
            excerpt(line, &underline, columns).join("\n")
        };
        assert_eq!(rows(3, 2, 40), "  12 | abcdefghijklmnopqrstuvwxyz\n     |    ^^");
        assert_eq!(rows(3, 2, 17), "  12 | abcdefghi…\n     |    ^^");
        assert_eq!(rows(12, 2, 17), "  12 | …jklmnopq…\n     |     ^^");
        assert_eq!(rows(24, 2, 17), "  12 | …rstuvwxyz\n     |         ^^");
        assert_eq!(rows(2, 24, 17), "  12 | abcdefghi…\n     |   ^^^^^^^^");
        let wide = |columns| excerpt("  1 | 漢字漢字 é漢字漢字", "    |           ^^", columns).join("\n");
        assert_eq!(wide(24), "  1 | 漢字漢字 é漢字漢字\n    |           ^^");
        assert_eq!(wide(15), "  1 | … é漢字 …\n    |    ^^");
    }

    #[test]
    fn lines_end_between_words_and_commands_can_be_copied() {
        let table = [
            ("a word and more", [8, 8], "a word\n  and more"),
            ("first is shorter", [5, 12], "first\n  is shorter"),
            ("unbreakable-and-/long/paths stay", [6, 6], "unbreakable-and-/long/paths\n  stay"),
            ("run `a b c` now", [8, 8], "run\n  `a b c`\n  now"),
            ("the value `is not a command`", [12, 12], "the value\n  `is not a\n  command`"),
            ("run `lamstream deploy --local` now", [16, 16], "run `lamstream \\\n  deploy --local`\n  now"),
            ("one ` is no code at all", [8, 8], "one ` is\n  no code\n  at all"),
            ("\x1b[31mred\x1b[0m 漢字 漢字", [9, 9], "\x1b[31mred\x1b[0m 漢字\n  漢字"),
            ("column      column", [20, 20], "column      column"),
            ("", [8, 8], ""),
        ];
        for (text, widths, expected) in table {
            assert_eq!(wrapped(text, widths, 2), expected, "{text}");
        }
    }
}
