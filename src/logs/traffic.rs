//! How one version's requests went, by Lambda's own records of them. A status of 500 is not an error there: the function
//! has answered.

use super::record::{Record, version_of};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// The requests of a version, counted from its log.
#[derive(Debug)]
pub struct Traffic {
    version: String,
    /// Requests that do not count, because lamstream made them.
    own: BTreeSet<String>,
    requests: usize,
    failed: BTreeSet<String>,
    /// In milliseconds, as far as the log has them.
    first_bytes: Vec<f64>,
}

/// What is known of a version's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub requests: usize,
    pub errors: usize,
    /// How many first bytes are known.
    pub timed: usize,
    /// The first byte of 95 of 100 requests came within this time; `None` if none is known.
    pub first_byte: Option<Duration>,
}

impl Traffic {
    pub fn of(version: &str) -> Traffic {
        let (own, failed) = Default::default();
        Traffic { version: version.to_owned(), own, requests: 0, failed, first_bytes: Vec::new() }
    }

    /// The number of the version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Leaves out a request of lamstream's.
    pub fn leave_out(&mut self, request: String) {
        self.own.insert(request);
    }

    /// Starts to count from nothing. Requests that are left out stay left out.
    pub fn restart(&mut self) {
        self.requests = 0;
        self.failed.clear();
        self.first_bytes.clear();
    }

    /// Reads an event of the log. Each is passed once, in any order.
    pub fn read(&mut self, stream: &str, message: &str) {
        if version_of(stream) != Some(&self.version) {
            return;
        }
        if let Some((request, milliseconds)) = first_byte(message)
            && !self.own.contains(&request)
        {
            self.first_bytes.push(milliseconds);
        }
        match Record::read(message) {
            Some(Record::Report { request, failed }) if !self.own.contains(&request) => {
                self.requests += 1;
                if failed {
                    self.failed.insert(request);
                }
            }
            Some(Record::Fault { request: Some(request) }) if !self.own.contains(&request) => {
                self.failed.insert(request);
            }
            _ => {}
        }
    }

    pub fn counted(&self) -> Counted {
        let errors = self.failed.len();
        let mut times = self.first_bytes.clone();
        times.sort_by(f64::total_cmp);
        let nth = (times.len() * 95).div_ceil(100).saturating_sub(1);
        Counted {
            // The report of a request that has failed may not be readable yet.
            requests: self.requests.max(errors),
            errors,
            timed: times.len(),
            first_byte: times.get(nth).map(|milliseconds| Duration::from_secs_f64(milliseconds.max(0.0) / 1000.0)),
        }
    }

    /// How many requests had their first byte later than this.
    pub fn later_than(&self, limit: Duration) -> usize {
        let limit = limit.as_secs_f64() * 1000.0;
        self.first_bytes.iter().filter(|milliseconds| **milliseconds > limit).count()
    }
}

/// The request and the time to its first byte, in milliseconds, if the event has it: `responseLatency` of
/// `platform.runtimeDone`, which only JSON logs have. Source: docs/aws.md, "Logs".
fn first_byte(message: &str) -> Option<(String, f64)> {
    let event: Value = message.starts_with('{').then(|| serde_json::from_str(message).ok())??;
    let record =
        event.get("record").filter(|_| event.get("type").and_then(Value::as_str) == Some("platform.runtimeDone"))?;
    let request = record.get("requestId")?.as_str()?.to_owned();
    let spans = record.get("spans")?.as_array()?;
    let latency = spans.iter().find(|span| span.get("name").and_then(Value::as_str) == Some("responseLatency"))?;
    Some((request, latency.get("durationMs")?.as_f64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(request: usize, status: &str, milliseconds: f64) -> String {
        format!(
            r#"{{"type":"platform.runtimeDone","record":{{"requestId":"{request}","status":"{status}","spans":[{{"name":"responseDuration","durationMs":9.0}},{{"name":"responseLatency","durationMs":{milliseconds}}}]}}}}"#
        )
    }

    fn report(request: usize, status: &str) -> String {
        format!(
            r#"{{"type":"platform.report","record":{{"requestId":"{request}","status":"{status}","metrics":{{}}}}}}"#
        )
    }

    #[test]
    fn requests_of_the_version_are_counted_once_in_both_formats() {
        let mut traffic = Traffic::of("3");
        let mut read = |version: &str, message: &str| traffic.read(&format!("2026/11/30/[{version}]a"), message);
        for message in [
            "START RequestId: 1 Version: 3\n",
            "REPORT RequestId: 1\tDuration: 1 ms\t\n",
            "RequestId: 2 Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n",
            "REPORT RequestId: 2\tDuration: 1 ms\tStatus: error\n",
            "2026-11-30T03:00:00.000Z 3 Task timed out after 3.00 seconds\n",
            &report(4, "success"),
            &done(5, "error", 7.0),
            &report(5, "error"),
            "an ERROR of the function's own",
        ] {
            read("3", message);
        }
        read("2", "REPORT RequestId: 6\tDuration: 1 ms\tStatus: error\n");
        let counted = traffic.counted();
        // The third has no report yet.
        assert_eq!((counted.requests, counted.errors, counted.timed), (4, 3, 1));
        traffic.restart();
        assert_eq!(traffic.counted(), Counted::default());
    }

    #[test]
    fn a_failed_request_counts_before_its_report_can_be_read() {
        let mut traffic = Traffic::of("3");
        traffic.read("2026/11/30/[3]a", "2026-11-30T03:00:00.000Z 3 Task timed out after 3.00 seconds\n");
        let counted = traffic.counted();
        assert_eq!((counted.requests, counted.errors), (1, 1));
    }

    #[test]
    fn checks_are_left_out() {
        let mut traffic = Traffic::of("3");
        traffic.leave_out("1".to_owned());
        traffic.restart();
        for message in [report(1, "error"), done(1, "error", 9.0), report(2, "success")] {
            traffic.read("2026/11/30/shop-chat[3]a", &message);
        }
        let counted = traffic.counted();
        assert_eq!((counted.requests, counted.errors, counted.timed), (1, 0, 0));
    }

    #[test]
    fn the_first_byte_of_95_of_100_counts() {
        let mut traffic = Traffic::of("3");
        for request in 1..=100 {
            let milliseconds = if request > 95 { 5000.0 } else { request as f64 };
            traffic.read("2026/11/30/[3]a", &done(request, "success", milliseconds));
        }
        assert_eq!(traffic.counted().first_byte, Some(Duration::from_millis(95)));
        assert_eq!(traffic.later_than(Duration::from_secs(2)), 5);
    }
}
