//! Figures of each release, from Lambda's own records. Its memory does not depend on the number of requests.

use super::histogram::{Percentiles, Times};
use super::measurement::{Ending, Measurement};
use super::record::version_of;
use std::collections::BTreeMap;
use std::ops::Range;

/// How many parts of equal length the time is divided into, for what changes over time.
const PARTS: usize = 120;

/// Counts the requests of each release.
#[derive(Debug)]
pub struct Tally {
    /// Milliseconds since 1970.
    time: Range<i64>,
    /// By the version that the streams name.
    releases: BTreeMap<Option<String>, Counts>,
}

/// The figures of one release. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseFigures {
    /// `None` if the log does not name it.
    pub version: Option<String>,
    /// When the first and the last record were written, in milliseconds since 1970.
    pub first: i64,
    pub last: i64,
    /// Requests that ended.
    pub requests: u64,
    /// From the request to the beginning of the response; `None` if the log's level omits it.
    pub first_byte: Option<Percentiles>,
    pub duration: Option<Percentiles>,
    /// Of all responses; `None` if the log's level omits it.
    pub bytes: Option<u64>,
    /// Requests that had to wait for an instance to start, and for how long.
    pub cold_starts: u64,
    pub start: Option<Percentiles>,
    pub errors: u64,
    pub timeouts: u64,
    /// Requests that failed after their response had begun; `None` if the log's format omits it.
    pub cut_streams: Option<u64>,
    /// The first byte over time.
    pub parts: Vec<Part>,
}

/// A part of the time in which requests ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Its middle, in milliseconds since 1970.
    pub at: i64,
    pub first_byte: Percentiles,
}

#[derive(Debug)]
struct Counts {
    first: i64,
    last: i64,
    /// By how they ended.
    requests: [u64; 3],
    /// Those that succeeded and whose first byte the log has. At a higher level, it has only that of the others.
    answered: u64,
    done: u64,
    has_json: bool,
    first_byte: Times,
    duration: Times,
    bytes: u64,
    start: Times,
    cold_starts: u64,
    cut: u64,
    parts: BTreeMap<usize, Times>,
}

impl Tally {
    /// Counts requests that ended in this time, in milliseconds since 1970.
    pub fn new(time: Range<i64>) -> Tally {
        Tally { time, releases: BTreeMap::new() }
    }

    /// Every event of the log may be passed, in any order, but only once.
    pub fn add(&mut self, stream: &str, timestamp: i64, message: &str) {
        let Some(measurement) = Measurement::read(message) else { return };
        let part = self.part(timestamp);
        let version = version_of(stream).map(str::to_owned);
        let counts = self.releases.entry(version).or_insert_with(|| Counts::new(timestamp));
        counts.first = counts.first.min(timestamp);
        counts.last = counts.last.max(timestamp);
        counts.add(&measurement, part);
    }

    fn part(&self, timestamp: i64) -> usize {
        let length = (self.time.end - self.time.start).max(1) as f64;
        let share = (timestamp - self.time.start) as f64 / length;
        ((share * PARTS as f64) as usize).min(PARTS - 1)
    }

    /// The releases that ended a request, the newest first.
    pub fn figures(&self) -> Vec<ReleaseFigures> {
        let number = |version: &Option<String>| version.as_ref().and_then(|version| version.parse::<u64>().ok());
        let mut found: Vec<ReleaseFigures> =
            self.releases.iter().map(|(version, counts)| self.release(version, counts)).collect();
        found.retain(|release| release.requests > 0);
        found.sort_by_key(|release| std::cmp::Reverse(number(&release.version)));
        found
    }

    fn release(&self, version: &Option<String>, counts: &Counts) -> ReleaseFigures {
        let knows_responses = counts.knows_responses();
        let length = (self.time.end - self.time.start) as f64 / PARTS as f64;
        let part = |(nth, times): (&usize, &Times)| {
            let at = self.time.start + ((*nth as f64 + 0.5) * length) as i64;
            Some(Part { at, first_byte: times.percentiles()? })
        };
        ReleaseFigures {
            version: version.clone(),
            first: counts.first,
            last: counts.last,
            requests: counts.requests.iter().sum(),
            first_byte: counts.first_byte.percentiles().filter(|_| knows_responses),
            duration: counts.duration.percentiles(),
            bytes: knows_responses.then_some(counts.bytes),
            cold_starts: counts.cold_starts,
            start: counts.start.percentiles(),
            errors: counts.requests[Ending::Error as usize],
            timeouts: counts.requests[Ending::Timeout as usize],
            cut_streams: counts.has_json.then_some(counts.cut),
            parts: if knows_responses { counts.parts.iter().filter_map(part).collect() } else { Vec::new() },
        }
    }
}

impl Counts {
    fn new(at: i64) -> Counts {
        Counts {
            first: at,
            last: at,
            requests: [0; 3],
            answered: 0,
            done: 0,
            has_json: false,
            first_byte: Times::with_digits(3),
            duration: Times::with_digits(3),
            bytes: 0,
            start: Times::with_digits(3),
            cold_starts: 0,
            cut: 0,
            parts: BTreeMap::new(),
        }
    }

    fn add(&mut self, measurement: &Measurement, part: usize) {
        match *measurement {
            Measurement::Done { ending, first_byte, bytes } => {
                self.has_json = true;
                self.done += 1;
                self.answered += u64::from(ending == Ending::Success);
                self.bytes += bytes.unwrap_or_default();
                self.cut += u64::from(ending != Ending::Success && first_byte.is_some());
                if let Some(first_byte) = first_byte {
                    self.first_byte.add(first_byte);
                    self.parts.entry(part).or_insert_with(|| Times::with_digits(2)).add(first_byte);
                }
            }
            Measurement::Over { is_json, ending, duration, start } => {
                self.has_json |= is_json;
                self.requests[ending as usize] += 1;
                duration.into_iter().for_each(|duration| self.duration.add(duration));
                start.into_iter().for_each(|start| self.start.add(start));
                self.cold_starts += u64::from(start.is_some());
            }
        }
    }

    /// Whether the log has what it takes to judge all responses. Below the level `debug`, it has only those that failed.
    fn knows_responses(&self) -> bool {
        self.answered > 0 || (self.done > 0 && self.requests[Ending::Success as usize] == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn done(status: &str, latency: Option<f64>, bytes: u64) -> String {
        let spans =
            latency.map(|latency| format!("\"spans\":[{{\"name\":\"responseLatency\",\"durationMs\":{latency}}}],"));
        format!(
            "{{\"type\":\"platform.runtimeDone\",\"record\":{{\"requestId\":\"r\",\"status\":\"{status}\",{}\"metrics\":{{\"durationMs\":9,\"producedBytes\":{bytes}}}}}}}",
            spans.unwrap_or_default()
        )
    }

    fn report(status: &str, duration: f64, init: Option<f64>) -> String {
        let init = init.map(|init| format!(",\"initDurationMs\":{init}")).unwrap_or_default();
        format!(
            "{{\"type\":\"platform.report\",\"record\":{{\"requestId\":\"r\",\"status\":\"{status}\",\"metrics\":{{\"durationMs\":{duration}{init}}}}}}}"
        )
    }

    fn text(duration: f64, status: &str) -> String {
        format!("REPORT RequestId: r\tDuration: {duration:.2} ms\tBilled Duration: 9 ms\t{status}\n")
    }

    fn figures(events: &[(&str, i64, String)]) -> Vec<ReleaseFigures> {
        let mut tally = Tally::new(0..HOUR);
        events.iter().for_each(|(stream, at, message)| tally.add(stream, *at, message));
        tally.figures()
    }

    #[test]
    fn each_release_has_its_own_figures() {
        let found = figures(&[
            ("2026/11/30/[9]a", 1000, done("success", Some(12.5), 100)),
            ("2026/11/30/[9]a", 1001, report("success", 30.0, Some(200.0))),
            ("2026/11/30/[10]b", HOUR - 1, done("success", Some(4.0), 50)),
            ("2026/11/30/[10]b", HOUR - 1, report("success", 10.0, None)),
            ("2026/11/30/[9]a", 2000, done("error", Some(3.0), 10)),
            ("2026/11/30/[9]a", 2000, report("error", 5.0, None)),
            ("2026/11/30/[9]c", 500, done("timeout", None, 0)),
            ("2026/11/30/[9]c", 500, report("timeout", 3000.0, None)),
            ("2026/11/30/[9]c", 600, "a line".to_owned()),
        ]);
        let versions: Vec<_> = found.iter().map(|release| release.version.as_deref().unwrap()).collect();
        assert_eq!(versions, ["10", "9"]);
        let nine = &found[1];
        assert_eq!((nine.first, nine.last, nine.requests), (500, 2000, 3));
        assert_eq!((nine.errors, nine.timeouts, nine.cut_streams, nine.cold_starts), (1, 1, Some(1), 1));
        assert_eq!((nine.bytes, nine.start.unwrap().p99), (Some(110), 200.0));
        assert_eq!((nine.first_byte.unwrap().p50, nine.first_byte.unwrap().p95), (3.0, 12.5));
        let duration = nine.duration.unwrap();
        assert!((30.0..30.03).contains(&duration.p50) && duration.longest == 3000.0, "{duration:?}");
        assert_eq!(nine.parts.iter().map(|part| part.at).collect::<Vec<_>>(), [HOUR / 240]);
        assert_eq!(found[0].parts[0].at, HOUR - HOUR / 240);
    }

    /// The level `info` has the first bytes of failed requests only, which say nothing about the others.
    #[test]
    fn what_the_log_omits_is_unknown() {
        let info = [
            ("2026/11/30/[1]a", 1, report("success", 30.0, None)),
            ("2026/11/30/[1]a", 2, done("error", Some(3.0), 10)),
            ("2026/11/30/[1]a", 2, report("error", 5.0, None)),
        ];
        let found = &figures(&info)[0];
        assert_eq!((found.requests, found.first_byte, found.bytes, found.cut_streams), (2, None, None, Some(1)));
        assert!(found.parts.is_empty());
        let failed = &figures(&info[1..])[0];
        assert_eq!(failed.first_byte.map(|found| found.p50), Some(3.0));
        let text =
            &figures(&[("2026/11/30/[1]a", 1, text(2.0, "")), ("2026/11/30/[1]a", 2, text(3.0, "Status: timeout\t"))])
                [0];
        assert_eq!((text.requests, text.timeouts, text.first_byte, text.cut_streams), (2, 1, None, None));
    }

    #[test]
    fn a_stream_without_a_version_is_counted_too() {
        let found = figures(&[("own", 1, text(2.0, "")), ("2026/11/30/shop-chat[$LATEST]a", 1, text(2.0, ""))]);
        let versions: Vec<_> = found.iter().map(|release| release.version.as_deref()).collect();
        assert_eq!(versions, [None, Some("$LATEST")]);
        assert_eq!(figures(&[]), []);
    }
}
