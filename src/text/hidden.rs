//! Hides secret values in text, and keeps the text readable.
//!
//! Not every value of an environment is a secret, and values such as `1` or `info` also occur as ordinary words. How
//! far a value is searched for therefore depends on how distinctive it is:
//!
//! - A value that cannot be guessed (six characters or more, of two kinds of letters, digits and signs, or sixteen of
//!   one kind) is hidden wherever it occurs, in all its spellings.
//! - Six or more characters of one kind, such as `hunter` or `482913`, and four or five of two kinds, are hidden where
//!   they are a whole token: no letter, digit or `_` is next to them.
//! - Shorter values, names of regions, and ordinary words of configuration, such as `production`, are hidden only where
//!   the environment itself is repeated: as a whole value after `=`, or after a quoted name and `:`.

use super::spelling::{escaped, in_base64};
use std::ops::Range;

/// Replaces a hidden value.
pub const HIDDEN: &str = "[hidden]";

/// Shorter values, lines and truncated values cannot be recognised.
const TELLING: usize = 6;
/// Values of this length are hidden everywhere, whatever they consist of.
const LONG: usize = 16;
/// Shorter values are hidden as whole tokens at most.
const SHORT: usize = 4;

/// Values that occur in most environments and in AWS's own sentences, and are never secret.
const ORDINARY: &str = "always application async auto automatic boolean buffered bundle cluster config configuration console \
    container critical custom database debug default development disable disabled dynamic enable enabled endpoint \
    environment error false function handler header hidden import info inherit integration internal invalid lambda \
    listener local localhost logging memory message method module never nodejs none notice number object off optional \
    parameter password pending policy postgres private prod produce product production profile provided public python \
    read region release request required resource response rust secret server service session simple stage staging \
    standard static storage stream string success system test testing timeout token trace true undefined unknown update \
    user value variable verbose version warn warning";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Anywhere,
    Token,
    /// Hidden only where the environment is repeated.
    Echo,
}

/// `text` without these values: as they are, in base64, in a URL, as JSON, XML, shells and programs write them, line by
/// line, with spaces and line ends collapsed, and with their start or end cut off by an `…`.
pub fn hide<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut hidden = Vec::new();
    let mut whole = Vec::new();
    for secret in secrets {
        find(text, secret, &mut hidden, &mut whole);
        // A log has one event per line. Some lines of a value, such as a brace, are not secret.
        for line in secret.lines().map(str::trim).filter(|line| *line != secret && line.chars().count() >= TELLING) {
            find(text, line, &mut hidden, &mut whole);
        }
    }
    for (cut, mark) in text.match_indices('…') {
        hidden.extend(whole.iter().filter_map(|spelling| beginning(text, cut, spelling)).max_by_key(Range::len));
        let after = cut + mark.len();
        hidden.extend(whole.iter().filter_map(|spelling| end(text, after, spelling)).max_by_key(Range::len));
    }
    without(text, hidden)
}

/// Where the value occurs in the text. `whole` receives the spellings of which a truncated part may occur, too.
fn find(text: &str, secret: &str, hidden: &mut Vec<Range<usize>>, whole: &mut Vec<String>) {
    let reach = reach(secret);
    let spellings = escaped(secret);
    for spelling in &spellings {
        let found = text.match_indices(spelling.as_str()).map(|(at, found)| at..at + found.len());
        hidden.extend(found.filter(|range| match reach {
            Reach::Anywhere => true,
            Reach::Token => is_token(text, range),
            Reach::Echo => is_token(text, range) && is_echo(text, range),
        }));
    }
    if reach == Reach::Echo {
        return;
    }
    let encoded = in_base64(secret).into_iter().filter(|encoded| encoded.len() >= TELLING);
    for encoded in encoded {
        hidden.extend(text.match_indices(&encoded).map(|(at, found)| at..at + found.len()));
    }
    if reach == Reach::Anywhere {
        whole.extend(spellings);
    }
}

fn reach(secret: &str) -> Reach {
    let length = secret.chars().count();
    let kinds = [char::is_lowercase, char::is_uppercase, char::is_numeric, |letter: char| !letter.is_alphanumeric()];
    let kinds = kinds.iter().filter(|is| secret.trim().contains(**is)).count();
    let is_ordinary = ORDINARY.split_whitespace().any(|word| word.eq_ignore_ascii_case(secret));
    match (length, kinds) {
        _ if is_ordinary || is_region(secret) => Reach::Echo,
        (LONG.., _) | (TELLING.., 2..) => Reach::Anywhere,
        (TELLING.., _) | (SHORT.., 2..) => Reach::Token,
        _ => Reach::Echo,
    }
}

/// Whether a value is distinctive enough to be found outside a list of variables.
pub(super) fn tells(value: &str) -> bool {
    reach(value) != Reach::Echo
}

/// Whether it looks like `us-east-1`.
fn is_region(secret: &str) -> bool {
    let parts: Vec<&str> = secret.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase());
    match parts.as_slice() {
        [place, words @ .., number] => {
            matches!(place.len(), 2..=4)
                && matches!(words.len(), 1..=3)
                && is_word(place)
                && words.iter().all(is_word)
                && matches!(number.as_bytes(), [b'0'..=b'9'])
        }
        _ => false,
    }
}

fn is_token(text: &str, range: &Range<usize>) -> bool {
    let continues = |letter: char| letter.is_alphanumeric() || letter == '_';
    let before = &text[..range.start];
    // The letter of an escape sequence, such as the `n` of `\n`, is not part of a token.
    let escape =
        before.len() >= 2 && before.is_char_boundary(before.len() - 2) && before[before.len() - 2..].starts_with('\\');
    (escape || !before.ends_with(continues)) && !text[range.end..].starts_with(continues)
}

/// Whether a whole value is at this place: `NAME=value`, `"NAME": "value"`, `'NAME': value`, also within a JSON string.
fn is_echo(text: &str, range: &Range<usize>) -> bool {
    let quotes = |letter: char| matches!(letter, '"' | '\'' | '\\');
    let before = text[..range.start].trim_end_matches(quotes);
    let named = match before.trim_end().strip_suffix(':') {
        Some(name) => name.trim_end().ends_with(quotes),
        None => before
            .strip_suffix('=')
            .is_some_and(|name| name.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')),
    };
    let after = text[range.end..].chars().next();
    named && after.is_none_or(|letter| quotes(letter) || letter.is_whitespace() || ",}])&;…`".contains(letter))
}

/// The start of a value right before `cut`, where the text was truncated.
fn beginning(text: &str, cut: usize, spelling: &str) -> Option<Range<usize>> {
    let mut ends = spelling.char_indices().map(|(end, _)| end).filter(|end| *end >= TELLING).rev();
    let end = ends.find(|end| text[..cut].ends_with(&spelling[..*end]))?;
    Some(cut - end..cut)
}

/// The end of a value right after `cut`, before which the text was truncated.
fn end(text: &str, cut: usize, spelling: &str) -> Option<Range<usize>> {
    let mut ends = spelling.char_indices().map(|(start, _)| &spelling[start..]);
    let end = ends.find(|end| end.len() >= TELLING && text[cut..].starts_with(end))?;
    Some(cut..cut + end.len())
}

/// Hides overlapping and adjacent matches under a single mark, so that nothing of two overlapping values remains.
fn without(text: &str, mut hidden: Vec<Range<usize>>) -> String {
    hidden.sort_by_key(|range| (range.start, range.end));
    let (mut shown, mut at) = (String::new(), 0);
    for range in hidden {
        if range.start >= at {
            // One mark is enough for the match that follows directly.
            if range.start > at || at == 0 {
                shown.push_str(&text[at..range.start]);
                shown.push_str(HIDDEN);
            }
        }
        at = at.max(range.end);
    }
    shown + &text[at..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_value_is_found_in_every_spelling() {
        for (text, secret) in [
            ("measured: {KEY=planted-1}", "planted-1"),
            (r#"{"KEY":"plan\"ted\n2"}"#, "plan\"ted\n2"),
            (r#"{"log":"{\"KEY\":\"plan\\\"ted\\n2\"}"}"#, "plan\"ted\n2"),
            (r#"{"log":"{\"KEY\": \"plan-\\u00e9\"}"} plan-\u00e9"#, "plan-é"),
            ("the key plan ted 2 is wrong", "plan\n\t ted\r\n2"),
            ("https://x/?key=plan%2Fted%3D2&b plan%2fted%3d2 plan/ted%3D2", "plan/ted=2"),
            ("key=plan+ted%26 plan%20ted%26 plan ted&amp;", "plan ted&"),
            ("<m>plan&lt;t&quot;ed&#39;2</m> plan&lt;t\"ed'2", "plan<t\"ed'2"),
            (r"echo 'plan'\''ted' b'plan\'ted'", "plan'ted"),
            (r"https:\/\/plan:ted@x", "https://plan:ted@x"),
            ("it says planted-val…", "planted-value"),
            ("é planted-… and planted-value-…", "planted-value-4711"),
            ("…anted-value and …ted-value", "planted-value"),
            ("log: plan-one ends", "plan-one\nplan-two"),
            ("plan-two", "{\n  plan-one\r\n  plan-two\n}"),
            ("keyplanted-4711and more", "planted-4711"),
            ("the code planted is wrong", "planted"),
            ("code a1-b2c it was", "a1-b2c"),
        ] {
            let hidden = hide(text, [secret]);
            assert!(hidden.contains("[hidden]") && !hidden.contains("plan") && !hidden.contains("a1-b"), "{hidden}");
        }
        assert_eq!(hide("nothing of it…", ["planted", ""]), "nothing of it…");
    }

    #[test]
    fn base64_hides_nothing_wherever_it_begins() {
        let secret = "planted-value";
        for before in ["", "a", "ab", "abc", "{\"KEY\":\""] {
            for after in ["", "z", "\"}"] {
                let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
                let hidden = hide(&format!("event {encoded} was"), [secret]);
                assert!(hidden.starts_with("event ") && hidden.ends_with(" was"), "{hidden}");
                let left = hidden.replace(HIDDEN, "");
                assert!(
                    left.len() < "event  was".len() + encoded.len() - secret.len() && hidden != encoded,
                    "{hidden}"
                );
            }
        }
    }

    #[test]
    fn what_tells_nothing_makes_no_message_unreadable() {
        let message = "User: arn:aws:iam::123456789012:user/dev is not authorized to perform lambda:CreateFunction on \
            the function in us-east-1, 1 validation error detected: Value '1' at 'memorySize' failed: true is not one";
        let values = [
            "1",
            "e",
            "is",
            "true",
            "dev",
            "function",
            "Function",
            "user",
            "error",
            "",
            " ",
            "12",
            "lambda",
            "us-east-1",
        ];
        assert_eq!(hide(message, values), message);
        let message = "production of functions: detected is not a detector";
        assert_eq!(hide(message, ["production", "detect", "functio"]), message);
    }

    #[test]
    fn what_is_short_is_hidden_where_the_environment_is_repeated() {
        let secrets = ["1234", "1", "info", "e"];
        for (echo, expected) in [
            ("measured: {PIN=1234, DEBUG=1, LEVEL=info}", "measured: {PIN=[hidden], DEBUG=[hidden], LEVEL=[hidden]}"),
            ("{PIN=12345, A=1.5}", "{PIN=12345, A=1.5}"),
            (r#"{"PIN":"1234","D": 1}"#, r#"{"PIN":"[hidden]","D": [hidden]}"#),
            (r#"{"v":"{\"PIN\":\"1234\"}"}"#, r#"{"v":"{\"PIN\":\"[hidden]\"}"}"#),
            ("{'PIN': '1234'}", "{'PIN': '[hidden]'}"),
            ("PIN=\"1234\" LEVEL='e'", "PIN=\"[hidden]\" LEVEL='[hidden]'"),
            ("version 1234, 1 of 1234", "version 1234, 1 of 1234"),
        ] {
            assert_eq!(hide(echo, secrets), expected);
        }
    }

    /// The shorter of two values must not leave the rest of the longer one visible, and a mark must not be taken for a
    /// value.
    #[test]
    fn a_value_within_another_leaves_nothing_of_it() {
        for secrets in [["plant-ed", "plant-ed-and-more"], ["plant-ed-and-more", "plant-ed"]] {
            assert_eq!(hide("a plant-ed-and-more b plant-ed c", secrets), "a [hidden] b [hidden] c");
        }
        assert_eq!(hide("a one-two-three b", ["one-two", "two-three"]), "a [hidden] b");
        assert_eq!(hide("K=planted-1 H=hidden", ["planted-1", "hidden"]), "K=[hidden] H=[hidden]");
    }
}
