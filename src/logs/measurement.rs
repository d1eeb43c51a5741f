//! What Lambda's own records measure, in both formats. Sources: "Lambda function logs", "Telemetry API event schema" and
//! "Log-level filtering" of AWS's documentation; docs/aws.md, "Platform records".

use super::record::field;
use serde_json::Value;

/// What one record says about one request. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Measurement {
    /// The function has answered, or failed: `platform.runtimeDone`. Text has no such record.
    Done {
        ending: Ending,
        /// From the request to the beginning of the response; `None` if there was none.
        first_byte: Option<f64>,
        bytes: Option<u64>,
    },
    /// The request is over: `platform.report` or `REPORT RequestId:`.
    Over {
        is_json: bool,
        ending: Ending,
        duration: Option<f64>,
        /// How long the start took, if this was the first request of an instance.
        start: Option<f64>,
    },
}

/// How a request ended, according to Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    /// The function or its runtime failed.
    Error,
    Timeout,
}

const REPORT: &str = "REPORT RequestId: ";
/// What CloudWatch has to look for to find these records, in its pattern language. Functions may write these words, too.
pub const PATTERN: &str = "?\"REPORT RequestId:\" ?\"platform.report\" ?\"platform.runtimeDone\"";

impl Measurement {
    /// `None` if the event is none of these records.
    pub(super) fn read(message: &str) -> Option<Measurement> {
        match message.starts_with('{') {
            true => of_json(message),
            false => of_text(message.strip_prefix(REPORT)?),
        }
    }
}

impl Ending {
    fn of(status: Option<&str>) -> Ending {
        match status {
            None | Some("success") => Ending::Success,
            Some("timeout") => Ending::Timeout,
            Some(_) => Ending::Error,
        }
    }
}

fn of_text(report: &str) -> Option<Measurement> {
    let milliseconds = |name: &str| field(report, name)?.strip_suffix(" ms")?.parse::<f64>().ok();
    Some(Measurement::Over {
        is_json: false,
        ending: Ending::of(field(report, "Status")),
        duration: Some(milliseconds("Duration")?),
        // A version with a snapshot is restored instead of started.
        start: milliseconds("Init Duration").or_else(|| milliseconds("Restore Duration")),
    })
}

fn of_json(message: &str) -> Option<Measurement> {
    let event: Value = serde_json::from_str(message).ok()?;
    let (kind, record) = (event.get("type")?.as_str()?, event.get("record")?);
    // Without it, the event is the function's own.
    record.get("requestId")?.as_str()?;
    let ending = Ending::of(record.get("status").and_then(Value::as_str));
    let metric = |name: &str| record.get("metrics")?.get(name);
    let milliseconds = |name: &str| metric(name).and_then(Value::as_f64);
    match kind {
        "platform.runtimeDone" => {
            let spans = record.get("spans").and_then(Value::as_array);
            let is_latency = |span: &&Value| span.get("name").and_then(Value::as_str) == Some("responseLatency");
            let latency = spans.and_then(|spans| spans.iter().find(is_latency));
            Some(Measurement::Done {
                ending,
                first_byte: latency.and_then(|span| span.get("durationMs")?.as_f64()),
                bytes: metric("producedBytes").and_then(Value::as_u64),
            })
        }
        "platform.report" => Some(Measurement::Over {
            is_json: true,
            ending,
            duration: milliseconds("durationMs"),
            start: milliseconds("initDurationMs").or_else(|| milliseconds("restoreDurationMs")),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(is_json: bool, ending: Ending, duration: f64, start: Option<f64>) -> Option<Measurement> {
        Some(Measurement::Over { is_json, ending, duration: Some(duration), start })
    }

    fn done(ending: Ending, first_byte: Option<f64>, bytes: u64) -> Option<Measurement> {
        Some(Measurement::Done { ending, first_byte, bytes: Some(bytes) })
    }

    /// Lines that AWS wrote, as users published them.
    #[test]
    fn reports_of_text_are_read() {
        for (message, expected) in [
            (
                "REPORT RequestId: 5009fcc8\tDuration: 2.37 ms\tBilled Duration: 427 ms\tMemory Size: 1024 MB\tMax Memory Used: 95 MB\tInit Duration: 423.98 ms\t\nXRAY TraceId: 1-6ac7d554\tSegmentId: 854892f9\tSampled: true\n",
                over(false, Ending::Success, 2.37, Some(423.98)),
            ),
            (
                "REPORT RequestId: 276ff3b9\tDuration: 10935.70 ms\tBilled Duration: 10936 ms\tMemory Size: 1024 MB\tMax Memory Used: 1024 MB\tStatus: error\tError Type: Runtime.OutOfMemory\nXRAY TraceId: 1-6ac7d556\tSegmentId: 90cbc97f\tSampled: true",
                over(false, Ending::Error, 10935.7, None),
            ),
            (
                "REPORT RequestId: 79b4f56e\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tStatus: timeout\n",
                over(false, Ending::Timeout, 3000.0, None),
            ),
            (
                "REPORT RequestId: 5ab2b0a4\tDuration: 2.08 ms\tBilled Duration: 205 ms\tMemory Size: 128 MB\tMax Memory Used: 44 MB\tRestore Duration: 450.12 ms\tBilled Restore Duration: 202 ms\t\n",
                over(false, Ending::Success, 2.08, Some(450.12)),
            ),
        ] {
            assert_eq!(Measurement::read(message), expected, "{message}");
        }
    }

    #[test]
    fn records_of_json_are_read() {
        for (message, expected) in [
            (
                r#"{"time":"2024-05-20T16:29:45.019Z","type":"platform.runtimeDone","record":{"requestId":"4b142fc3","status":"success","spans":[{"name":"responseLatency","start":"2024-05-20T16:29:45.008Z","durationMs":2.215},{"name":"responseDuration","start":"2024-05-20T16:29:45.010Z","durationMs":0.056},{"name":"runtimeOverhead","start":"2024-05-20T16:29:45.010Z","durationMs":8.686}],"metrics":{"durationMs":11.185,"producedBytes":40}}}"#,
                done(Ending::Success, Some(2.215), 40),
            ),
            (
                r#"{"time":"2024-05-20T16:29:45.022Z","type":"platform.report","record":{"requestId":"4b142fc3","status":"success","metrics":{"durationMs":11.642,"billedDurationMs":12,"memorySizeMB":128,"maxMemoryUsedMB":67,"initDurationMs":174.055}}}"#,
                over(true, Ending::Success, 11.642, Some(174.055)),
            ),
            (
                r#"{"time":"2026-07-09T06:05:50.562Z","type":"platform.runtimeDone","record":{"requestId":"aec7a529","status":"timeout","metrics":{"durationMs":5001.182,"producedBytes":0}}}"#,
                done(Ending::Timeout, None, 0),
            ),
            (
                r#"{"time":"2026-07-09T06:05:50.581Z","type":"platform.report","record":{"requestId":"aec7a529","metrics":{"durationMs":5000.0,"billedDurationMs":5000,"memorySizeMB":128,"maxMemoryUsedMB":94},"status":"timeout"}}"#,
                over(true, Ending::Timeout, 5000.0, None),
            ),
            // AWS had no status here once.
            (
                r#"{"time":"2022-02-18T11:08:42.159Z","type":"platform.report","record":{"requestId":"78b8f9e2","metrics":{"durationMs":1154.11,"billedDurationMs":1155,"memorySizeMB":128,"maxMemoryUsedMB":68}}}"#,
                over(true, Ending::Success, 1154.11, None),
            ),
        ] {
            assert_eq!(Measurement::read(message), expected, "{message}");
        }
    }

    #[test]
    fn nothing_else_is_a_record() {
        for message in [
            "",
            "START RequestId: 8f5a Version: 3",
            "he said REPORT RequestId: 8f5a\tDuration: 3 ms",
            "REPORT RequestId: 8f5a\tDuration: long",
            "{\"type\":\"platform.report\"",
            r#"{"type":"platform.report","record":{"metrics":{"durationMs":1}}}"#,
            r#"{"type":"platform.start","record":{"requestId":"8f5a","version":"3"}}"#,
            r#"{"level":"INFO","message":"platform.report"}"#,
        ] {
            assert_eq!(Measurement::read(message), None, "{message}");
        }
    }
}
