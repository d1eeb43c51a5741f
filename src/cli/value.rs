//! Parsers for the values of options.

use crate::stack::Architecture;
use std::time::Duration;

pub(super) fn architecture(text: &str) -> Result<Architecture, String> {
    Architecture::parse(text).ok_or_else(|| "expected `x86_64` or `arm64`".to_owned())
}

/// A duration with millisecond precision, such as `300ms` or `8s`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let milliseconds = measured(text, &[("ms", 1), ("s", 1000), ("m", 60_000)]);
    milliseconds.map(Duration::from_millis).ok_or_else(|| "expected a number followed by `ms`, `s` or `m`".to_owned())
}

/// A time span to look back, such as `10m` or `2d`.
pub(super) fn since(text: &str) -> Result<Duration, String> {
    let seconds = measured(text, &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]);
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a number followed by `s`, `m`, `h` or `d`".to_owned())
}

/// Bytes, such as `200MB`; a kilobyte has 1024 of them.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let bytes = measured(text, &[("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)]);
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a number above 0, followed by `B`, `KB`, `MB` or `GB`".to_owned())
}

/// A number with one of these units, in the smallest of them.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}
