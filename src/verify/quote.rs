//! Quotes of a response.

/// How many characters of a body are quoted.
const LONGEST: usize = 600;

/// The start of a body on one line, ready to be quoted.
pub(super) fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).replace(|character: char| character.is_control(), " ");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_are_one_short_line() {
        assert_eq!(words(b"a\n\t b\x1b[31m"), "a b [31m");
        assert_eq!(words("é".repeat(700).as_bytes()).chars().count(), LONGEST + 1);
    }
}
