//! What is wrong with a manifest, where, and how that is shown.

use super::secrets;
use crate::text as harmless;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text that it is about; `None` when what is wrong is that something is nowhere.
    pub span: Option<Range<usize>>,
    pub message: String,
    /// Bytes that are not shown with it: they may be secret.
    pub(super) hidden: Vec<Range<usize>>,
}

impl Problem {
    pub(super) fn new(span: Option<Range<usize>>, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), hidden: Vec::new() }
    }
}

/// All that is wrong with a manifest, in the order of its place; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    problems: Vec<Problem>,
    hidden: Vec<Range<usize>>,
}

impl Problems {
    /// `hidden` are the bytes of the text that are not shown, beside those that a problem hides itself.
    pub(super) fn new(mut problems: Vec<Problem>, mut hidden: Vec<Range<usize>>) -> Problems {
        let place = |problem: &Problem| problem.span.as_ref().map(|span| (span.start, span.end));
        problems.sort_by_key(place);
        let mut seen = BTreeSet::new();
        problems.retain(|problem| seen.insert((place(problem), problem.message.clone())));
        hidden.extend(problems.iter().flat_map(|problem| problem.hidden.iter().cloned()));
        hidden.sort_by_key(|range| range.start);
        Problems { problems, hidden }
    }

    /// Of a text that is not valid TOML.
    pub(super) fn of_syntax(errors: &[toml::de::Error], text: &str) -> Problems {
        let problems = errors.iter().map(|error| Problem::new(error.span(), syntax_message(error.message()))).collect();
        Problems::new(problems, secrets::guessed(text))
    }

    /// Both, in the order of their place.
    pub fn and(self, other: Problems) -> Problems {
        Problems::new([self.problems, other.problems].concat(), [self.hidden, other.hidden].concat())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// All of them for a person: each with its line and what it is about underlined, a blank line between two.
    /// `text` is the one that was parsed.
    pub fn render(&self, file: &str, text: &str) -> String {
        let file = &harmless::line(file);
        let shown: Vec<String> = self.problems.iter().map(|problem| self.render_one(problem, file, text)).collect();
        shown.join("\n\n")
    }

    fn render_one(&self, problem: &Problem, file: &str, text: &str) -> String {
        let message = harmless::line(&problem.message);
        let Some(span) = &problem.span else { return format!("{file}: {message}") };
        let line = Line::around(text, span.start);
        let column = text[line.start..line.clamp(text, span.start)].chars().count() + 1;
        let number = line.number.to_string();
        let (excerpt, underline) = line.excerpt(text, span, &self.hidden);
        let gutter = " ".repeat(number.len());
        format!("{file}:{number}:{column}: {message}\n  {number} | {excerpt}\n  {gutter} | {underline}")
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<String> = self.problems.iter().map(|problem| harmless::line(&problem.message)).collect();
        formatter.write_str(&messages.join("; "))
    }
}

impl Error for Problems {}

/// One line of a text, by its bytes, without what ends it.
struct Line {
    number: usize,
    start: usize,
    end: usize,
}

impl Line {
    fn around(text: &str, place: usize) -> Line {
        let before = &text.as_bytes()[..place.min(text.len())];
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let rest = text[start..].split('\n').next().unwrap_or_default();
        let number = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Line { number, start, end: start + rest.trim_end_matches('\r').len() }
    }

    /// A place in this line and between two characters, whatever `place` is.
    fn clamp(&self, text: &str, place: usize) -> usize {
        let place = place.clamp(self.start, self.end);
        (self.start..=place).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(self.start)
    }

    /// The line without what is hidden, and under it the marks for `span`.
    fn excerpt(&self, text: &str, span: &Range<usize>, hidden: &[Range<usize>]) -> (String, String) {
        let (mut excerpt, mut underline) = (String::new(), String::new());
        let mut hiding = false;
        for (offset, character) in text[self.start..self.end].char_indices() {
            let place = self.start + offset;
            let mark = if span.contains(&place) { '^' } else { ' ' };
            let is_hidden = hidden.iter().any(|range| range.contains(&place));
            // One sign stands for all that is hidden in a row, so that not even its length shows.
            let shown = match character {
                _ if is_hidden && hiding => String::new(),
                _ if is_hidden => "…".to_owned(),
                '\t' => "    ".to_owned(),
                _ => harmless::line(&text[place..place + character.len_utf8()]),
            };
            hiding = is_hidden;
            excerpt.push_str(&shown);
            underline.extend(shown.chars().map(|_| mark));
        }
        if !underline.contains('^') {
            // What is wrong is at the end of the line: something is missing there.
            underline.push('^');
        }
        (excerpt, underline.trim_end().to_owned())
    }
}

/// A parser's message in the shape of ours.
fn syntax_message(message: &str) -> String {
    let message = message.trim().replace('\n', "; ");
    let mut characters = message.chars();
    match characters.next() {
        // An abbreviation keeps its case.
        Some(first) if !characters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, span: Range<usize>, hidden: Option<Range<usize>>) -> String {
        Problems::new(vec![Problem::new(Some(span), "wrong")], hidden.into_iter().collect()).render("deploy.toml", text)
    }

    #[test]
    fn the_place_is_marked() {
        let text = "app = \"a\"\nmemroy = 256\n";
        assert_eq!(rendered(text, 10..16, None), "deploy.toml:2:1: wrong\n  2 | memroy = 256\n    | ^^^^^^");
    }

    #[test]
    fn columns_count_characters() {
        let text = "\tü = \"é\"\r\n";
        assert_eq!(rendered(text, 6..10, None), "deploy.toml:1:6: wrong\n  1 |     ü = \"é\"\n    |         ^^^");
    }

    #[test]
    fn what_is_hidden_has_no_length() {
        let text = "KEY = 'secret' # why";
        assert_eq!(rendered(text, 6..14, Some(6..14)), "deploy.toml:1:7: wrong\n  1 | KEY = … # why\n    |       ^");
    }

    #[test]
    fn the_end_of_the_text_is_a_place() {
        assert_eq!(rendered("app =", 5..5, None), "deploy.toml:1:6: wrong\n  1 | app =\n    |      ^");
    }

    #[test]
    fn control_characters_reach_no_terminal() {
        let problems = Problems::new(vec![Problem::new(None, "a \u{1b}[31mred name")], Vec::new());
        assert_eq!(problems.render("deploy.toml", ""), "deploy.toml: a \\x1b[31mred name");
    }
}
