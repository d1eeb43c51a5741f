//! Lambda's own records in a log, in both formats: lines such as `REPORT RequestId: …`, and JSON with a `type` such as
//! `platform.report`. Source: "Lambda function logs" and "Telemetry API event schema" of AWS's documentation.

use serde_json::Value;
use std::time::Duration;

/// How Lambda's own lines start in the format for people.
const STARTS: [&str; 11] = [
    "START RequestId:",
    "END RequestId:",
    "REPORT RequestId:",
    "INIT_START ",
    "INIT_REPORT ",
    "RESTORE_START ",
    "RESTORE_REPORT ",
    "EXTENSION\t",
    "LOGS\t",
    "TELEMETRY\t",
    "XRAY TraceId:",
];

/// One of Lambda's own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// An invocation begins.
    Start { request: String },
    /// An invocation has ended.
    End { request: String },
    /// What an invocation took; `failed` if it did not succeed.
    Report { request: String, failed: bool },
    /// How a start ended, if Lambda reports it on its own.
    Init { failed: bool },
    /// A function that took too long, or a runtime that ended.
    Fault { request: Option<String> },
    /// Anything else that Lambda writes itself.
    Other,
}

impl Record {
    /// What Lambda says in this event; `None` if the function wrote it.
    pub(super) fn read(message: &str) -> Option<Record> {
        let message = message.trim_end();
        if message.starts_with('{') {
            return Record::of_json(&serde_json::from_str(message).ok()?);
        }
        if let Some(record) = fault(message) {
            return Some(record);
        }
        let start = STARTS.iter().find(|start| message.starts_with(**start))?;
        let request = || message[start.len()..].split_whitespace().next().unwrap_or_default().to_owned();
        let failed = || field(message, "Status").is_some_and(|status| status != "success");
        Some(match *start {
            "START RequestId:" => Record::Start { request: request() },
            "END RequestId:" => Record::End { request: request() },
            "REPORT RequestId:" => Record::Report { request: request(), failed: failed() },
            "INIT_REPORT " | "RESTORE_REPORT " => Record::Init { failed: failed() },
            _ => Record::Other,
        })
    }

    fn of_json(event: &Value) -> Option<Record> {
        let kind = event.get("type")?.as_str()?.strip_prefix("platform.")?;
        let record = event.get("record").unwrap_or(&Value::Null);
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let request = || text("requestId").unwrap_or_default().to_owned();
        let failed = text("status").is_some_and(|status| status != "success");
        Some(match kind {
            "start" => Record::Start { request: request() },
            "runtimeDone" if failed => Record::Fault { request: text("requestId").map(str::to_owned) },
            "report" => Record::Report { request: request(), failed },
            "initReport" | "restoreReport" => Record::Init { failed },
            _ => Record::Other,
        })
    }
}

/// What a request took, as Lambda reports it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How long the instance took to start, or to be restored from its snapshot; `None` if it had answered before.
    pub init: Option<Duration>,
    pub billed: Duration,
}

/// The figures in the report of this request; `None` for any other line.
pub fn figures(message: &str, request: &str) -> Option<Figures> {
    let Record::Report { request: reported, .. } = Record::read(message)? else { return None };
    if reported != request {
        return None;
    }
    let milliseconds = |number: f64| Duration::try_from_secs_f64(number / 1000.0).ok();
    if let Ok(event) = serde_json::from_str::<Value>(message) {
        let metric = |name: &str| milliseconds(event["record"]["metrics"][name].as_f64()?);
        let init = metric("initDurationMs").or_else(|| metric("restoreDurationMs"));
        return Some(Figures { init, billed: metric("billedDurationMs")? });
    }
    let part = |name: &str| milliseconds(field(message.trim_end(), name)?.strip_suffix(" ms")?.parse().ok()?);
    Some(Figures { init: part("Init Duration").or_else(|| part("Restore Duration")), billed: part("Billed Duration")? })
}

/// `… ID Task timed out after 3.00 seconds`, and `RequestId: ID Error: Runtime exited …`.
fn fault(message: &str) -> Option<Record> {
    let request = match message.split_once(" Task timed out after ") {
        Some((before, after)) if after.ends_with("seconds") => before.split_whitespace().last(),
        _ => {
            let (request, error) = message.strip_prefix("RequestId: ")?.split_once(" Error: ")?;
            error.starts_with("Runtime exited").then_some(())?;
            Some(request)
        }
    };
    Some(Record::Fault { request: request.map(str::to_owned) })
}

/// A field of an event whose fields are separated by tabs, such as `Status: timeout`.
pub(super) fn field<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    message.split(['\t', '\n']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(": "))
}

/// The version whose instance wrote a stream, such as `3` or `$LATEST`: its name is `YYYY/MM/DD/[VERSION]ID`, or
/// `YYYY/MM/DD/FUNCTION[VERSION]ID` in a log group that functions share.
pub fn version_of(stream: &str) -> Option<&str> {
    let name = stream.rsplit_once('/').map_or(stream, |(_, name)| name);
    let (_, rest) = name.split_once('[')?;
    rest.split_once(']').map(|(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read() {
        let id = || "8f5a".to_owned();
        let report = "REPORT RequestId: 8f5a\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t";
        for (message, expected) in [
            ("START RequestId: 8f5a Version: 3\n", Some(Record::Start { request: id() })),
            ("END RequestId: 8f5a\n", Some(Record::End { request: id() })),
            (&*format!("{report}\n"), Some(Record::Report { request: id(), failed: false })),
            (&*format!("{report}Status: timeout\n"), Some(Record::Report { request: id(), failed: true })),
            (
                "INIT_REPORT Init Duration: 10008.14 ms\tPhase: init\tStatus: timeout\n",
                Some(Record::Init { failed: true }),
            ),
            ("INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: x\n", Some(Record::Other)),
            ("EXTENSION\tName: lambda-adapter\tState: Ready\tEvents: []\n", Some(Record::Other)),
            (
                "2026-11-30T03:00:00.000Z 8f5a Task timed out after 3.00 seconds\n\n",
                Some(Record::Fault { request: Some(id()) }),
            ),
            (
                "RequestId: 8f5a Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n",
                Some(Record::Fault { request: Some(id()) }),
            ),
            (
                r#"{"time":"x","type":"platform.start","record":{"requestId":"8f5a","version":"3"}}"#,
                Some(Record::Start { request: id() }),
            ),
            (
                r#"{"time":"x","type":"platform.report","record":{"requestId":"8f5a","status":"error","metrics":{}}}"#,
                Some(Record::Report { request: id(), failed: true }),
            ),
            (r#"{"type":"platform.initReport","record":{"status":"success"}}"#, Some(Record::Init { failed: false })),
            (r#"{"type":"platform.extension","record":{}}"#, Some(Record::Other)),
            (r#"{"type":"function","record":"x"}"#, None),
            (r#"{"level":"INFO","message":"START RequestId: 1"}"#, None),
            ("he said START RequestId: 8f5a\n", None),
            ("{not json", None),
            ("", None),
        ] {
            assert_eq!(Record::read(message), expected, "{message}");
        }
    }

    #[test]
    fn a_report_has_figures_in_both_formats() {
        let ms = Duration::from_millis;
        let report = "REPORT RequestId: 8f5a\tDuration: 2.50 ms\tBilled Duration: 903 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t";
        let json = r#"{"type":"platform.report","record":{"requestId":"8f5a","metrics":{"durationMs":2.5,"billedDurationMs":903,"initDurationMs":900.0}}}"#;
        let figures_of = |init| Some(Figures { init, billed: ms(903) });
        for (message, expected) in [
            (format!("{report}\n"), figures_of(None)),
            (format!("{report}Init Duration: 900.00 ms\t\n"), figures_of(Some(ms(900)))),
            (
                format!("{report}Restore Duration: 300.00 ms\tBilled Restore Duration: 100 ms\t\n"),
                figures_of(Some(ms(300))),
            ),
            (json.to_owned(), figures_of(Some(ms(900)))),
            (report.replace("8f5a", "9000"), None),
            ("REPORT RequestId: 8f5a\tDuration: x".to_owned(), None),
            ("START RequestId: 8f5a Version: 3".to_owned(), None),
        ] {
            assert_eq!(figures(&message, "8f5a"), expected, "{message}");
        }
    }

    #[test]
    fn a_stream_names_its_version() {
        for (stream, version) in [
            ("2026/11/30/[3]0a1b", Some("3")),
            ("2026/11/30/shop-chat[$LATEST]0a1b", Some("$LATEST")),
            ("2026/11/30/0a1b", None),
        ] {
            assert_eq!(version_of(stream), version);
        }
    }
}
