//! Text in lines of a given width.

use textwrap::WordSeparator;
use textwrap::core::{Word, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

/// Wraps text between words. The first line has the first width, all others have the second one and are indented.
///
/// Code between backticks stays on one line if it fits on one. Longer code is continued with a backslash, as in a shell,
/// so that a command can still be copied. A word that is longer than a line is not broken.
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
            let pieces = WordSeparator::AsciiSpace.find_words(&text[start..end]);
            words.extend(pieces.map(|piece| Word { penalty: " \\", ..piece }));
            words.last_mut().into_iter().for_each(|last| last.penalty = "");
        } else {
            words.push(whole);
        }
        start = end;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_commands_can_be_copied() {
        let table = [
            ("a word and more", [8, 8], "a word\n  and more"),
            ("first is shorter", [5, 12], "first\n  is shorter"),
            ("unbreakable-and-/long/paths stay", [6, 6], "unbreakable-and-/long/paths\n  stay"),
            ("run `a b c` now", [8, 8], "run\n  `a b c`\n  now"),
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
