//! Times in UTC. Pure.

use time::OffsetDateTime;
use time::macros::format_description;

/// `2026-11-30T08:00:00.123Z`
pub(super) fn utc_milliseconds(milliseconds: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000);
    time.ok().and_then(|time| time.format(form).ok()).unwrap_or_default()
}

/// `2026-11-30T08:00:00Z`
pub(super) fn utc_seconds(seconds: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let time = OffsetDateTime::from_unix_timestamp(seconds);
    time.ok().and_then(|time| time.format(form).ok()).unwrap_or_default()
}

/// The same of Lambda's form, `2026-11-30T08:00:00.123+0000`.
pub(super) fn of_lambda(time: &str) -> String {
    time.split('.').next().map(|time| format!("{time}Z")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_times_look_alike() {
        assert_eq!(utc_milliseconds(1_796_025_600_007), "2026-11-30T08:00:00.007Z");
        assert_eq!(utc_seconds(1_796_025_600), "2026-11-30T08:00:00Z");
        assert_eq!(of_lambda("2026-11-30T08:00:00.123+0000"), "2026-11-30T08:00:00Z");
        // A description may have been written by hand.
        assert_eq!(utc_seconds(i64::MAX), "");
    }
}
