//! AWS's date formats.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::clock::Millis;

fn write(at: Millis, form: &[BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(form)
        .unwrap_or_default()
}

/// `2026-11-22T18:00:00.123+0000`, as Lambda writes `LastModified`.
pub(crate) fn lambda(at: Millis) -> String {
    write(at, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000"))
}

/// `2026-11-22T18:00:00.123456Z`, as Function URL configurations have it.
pub(crate) fn url(at: Millis) -> String {
    write(at, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"))
}

/// `2026-11-22T18:00:00Z`, as IAM has it.
pub(crate) fn iam(at: Millis) -> String {
    write(at, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
}

/// `2026-11-22T18:00:00.123Z`, as lines in logs have it.
pub(crate) fn log(at: Millis) -> String {
    write(at, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
}

/// `22/Nov/2026:18:00:00 +0000`, as URL events have it.
pub(crate) fn event(at: Millis) -> String {
    write(at, format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000"))
}

/// `Sun, 22 Nov 2026 18:00:00 GMT`, as HTTP has it.
pub(crate) fn http(at: Millis) -> String {
    write(at, format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"))
}

/// `2026/11/22`, the beginning of a log stream's name.
pub(crate) fn stream(at: Millis) -> String {
    write(at, format_description!("[year]/[month]/[day]"))
}

/// Reads `20261122T180000Z`, the date a signature carries.
pub(crate) fn parse_signed(text: &str) -> Option<SystemTime> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    time::PrimitiveDateTime::parse(text, form).ok().map(|at| at.assume_utc().into())
}

#[cfg(test)]
mod tests {
    use super::{event, lambda, parse_signed, stream, url};

    #[test]
    fn dates_have_the_forms_of_aws() {
        let at = 1_673_437_544_123;
        assert_eq!(lambda(at), "2023-01-11T11:45:44.123+0000");
        assert_eq!(url(at), "2023-01-11T11:45:44.123000Z");
        assert_eq!(event(at), "11/Jan/2023:11:45:44 +0000");
        assert_eq!(stream(at), "2023/01/11");
        assert!(parse_signed("20230111T114544Z").is_some());
        assert!(parse_signed("2023-01-11").is_none());
    }
}
