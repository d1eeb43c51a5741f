//! Parsers for the values of options.

use crate::logs::Since;
use crate::stack::{Architecture, LONGEST_SECRET, Steps, is_secret_name};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Parses a whole number in this range. `expected` describes it in words.
pub(super) fn whole<T: FromStr + PartialOrd + Clone + Send + Sync + 'static>(
    range: RangeInclusive<T>,
    expected: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text: &str| {
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| format!("expected {expected}"))
    }
}

pub(super) fn architecture(text: &str) -> Result<Architecture, String> {
    Architecture::parse(text).ok_or_else(|| "expected `x86_64` or `arm64`, such as `--arch arm64`".to_owned())
}

/// The name of an app, which is the beginning of all names on AWS.
pub(super) fn app(text: &str) -> Result<String, String> {
    const LONGEST: usize = 40;
    let is_valid = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
    let is_one = (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_valid);
    is_one.then(|| text.to_owned()).ok_or_else(|| format!("expected at most {LONGEST} letters, digits, `-` and `_`"))
}

/// The name of a value that is stored for functions.
pub(super) fn secret(text: &str) -> Result<String, String> {
    is_secret_name(text).then(|| text.to_owned()).ok_or_else(|| {
        format!("expected at most {LONGEST_SECRET} letters, digits, `_`, `.` and `-`, such as `TOKEN`; the value is read from stdin")
    })
}

/// The number of an AWS account.
pub(super) fn account(text: &str) -> Result<String, String> {
    let is_one = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| text.to_owned()).ok_or_else(|| "expected twelve digits, such as `123456789012`".to_owned())
}

/// A duration with millisecond precision, such as `300ms` or `8s`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let milliseconds = measured(text, &[("ms", 1), ("s", 1000), ("m", 60_000)]);
    milliseconds
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a whole number followed by `ms`, `s` or `m`, such as `300ms`".to_owned())
}

/// Shares of the traffic that rise, such as `10` or `10,50`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Percents(pub Vec<u8>);

pub(super) fn percents(text: &str) -> Result<Percents, String> {
    let percents: Option<Vec<u8>> = text.split(',').map(|percent| percent.parse().ok()).collect();
    percents.filter(|percents| Steps::rise(percents)).map(Percents).ok_or_else(|| {
        format!(
            "expected a whole number from 1 to 99, such as `--shift 10`, or with `--for` up to {} that rise, such as \
             `--shift 10,50`",
            Steps::MOST
        )
    })
}

/// How long a step of a shift is held.
pub(super) fn time_of_a_step(text: &str) -> Result<Duration, String> {
    let milliseconds = measured(text, &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]);
    let time = milliseconds.map(Duration::from_millis).filter(|time| !time.is_zero() && *time <= Steps::LONGEST);
    time.ok_or_else(|| "expected a time of at most a day such as `90s`, `10m` or `1h`".to_owned())
}

/// A time span to look back, such as `10m` or `2d`, or a time of RFC 3339 with its offset from UTC.
pub(super) fn since(text: &str) -> Result<Since, String> {
    let seconds = measured(text, &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]);
    let ago = seconds.map(Duration::from_secs).map(Since::Ago);
    let at = || {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok().map(Since::At)
    };
    ago.or_else(at).ok_or_else(|| {
        "expected a whole number followed by `s`, `m`, `h` or `d`, such as `10m`, or a time such as \
         `2026-11-30T08:00:00Z`"
            .to_owned()
    })
}

/// The number of a version, or `$LATEST`.
pub(super) fn version(text: &str) -> Result<String, String> {
    let is_one = text == "$LATEST" || text.parse::<u64>().is_ok_and(|number| number > 0);
    is_one.then(|| text.to_owned()).ok_or_else(|| "expected the number of a version, such as `--version 3`".to_owned())
}

/// A number of bytes, such as `200MB`; a kilobyte has 1024 bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let bytes = measured(text, &[("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)]);
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a whole number above 0 followed by `B`, `KB`, `MB` or `GB`, such as `20MB`".to_owned())
}

/// A number with one of these units, in the smallest of them.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use crate::cli::Arguments;
    use clap::CommandFactory;

    /// The message replaces clap's own, such as "invalid digit found in string".
    #[test]
    fn a_wrong_number_is_named_with_what_is_expected_and_an_example() {
        for (typed, expected) in [
            (
                "deploy --shift ten",
                "'ten' for '--shift <PCT>': expected a whole number from 1 to 99, such as `--shift 10`",
            ),
            (
                "deploy --shift 100",
                "'100' for '--shift <PCT>': expected a whole number from 1 to 99, such as `--shift 10`",
            ),
            ("deploy --shift 50,10", "or with `--for` up to 10 that rise, such as `--shift 10,50`"),
            ("deploy --shift 10 --for 0s", "'0s' for '--for <TIME>': expected a time of at most a day such as `90s`"),
            ("rollback --to 0", "'0' for '--to <VERSION>': expected the number of a version, such as `--to 3`"),
            (
                "local run --port 65536",
                "'65536' for '--port <PORT>': expected a port from 0 to 65535, such as `--port 4566`",
            ),
            ("local start --api-rate 1.5", "'1.5' for '--api-rate <COUNT>': expected a whole number above 0, such as"),
            ("local start --concurrency=-1", "'-1' for '--concurrency <COUNT>': expected a whole number, such as"),
            (
                "local start --pending 2",
                "'2' for '--pending <TIME>': expected a whole number followed by `ms`, `s` or `m`",
            ),
            (
                "local start --stream-size 0MB",
                "'0MB' for '--stream-size <SIZE>': expected a whole number above 0 followed by",
            ),
            ("logs chat --since 5y", "'5y' for '--since <TIME>': expected a whole number followed by"),
            ("logs chat --since 2026-11-30", "or a time such as `2026-11-30T08:00:00Z`"),
            ("logs chat --version live", "expected the number of a version, such as `--version 3`"),
            ("logs chat -n few", "'few' for '--lines <COUNT>': expected a whole number, such as `-n 50`"),
            ("build --arch arm", "expected `x86_64` or `arm64`, such as `--arch arm64`"),
        ] {
            let words = format!("lamstream {typed}");
            let error = Arguments::command().try_get_matches_from(words.split(' ')).expect_err(typed).to_string();
            assert!(error.contains(expected), "{typed}: {error}");
        }
    }
}
