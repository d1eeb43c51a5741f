//! Times in words.

use std::fmt;
use std::time::Duration;

/// `850 ms`, `12.3 s`.
pub(super) struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            milliseconds @ ..1000 => write!(formatter, "{milliseconds} ms"),
            _ => write!(formatter, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}
