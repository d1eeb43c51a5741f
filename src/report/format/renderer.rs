//! What a format of stdout must provide.

use super::printed::Text;
use crate::failure::Failure;
use crate::report::answer::{Answer, LogLine};

/// What stdout can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The width to wrap lines to; `usize::MAX` for no limit.
    pub columns: usize,
    pub has_colours: bool,
}

/// Converts answers to output on stdout.
pub(crate) trait Renderer: Send + Sync {
    /// The whole answer of a command, such as `local start`, and its failure; empty if nothing is printed.
    fn answer(&self, command: &str, answer: &Answer, failure: Option<&Failure>, page: Page) -> Text;

    /// Events of a log, as they arrive, for people with their `times` if they are wanted.
    fn log_lines(&self, lines: &[LogLine], times: bool, page: Page) -> Text;

    /// Whether stdout is a single document, so that bodies and logs cannot be streamed.
    fn is_document(&self) -> bool;
}
