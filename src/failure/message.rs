//! The message of a failure: a line with quoted text, or several problems.

use crate::manifest::Diagnostic;
use std::fmt;

/// The message of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Line(Vec<Piece>),
    Problems(Vec<Problem>),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// Whether it may be quoted from elsewhere, and may contain a secret.
    pub is_quoted: bool,
}

/// One or more problems with the same hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub what: What,
    pub hints: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Manifest(Vec<Diagnostic>),
    Build { message: String, caused_by: Vec<String> },
}

/// A row of a message.
pub enum Row {
    Text(String),
    /// A line of a file, and a mark below it.
    Excerpt([String; 2]),
}

impl Message {
    /// A line that may be quoted from elsewhere in any part.
    pub fn quoted(text: impl Into<String>) -> Message {
        Message::Line(vec![Piece { text: text.into(), is_quoted: true }])
    }

    /// A line without quoted text.
    pub fn own(text: impl Into<String>) -> Message {
        Message::Line(vec![Piece { text: text.into(), is_quoted: false }])
    }

    /// Continues on the same line.
    pub fn and(self, more: Message) -> Message {
        Message::Line([self.into_pieces(), more.into_pieces()].concat())
    }

    fn into_pieces(self) -> Vec<Piece> {
        match self {
            Message::Line(pieces) => pieces,
            problems @ Message::Problems(_) => vec![Piece { text: problems.to_string(), is_quoted: true }],
        }
    }

    /// Whether each problem is followed by its hints.
    pub fn has_hints(&self) -> bool {
        matches!(self, Message::Problems(problems) if problems.len() > 1)
    }

    pub fn rows(&self) -> Vec<Row> {
        match self {
            Message::Line(pieces) => vec![Row::Text(pieces.iter().map(|piece| piece.text.as_str()).collect())],
            Message::Problems(problems) => {
                let mut rows = Vec::new();
                for problem in problems {
                    problem.add_to(&mut rows, self.has_hints());
                }
                rows
            }
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |row| match row {
            Row::Text(text) => text,
            Row::Excerpt(rows) => rows.join("\n"),
        };
        let rows: Vec<String> = self.rows().into_iter().map(row).collect();
        formatter.write_str(&rows.join("\n"))
    }
}

impl Problem {
    /// The problem with each of its texts replaced.
    pub fn map(&self, replaced: impl Fn(&str) -> String) -> Problem {
        let all = |texts: &[String]| -> Vec<String> { texts.iter().map(|text| replaced(text)).collect() };
        let diagnostic = |diagnostic: &Diagnostic| {
            let mut diagnostic = diagnostic.clone();
            diagnostic.message = replaced(&diagnostic.message);
            diagnostic.excerpt.iter_mut().for_each(|excerpt| excerpt.text = replaced(&excerpt.text));
            diagnostic
        };
        let what = match &self.what {
            What::Manifest(diagnostics) => What::Manifest(diagnostics.iter().map(diagnostic).collect()),
            What::Build { message, caused_by } => What::Build { message: replaced(message), caused_by: all(caused_by) },
        };
        Problem { what, hints: all(&self.hints) }
    }

    /// Adds its rows, below an empty row if there are others before.
    fn add_to(&self, rows: &mut Vec<Row>, with_hints: bool) {
        let begin = |rows: &mut Vec<Row>, head: String| {
            if !rows.is_empty() {
                rows.push(Row::Text(String::new()));
            }
            rows.push(Row::Text(head));
        };
        match &self.what {
            What::Manifest(diagnostics) => {
                for diagnostic in diagnostics {
                    begin(rows, diagnostic.head());
                    rows.extend(diagnostic.excerpt.iter().map(|excerpt| Row::Excerpt(excerpt.rows())));
                }
            }
            What::Build { message, caused_by } => {
                begin(rows, message.clone());
                rows.extend(caused_by.iter().map(|cause| Row::Text(format!("  caused by: {cause}"))));
            }
        }
        let hints =
            self.hints.iter().enumerate().filter(|(nth, hint)| with_hints && !self.hints[..*nth].contains(hint));
        rows.extend(hints.map(|(_, hint)| Row::Text(format!("  hint: {hint}"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Excerpt;

    #[test]
    fn hints_follow_their_problem_only_if_there_are_several() {
        let excerpt = Excerpt { line: 12, column: 3, text: "a = 1".to_owned(), underline: "^".to_owned() };
        let message = "wrong".to_owned();
        let diagnostic = Diagnostic { file: "deploy.toml".to_owned(), excerpt: Some(excerpt), message };
        let hints = vec!["correct it".to_owned(), "correct it".to_owned()];
        let mistake = Problem { what: What::Manifest(vec![diagnostic]), hints };
        let rendered = "deploy.toml:12:3: wrong\n  12 | a = 1\n     | ^";
        assert_eq!(Message::Problems(vec![mistake.clone()]).to_string(), rendered);
        let what = What::Build { message: "no cargo".to_owned(), caused_by: vec!["not found".to_owned()] };
        let build = Problem { what, hints: vec!["install it".to_owned()] };
        assert_eq!(
            Message::Problems(vec![mistake, build]).to_string(),
            format!("{rendered}\n  hint: correct it\n\nno cargo\n  caused by: not found\n  hint: install it")
        );
    }
}
