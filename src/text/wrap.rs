//! Text in lines of a given width.

use textwrap::WordSeparator;
use textwrap::core::{Word, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

/// Programs whose commands stand in messages.
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

/// The pieces that are not broken.
fn words(text: &str, width: usize) -> Vec<Word<'_>> {
    let (mut words, mut start, mut end, mut in_code) = (Vec::new(), 0, 0, false);
    for word in WordSeparator::AsciiSpace.find_words(text) {
        end += word.word.len() + word.whitespace.len();
        in_code ^= word.word.matches('`').count() % 2 == 1;
        // A backtick without a second one opens nothing.
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

/// Two rows that are not wrapped: a line of a file behind a gutter that ends with `|`, and the `^^^` below it. Of rows that
/// are too long, the part with the `^^^` is shown.
pub fn excerpt(line: &str, underline: &str, columns: usize) -> [String; 2] {
    let gutter = line.find("| ").map_or(0, |at| line[..at].chars().count() + 2);
    let room = columns.saturating_sub(gutter).max(2);
    let length = line.chars().count() - gutter;
    if length <= room {
        return [line.to_owned(), underline.to_owned()];
    }
    let marked = underline.find('^').map_or(0, |at| underline[..at].chars().count().saturating_sub(gutter));
    let marks = underline.matches('^').count();
    // The marks are in the middle, if they do not fit at the beginning.
    let begin = if marked + marks < room { 0 } else { (marked + 1).saturating_sub(room / 2).min(length - room) };
    let (cut_before, cut_after) = (begin > 0, begin + room < length);
    let shown = line.chars().skip(gutter + begin).take(room).enumerate().map(|(nth, letter)| match nth {
        0 if cut_before => '…',
        nth if nth + 1 == room && cut_after => '…',
        _ => letter,
    });
    let below = underline.chars().skip(gutter + begin).take(room);
    let behind = |row: &str| row.chars().take(gutter).collect::<String>();
    [behind(line) + &shown.collect::<String>(), behind(underline) + &below.collect::<String>()]
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
