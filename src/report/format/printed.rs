//! Text for stdout.

use crate::report::style::Line;
use crate::text;

/// Text that is as harmless as a [`Line`], and includes the end of its last line. A format that writes special text,
/// such as commands for a CI system, makes it harmless in its own file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub(super) String);

impl Text {
    pub fn lines(text: &str) -> Text {
        Text(text::lines(text))
    }

    /// Lines with their colours, wrapped for a terminal of this many columns.
    pub fn wrapped(lines: &[Line], columns: usize) -> Text {
        Text(lines.iter().map(|line| line.wrapped(columns) + "\n").collect())
    }

    /// Lines of a log, whose colours are kept.
    pub fn coloured_lines(text: &str) -> Text {
        Text(text::coloured_lines(text))
    }

    /// A document on its own line.
    pub fn json(document: &serde_json::Value) -> Text {
        Text(text::json(document) + "\n")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Text> for Text {
    fn from_iter<T: IntoIterator<Item = Text>>(texts: T) -> Text {
        Text(texts.into_iter().map(|text| text.0).collect())
    }
}
