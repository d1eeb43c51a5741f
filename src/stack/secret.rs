//! A value that nobody may see, and texts without it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;

/// Shorter beginnings of a value are told apart from nothing.
const TELLING: usize = 6;

/// A value that may be somebody's secret, so it cannot be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value itself, for AWS's eyes or the function's.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it can be looked for in texts of any kind: `1` or `true` would be found where it is none.
    pub fn is_telling(&self) -> bool {
        self.0.len() >= TELLING
    }

    /// `text` without these values: neither as they are, nor in base64, nor as JSON writes them, alone or within a
    /// string of JSON, nor line by line, nor with their spaces and line ends made one, nor with their end or beginning
    /// cut off by an `…`.
    pub fn hide<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
        let mut spellings: Vec<String> = secrets.into_iter().flat_map(spellings).collect();
        // What is a part of another value must not take that one's middle out of it.
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        let hidden = spellings.iter().fold(text.to_owned(), |text, spelling| text.replace(spelling, HIDDEN));
        let cuts: Vec<usize> = hidden.match_indices('…').map(|(place, _)| place).collect();
        cuts.into_iter().rev().fold(hidden, |text, cut| {
            let text = without_end(&text, cut + '…'.len_utf8(), &spellings);
            without_beginning(&text, cut, &spellings)
        })
    }
}

const HIDDEN: &str = "[hidden]";

fn spellings(secret: &str) -> Vec<String> {
    let json = as_json(secret);
    let line = secret.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut spellings = vec![secret.to_owned(), as_json(&json), json, line, STANDARD_NO_PAD.encode(secret)];
    // A log has a line of its own for each; some of them, such as a brace, are nobody's secret.
    spellings.extend(secret.lines().map(str::trim).filter(|line| line.len() >= TELLING).map(str::to_owned));
    spellings.retain(|spelling| !spelling.is_empty());
    spellings.dedup();
    spellings
}

/// As it stands between the quotes of a string in JSON.
fn as_json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// The text without the beginning of a value right before `cut`, where it was cut off.
fn without_beginning(text: &str, cut: usize, spellings: &[String]) -> String {
    let before = &text[..cut];
    let longest = spellings.iter().filter_map(|spelling| {
        let ends = spelling.char_indices().map(|(end, _)| end).filter(|end| *end >= TELLING);
        ends.rev().find(|end| before.ends_with(&spelling[..*end]))
    });
    match longest.max() {
        Some(length) => format!("{}{HIDDEN}{}", &text[..cut - length], &text[cut..]),
        None => text.to_owned(),
    }
}

/// The text without the end of a value right after `cut`, before which something was cut off.
fn without_end(text: &str, cut: usize, spellings: &[String]) -> String {
    let after = &text[cut..];
    let longest = spellings.iter().filter_map(|spelling| {
        let mut ends = spelling.char_indices().map(|(start, _)| &spelling[start..]);
        ends.find(|end| end.len() >= TELLING && after.starts_with(end)).map(str::len)
    });
    match longest.max() {
        Some(length) => format!("{}{HIDDEN}{}", &text[..cut], &after[length..]),
        None => text.to_owned(),
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Secret {
        Secret::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_every_spelling() {
        for (text, secret) in [
            ("measured: {KEY=planted}", "planted"),
            (r#"{"KEY":"plan\"ted\n2"}"#, "plan\"ted\n2"),
            (r#"{"log":"{\"KEY\":\"plan\\\"ted\\n2\"}"}"#, "plan\"ted\n2"),
            ("the key plan ted 2 is wrong", "plan\n\t ted\r\n2"),
            ("cGxhbnRlZA== it was", "planted"),
            ("it says planted-val…", "planted-value"),
            ("é planted-… and planted-value-…", "planted-value-4711"),
            ("…anted-value and …ted-value", "planted-value"),
            ("log: plan-one ends", "plan-one\nplan-two"),
            ("plan-two", "{\n  plan-one\r\n  plan-two\n}"),
        ] {
            let hidden = Secret::hide(text, [secret]);
            assert!(hidden.contains("[hidden]") && !hidden.contains("plan") && !hidden.contains("cGx"), "{hidden}");
        }
        assert_eq!(Secret::hide("nothing of it…", ["planted", ""]), "nothing of it…");
    }

    /// The shorter of two must not leave the rest of the longer one behind.
    #[test]
    fn a_value_within_another_leaves_nothing_of_it() {
        for secrets in [["planted", "planted-and-more"], ["planted-and-more", "planted"]] {
            assert_eq!(Secret::hide("a planted-and-more b planted c", secrets), "a [hidden] b [hidden] c");
        }
    }

    #[test]
    fn it_has_no_words_of_its_own() {
        assert_eq!(format!("{:?}", Secret::new("planted")), "[hidden]");
    }
}
