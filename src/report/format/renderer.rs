//! What a format of stdout has to do.

use crate::failure::Failure;
use crate::report::answer::{Answer, LogLine};
use crate::report::style::Text;

/// Turns what a command found out into what stdout gets.
pub trait Renderer: Send + Sync {
    /// The whole answer of a command, such as `local start`, and what it failed with; empty where there is nothing to
    /// print.
    fn answer(&self, command: &str, answer: &Answer, failure: Option<&Failure>) -> Text;

    /// Events of a log, while they come.
    fn log_lines(&self, lines: &[LogLine]) -> Text;

    /// Whether stdout gets one document at the end, and so no body of a response or log as it comes.
    fn is_document(&self) -> bool;
}
