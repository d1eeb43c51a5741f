//! What `stats` shows as text: the figures of each release, with bars that compare the releases.

use crate::logs::{Percentiles, ReleaseFigures};
use crate::report::answer::{Figures, FunctionAnswer};
use crate::report::moment::utc_seconds;
use crate::report::style::Line;
use crate::text::palette::{CYAN, RED, YELLOW};
use anstyle::Style;

/// The columns of the longest bar.
const BAR: f64 = 24.0;
/// The width of the column of names.
const NAMES: usize = 12;

pub(super) fn lines(function: &FunctionAnswer, figures: &Figures) -> Vec<Line> {
    let (from, to) = (utc_seconds(figures.time.start / 1000), utc_seconds(figures.time.end / 1000));
    let releases = &figures.releases;
    let none = if releases.is_empty() { ": no request ended" } else { "" };
    let head = Line::plain(&format!("{} from {from} to {to}{none}", function.name));
    let longest = |times: fn(&ReleaseFigures) -> Option<Percentiles>| {
        releases.iter().filter_map(times).map(|found| found.p99).fold(0.0, f64::max)
    };
    let first_byte = longest(|release| release.first_byte);
    let duration = longest(|release| release.duration);
    let shown = releases.iter().flat_map(|release| {
        let title =
            format!("version {}: {}", release.version.as_deref().unwrap_or("unknown"), requests(release.requests));
        let mut lines = vec![Line::plain("").and(CYAN, &title)];
        lines.extend(times("first byte", release.first_byte, first_byte));
        lines.extend(times("duration", release.duration, duration));
        lines.push(named("cold starts", &cold_starts(release)));
        lines.push(named("sent", &release.bytes.map_or_else(|| "not in the log".to_owned(), size)));
        lines.push(failures(release));
        lines
    });
    std::iter::once(head).chain(shown.map(Line::indented)).collect()
}

fn requests(count: u64) -> String {
    if count == 1 { "1 request".to_owned() } else { format!("{count} requests") }
}

fn named(name: &str, value: &str) -> Line {
    Line::plain(&format!("  {name:NAMES$}{value}"))
}

/// One line for each percentile.
fn times(name: &str, found: Option<Percentiles>, longest: f64) -> Vec<Line> {
    let Some(Percentiles { p50, p95, p99, .. }) = found else { return vec![named(name, "not in the log")] };
    let rows = [(name, "p50", p50), ("", "p95", p95), ("", "p99", p99)];
    let line = |(name, rank, time): (&str, &str, f64)| {
        named(name, &format!("{rank} {:>11} {}", milliseconds(time), bar(time, longest)))
    };
    rows.map(line).to_vec()
}

fn bar(time: f64, longest: f64) -> String {
    let columns = if longest > 0.0 { (time / longest * BAR).round() as usize } else { 0 };
    "█".repeat(columns.max(1))
}

/// `12.3 ms`, or `2.50 s` from ten seconds on.
fn milliseconds(time: f64) -> String {
    if time < 10_000.0 { format!("{time:.1} ms") } else { format!("{:.2} s", time / 1000.0) }
}

fn cold_starts(release: &ReleaseFigures) -> String {
    let share = release.cold_starts as f64 * 100.0 / release.requests.max(1) as f64;
    let times = release
        .start
        .map(|found| format!(", p50 {}, longest {}", milliseconds(found.p50), milliseconds(found.longest)));
    format!("{} ({share:.1}%){}", release.cold_starts, times.unwrap_or_default())
}

/// Bytes with a unit; a kilobyte has 1024 bytes.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut size, mut unit) = (bytes as f64 / 1024.0, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1024.0, unit + 1);
    }
    format!("{size:.1} {}", UNITS[unit])
}

fn failures(release: &ReleaseFigures) -> Line {
    let style = |count: u64, style: Style| if count > 0 { style } else { Style::new() };
    let cut =
        release.cut_streams.map_or_else(|| "cut streams not in the log".to_owned(), |cut| format!("cut streams {cut}"));
    named("errors", "")
        .and(style(release.errors, RED), &release.errors.to_string())
        .and(Style::new(), ", timeouts ")
        .and(style(release.timeouts, RED), &release.timeouts.to_string())
        .and(Style::new(), ", ")
        .and(style(release.cut_streams.unwrap_or_default(), YELLOW), &cut)
        .and(Style::new(), ", throttles not in the log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_bars() {
        let times = |p50: f64, p99: f64| Some(Percentiles { p50, p95: p99 / 2.0, p99, longest: p99 });
        let release = |version: &str, requests, first_byte, duration| ReleaseFigures {
            version: Some(version.to_owned()),
            requests,
            first_byte,
            duration,
            cold_starts: 1,
            start: times(210.0, 480.0),
            bytes: Some(5 << 20),
            cut_streams: Some(2),
            errors: 1,
            ..ReleaseFigures::default()
        };
        let unknown =
            ReleaseFigures { bytes: None, cut_streams: None, ..release("1", 1, None, times(20_000.0, 20_000.0)) };
        let releases = vec![release("2", 1204, times(5.0, 120.0), times(10.0, 1000.0)), unknown];
        let figures = Figures { time: 1_796_025_600_000..1_796_029_200_000, releases };
        let function = FunctionAnswer { name: "chat".to_owned(), ..FunctionAnswer::default() };
        let shown: Vec<String> = lines(&function, &figures)
            .iter()
            .map(|line| anstream::adapter::strip_str(&line.to_string()).to_string())
            .collect();
        let bar = |columns: usize| "█".repeat(columns);
        let expected = [
            "chat from 2026-11-30T08:00:00Z to 2026-11-30T09:00:00Z".to_owned(),
            "  version 2: 1204 requests".to_owned(),
            format!("    first byte  p50      5.0 ms {}", bar(1)),
            format!("                p95     60.0 ms {}", bar(12)),
            format!("                p99    120.0 ms {}", bar(24)),
            format!("    duration    p50     10.0 ms {}", bar(1)),
            format!("                p95    500.0 ms {}", bar(1)),
            format!("                p99   1000.0 ms {}", bar(1)),
            "    cold starts 1 (0.1%), p50 210.0 ms, longest 480.0 ms".to_owned(),
            "    sent        5.0 MB".to_owned(),
            "    errors      1, timeouts 0, cut streams 2, throttles not in the log".to_owned(),
            "  version 1: 1 request".to_owned(),
            "    first byte  not in the log".to_owned(),
            format!("    duration    p50     20.00 s {}", bar(24)),
            format!("                p95     10.00 s {}", bar(12)),
            format!("                p99     20.00 s {}", bar(24)),
            "    cold starts 1 (100.0%), p50 210.0 ms, longest 480.0 ms".to_owned(),
            "    sent        not in the log".to_owned(),
            "    errors      1, timeouts 0, cut streams not in the log, throttles not in the log".to_owned(),
        ];
        assert_eq!(shown, expected);
        let none = Figures { releases: Vec::new(), ..figures };
        assert_eq!(lines(&function, &none).len(), 1);
        assert_eq!([size(1023), size(1024), size(3 << 40)], ["1023 B", "1.0 KB", "3.0 TB"]);
    }
}
