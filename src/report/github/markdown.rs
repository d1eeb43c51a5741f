//! Text in Markdown that shows exactly what it says, whatever its source is.

use crate::text;

/// The shortest fence of a code block.
const FENCE: usize = 3;

/// Text in a paragraph or in a cell of a table, without any markup.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text::line(text).chars() {
        if letter.is_ascii_punctuation() {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// An address that GitHub makes a link of; plain text if it is more than that.
pub(super) fn address(url: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/:.-".contains(letter);
    match url.starts_with("http") && url.chars().all(is_plain) {
        true => url.to_owned(),
        false => plain(url),
    }
}

/// A block of code, whose fence is longer than any in the lines.
pub(super) fn block(language: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().flat_map(|line| line.split('\n')).map(text::line).collect();
    let longest = lines.iter().flat_map(|line| line.split(|letter| letter != '`')).map(str::len).max();
    let fence = "`".repeat(FENCE.max(longest.unwrap_or(0) + 1));
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// A table; its cells are Markdown without line ends.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    [line(&head), line(&rule)].into_iter().chain(rows.iter().map(|row| line(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shows_what_it_says() {
        assert_eq!(plain("a|b <img> `c`\n[d](e) @f"), "a\\|b \\<img\\> \\`c\\`\\\\n\\[d\\]\\(e\\) \\@f");
        assert_eq!(address("https://a-1.on.aws/"), "https://a-1.on.aws/");
        assert_eq!(address("https://a)|b"), "https\\:\\/\\/a\\)\\|b");
    }

    #[test]
    fn a_block_ends_with_its_own_fence() {
        let shown = block("diff", &["+ a".to_owned(), "````".to_owned(), "b\n```c".to_owned()]);
        assert_eq!(shown, "`````diff\n+ a\n````\nb\n```c\n`````\n");
        assert_eq!(block("", &[]), "```\n\n```\n");
    }
}
