//! Problems of a manifest: what is wrong, where, and how it is displayed.

use super::secrets;
use crate::text as harmless;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use textwrap::core::display_width;

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text that it is about; `None` if something is missing altogether.
    pub span: Option<Range<usize>>,
    pub message: String,
    /// Bytes that are not displayed, because they may be secret.
    pub(super) hidden: Vec<Range<usize>>,
}

impl Problem {
    pub(super) fn new(span: Option<Range<usize>>, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), hidden: Vec::new() }
    }
}

/// All problems of a manifest, in the order of their places; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    problems: Vec<Problem>,
    hidden: Vec<Range<usize>>,
}

impl Problems {
    /// `hidden` are bytes of the text that are not displayed, in addition to those that a problem hides itself.
    pub(super) fn new(mut problems: Vec<Problem>, mut hidden: Vec<Range<usize>>) -> Problems {
        let place = |problem: &Problem| problem.span.as_ref().map(|span| (span.start, span.end));
        problems.sort_by_key(place);
        let mut seen = BTreeSet::new();
        problems.retain(|problem| seen.insert((place(problem), problem.message.clone())));
        hidden.extend(problems.iter().flat_map(|problem| problem.hidden.iter().cloned()));
        hidden.sort_by_key(|range| range.start);
        Problems { problems, hidden }
    }

    /// The problem of a text that is not valid TOML.
    pub(super) fn of_syntax(errors: &[toml::de::Error], text: &str) -> Problems {
        let hidden = secrets::guessed(text);
        let problem = |error: &toml::de::Error| {
            let span = error.span().map(|span| widened(span, text));
            let message = syntax_message(error.message(), span.as_ref(), text, &hidden);
            Problem::new(span, message)
        };
        Problems::new(errors.iter().map(problem).collect(), hidden)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// All problems for a terminal: each with its line and a mark below, separated by blank lines. `text` is the
    /// manifest's text.
    pub fn render(&self, file: &str, text: &str) -> String {
        let shown: Vec<String> = self.diagnostics(file, text).iter().map(Diagnostic::to_string).collect();
        shown.join("\n\n")
    }

    /// All problems with their places in the file. `text` is the manifest's text.
    pub fn diagnostics(&self, file: &str, text: &str) -> Vec<Diagnostic> {
        let diagnostic = |problem: &Problem| Diagnostic {
            file: file.to_owned(),
            excerpt: problem.span.as_ref().map(|span| self.excerpt(span, text)),
            message: problem.message.clone(),
        };
        self.problems.iter().map(diagnostic).collect()
    }

    fn excerpt(&self, span: &Range<usize>, text: &str) -> Excerpt {
        let line = Line::around(text, span.start);
        let before = &text[line.start..line.clamp(text, span.start)];
        let column = before.strip_prefix('\u{feff}').unwrap_or(before).chars().count() + 1;
        let (shown, underline) = line.excerpt(text, span, &self.hidden);
        Excerpt { line: line.number, column, text: shown, underline }
    }
}

/// A problem with its place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub file: String,
    /// `None` if something is missing altogether.
    pub excerpt: Option<Excerpt>,
    pub message: String,
}

/// A line of a file, and a mark below what a problem is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The line without what is hidden.
    pub text: String,
    pub underline: String,
}

impl Diagnostic {
    /// `deploy.toml:3:9: expected a number`.
    pub fn head(&self) -> String {
        let (file, message) = (harmless::line(&self.file), harmless::line(&self.message));
        match &self.excerpt {
            Some(Excerpt { line, column, .. }) => format!("{file}:{line}:{column}: {message}"),
            None => format!("{file}: {message}"),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.head())?;
        match &self.excerpt {
            Some(excerpt) => write!(formatter, "\n{}", excerpt.rows().join("\n")),
            None => Ok(()),
        }
    }
}

impl Excerpt {
    /// The line behind its number, and the mark.
    pub fn rows(&self) -> [String; 2] {
        let Excerpt { line, text, underline, .. } = self;
        let gutter = " ".repeat(line.to_string().len());
        [format!("  {line} | {text}"), format!("  {gutter} | {underline}")]
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<String> = self.problems.iter().map(|problem| harmless::line(&problem.message)).collect();
        formatter.write_str(&messages.join("; "))
    }
}

impl Error for Problems {}

/// One line of a text as a byte range, without its line end.
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

    /// Moves `place` into this line, to the boundary of a character.
    fn clamp(&self, text: &str, place: usize) -> usize {
        let place = place.clamp(self.start, self.end);
        (self.start..=place).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(self.start)
    }

    /// The line without hidden bytes, and below it the marks for `span`.
    fn excerpt(&self, text: &str, span: &Range<usize>, hidden: &[Range<usize>]) -> (String, String) {
        let (mut excerpt, mut underline) = (String::new(), String::new());
        let mut hiding = false;
        for (offset, character) in text[self.start..self.end].char_indices() {
            let place = self.start + offset;
            let mark = if span.contains(&place) { '^' } else { ' ' };
            let is_hidden = hidden.iter().any(|range| range.contains(&place));
            // Adjacent hidden bytes are replaced by a single mark, so that not even their length shows.
            let shown = match character {
                _ if is_hidden && hiding => String::new(),
                _ if is_hidden => "…".to_owned(),
                '\t' => "    ".to_owned(),
                // The byte order mark of some editors.
                '\u{feff}' if place == 0 => String::new(),
                _ => harmless::line(&text[place..place + character.len_utf8()]),
            };
            hiding = is_hidden;
            excerpt.push_str(&shown);
            // Of a letter of two columns, such as `漢`, both are marked; of one without a column, such as an accent, none.
            underline.extend(std::iter::repeat_n(mark, display_width(&shown)));
        }
        if !underline.contains('^') {
            // The problem is at the end of the line: something is missing there.
            underline.push('^');
        }
        (excerpt, underline.trim_end().to_owned())
    }
}

/// A parser's message in the shape of ours: what is wrong, what was found, what was expected.
fn syntax_message(message: &str, span: Option<&Range<usize>>, text: &str, hidden: &[Range<usize>]) -> String {
    let message = message.trim().replace('\n', "; ");
    let mut characters = message.chars();
    let message = match characters.next() {
        // An abbreviation keeps its case.
        Some(first) if !characters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => message,
    };
    let Some(span) = span else { return message };
    let (what, expected) = message.split_once(", expected ").unwrap_or((&message, ""));
    let (what, expected) = match (what, expected) {
        ("string values must be quoted", _) if span.is_empty() => ("missing value", "one such as a string in quotes"),
        (what, "literal string") => (what, "a string in quotes"),
        (what, "newline, `#`") => (what, "a new line or a comment"),
        other => other,
    };
    let found = found(span, text, hidden).map(|found| format!(": found {found}")).unwrap_or_default();
    if expected.is_empty() { format!("{what}{found}") } else { format!("{what}{found}, expected {expected}") }
}

/// The parser only says where something begins that it did not expect. This is all of it, unless the line ends there.
fn widened(span: Range<usize>, text: &str) -> Range<usize> {
    let line = text.get(span.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let rest = line.trim_start();
    if !span.is_empty() || rest.is_empty() {
        return span;
    }
    let is_word = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let length = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len()).max(first);
    let start = span.start + line.len() - rest.len();
    start..start + length
}

/// What is at this place, unless it may be secret.
fn found(span: &Range<usize>, text: &str, hidden: &[Range<usize>]) -> Option<String> {
    let found = text.get(span.clone())?.trim().lines().next().unwrap_or_default();
    if found.is_empty() {
        let is_last = text[span.start..].trim().is_empty();
        return Some(if is_last { "the end of the file" } else { "the end of the line" }.to_owned());
    }
    let may_be_shown = !hidden.iter().any(|range| range.start < span.end && span.start < range.end);
    may_be_shown.then(|| format!("`{found}`"))
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
