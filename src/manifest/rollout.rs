//! How a release gets the traffic of the previous one: step by step, judged all the while.

use super::expectation;
use super::section::{Entry, Section};
use crate::stack::Steps;
use std::fmt;
use std::time::Duration;

const TIME: &str = "a time of at most a day such as `90s`, `10m` or `1h`";
const SHARE: &str = "a percentage from 0% to 100% such as `1%` or `0.5%`";

/// A shift that ends itself. Source: `rollout` in `deploy.toml`, and the options of `deploy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftRule {
    pub steps: Steps,
    pub limits: Limits,
}

/// What the requests of a new release must keep to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub max_errors: MostErrors,
    /// For 95 of 100 requests.
    pub max_first_byte: Option<Duration>,
}

/// The largest share of requests that may fail, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostErrors(u16);

impl MostErrors {
    /// The most of this many requests that may fail.
    pub fn of(self, requests: usize) -> usize {
        requests * usize::from(self.0) / 10_000
    }

    /// `1%`, `0.5%`.
    fn parse(text: &str) -> Option<MostErrors> {
        let number = text.strip_suffix('%')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !number.is_empty();
        let percent: f64 = number.parse().ok().filter(|_| is_number)?;
        let hundredths = percent * 100.0;
        let is_one = (0.0..=10_000.0).contains(&hundredths) && (hundredths - hundredths.round()).abs() < 1e-6;
        is_one.then(|| MostErrors(hundredths.round() as u16))
    }
}

impl Default for MostErrors {
    fn default() -> MostErrors {
        MostErrors(100)
    }
}

impl fmt::Display for MostErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", f64::from(self.0) / 100.0)
    }
}

impl ShiftRule {
    pub(super) fn read(function: &Section<'_>) -> Option<ShiftRule> {
        let entry = function.entry("rollout")?;
        let keys = entry.section("`rollout`".to_owned())?;
        refuse_contradictions(&entry, function);
        let percents = keys.required("steps", "percentages such as `[10, 50]`").and_then(|entry| read_steps(&entry));
        let each = keys.required("for", TIME).and_then(|entry| {
            let written = entry.matching(|text| time(text).is_some(), TIME)?;
            time(written.get_ref())
        });
        let errors = keys.matching("max_errors", |text| MostErrors::parse(text).is_some(), SHARE);
        let limits = Limits {
            max_errors: errors.and_then(MostErrors::parse).unwrap_or_default(),
            max_first_byte: expectation::time(&keys, "max_first_byte", None),
        };
        Some(ShiftRule { steps: Steps::new(percents?, each?)?, limits })
    }
}

fn refuse_contradictions(entry: &Entry<'_>, function: &Section<'_>) {
    if !function.has("url") {
        entry.problem_with_name("`rollout` requires `url`: without one there are no checks to judge a release by");
    }
    if function.has("provisioned_concurrency") {
        entry.problem_with_name(
            "`rollout` cannot be used with `provisioned_concurrency`: Lambda keeps instances warm for one version",
        );
    }
}

fn read_steps(entry: &Entry<'_>) -> Option<Vec<u8>> {
    let items = entry.items("an array of percentages such as `[10, 50]`")?;
    // All of them are read, so that all problems are reported.
    let percents: Vec<Option<u8>> = items.iter().map(|item| Some(item.number()?.into_inner() as u8)).collect();
    let percents: Vec<u8> = percents.into_iter().collect::<Option<Vec<u8>>>()?;
    if !Steps::rise(&percents) {
        let most = Steps::MOST;
        entry.problem(format!(
            "`steps` is `{percents:?}`, expected 1 to {most} percentages that rise, such as `[10, 50]`"
        ));
        return None;
    }
    Some(percents)
}

/// `300ms`, `90s`, `10m`, `1h`.
fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let factor = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let time = Duration::from_millis(number.checked_mul(factor)?);
    (!time.is_zero() && time <= Steps::LONGEST).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_as_they_are_written() {
        for (text, of_1000) in [("0%", 0), ("0.5%", 5), ("1%", 10), ("12.25%", 122), ("100%", 1000)] {
            let most = MostErrors::parse(text).unwrap();
            assert_eq!((most.of(1000), most.to_string().as_str()), (of_1000, text));
        }
        for text in ["", "%", "1", "-1%", "101%", "0.001%", "1 %", "nan%", "inf%", "1e1%", "+1%"] {
            assert_eq!(MostErrors::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_have_a_unit_and_an_end() {
        let seconds = |text| time(text).map(|time| time.as_secs());
        assert_eq!(["90s", "10m", "1h", "24h"].map(seconds), [Some(90), Some(600), Some(3600), Some(86_400)]);
        assert_eq!(["", "0s", "10", "m", "25h", "1d", "+1s", "1.5h"].map(seconds), [None; 8]);
    }
}
