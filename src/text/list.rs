//! Lists within sentences.

use std::fmt::Display;

/// Words in backticks, as after "one of": `` `a`, `b` ``.
pub fn quoted<T: Display>(words: impl IntoIterator<Item = T>) -> String {
    in_backticks(words).collect::<Vec<_>>().join(", ")
}

/// The same within a sentence: `` `a`, `b` and `c` ``.
pub fn quoted_and<T: Display>(words: impl IntoIterator<Item = T>) -> String {
    joined(in_backticks(words), "and")
}

/// `` `a`, `b` or `c` ``.
pub fn quoted_or<T: Display>(words: impl IntoIterator<Item = T>) -> String {
    joined(in_backticks(words), "or")
}

/// The same without backticks: `a, b and c`.
pub fn and<T: Display>(words: impl IntoIterator<Item = T>) -> String {
    joined(words.into_iter().map(|word| word.to_string()), "and")
}

fn in_backticks<T: Display>(words: impl IntoIterator<Item = T>) -> impl Iterator<Item = String> {
    words.into_iter().map(|word| format!("`{word}`"))
}

fn joined(words: impl Iterator<Item = String>, by: &str) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} {by} {last}", others.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_follows_an_and() {
        assert_eq!((quoted(["a", "b"]), quoted_and(["a"])), ("`a`, `b`".to_owned(), "`a`".to_owned()));
        assert_eq!(
            (quoted_or(["a", "b"]), quoted_and(["a", "b", "c"])),
            ("`a` or `b`".into(), "`a`, `b` and `c`".into())
        );
        assert_eq!((quoted_and::<&str>([]), and(["7", "8"])), (String::new(), "7 and 8".to_owned()));
    }
}
