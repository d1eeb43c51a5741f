//! What a line of a log is, in the forms in which runtimes and languages write.

use super::rust;
use serde_json::Value;

/// How lines of Lambda itself, and of the local cloud, start.
const PLATFORM: [&str; 13] = [
    "START RequestId:",
    "END RequestId:",
    "REPORT RequestId:",
    "INIT_START ",
    "INIT_REPORT ",
    "INIT_RUNTIME",
    "EXTENSION\t",
    "LOGS\t",
    "TELEMETRY\t",
    "XRAY TraceId:",
    "Runtime.ExitError",
    "[local cloud] ",
    "[ERROR] [LAMBDA",
];

/// How lines start that only say where more can be read, or which runtime wrote them.
const NOISE: [&str; 8] = [
    "Node.js v",
    "Bun v",
    "note: run with `RUST_BACKTRACE",
    "note: Some details are omitted",
    "The above exception was the direct cause",
    "During handling of the above exception",
    "Emitted 'error' event on ",
    "exit status ",
];

/// Parts of frames that are not in the app's own code.
const FOREIGN: [&str; 20] = [
    "node:",
    "node_modules/",
    "(<anonymous>)",
    "<unknown>",
    "<frozen ",
    "site-packages",
    "/lib/python3",
    "/usr/local/go/src/",
    "/usr/lib/go",
    "at java.",
    "at javax.",
    "at jdk.",
    "at java.base/",
    "at jdk.compiler/",
    "at sun.",
    "at org.springframework.",
    "at org.apache.",
    "__libc",
    "loadAndEvaluateModule",
    "/gems/",
];

/// A line of Lambda: what happened to the instance, and not what the function wrote.
pub(super) fn is_platform(line: &str) -> bool {
    PLATFORM.iter().any(|start| line.starts_with(start))
        || (line.starts_with("RequestId: ") && line.contains(" Error: Runtime exited"))
        || line.contains(" Task timed out after ")
        || (line.starts_with('{') && line.contains("\"type\":\"platform."))
}

/// The end of a start. Lambda starts a function again that took too long, and it fails in the same way.
pub(super) fn ends_start(line: &str) -> bool {
    line.starts_with("INIT_REPORT ") || (line.starts_with('{') && line.contains("\"platform.initReport\""))
}

pub(super) fn is_noise(line: &str) -> bool {
    line.trim().is_empty() || NOISE.iter().any(|start| line.trim_start().starts_with(start))
}

/// Whether a frame is in the app's own code, as far as can be told.
pub(super) fn is_own(frame: &str) -> bool {
    !frame.trim_start().starts_with("...")
        && !FOREIGN.iter().any(|part| frame.contains(part))
        && rust::name(frame).is_none_or(rust::is_own)
}

/// A frame of Node.js, Bun, Deno, Java or Ruby.
pub(super) fn is_frame(line: &str) -> bool {
    let inner = line.trim_start();
    let end = inner.trim_end_matches([' ', '{', ',']);
    let has_place = || end.ends_with(')') || end.ends_with(|letter: char| letter.is_ascii_digit());
    inner.len() < line.len()
        && match inner.split(' ').next() {
            Some("at") => has_place(),
            Some("from") => inner.contains(":in "),
            Some("...") => inner.ends_with(" more") || inner.ends_with(" ..."),
            _ => false,
        }
}

/// A name and a sentence among the properties of an error of Node.js, such as its cause.
pub(super) fn is_inner_error(line: &str) -> bool {
    line.contains("Error: ") || line.contains("]: ")
}

/// `NUMBER: NAME` or `at PLACE`, below the heading of a backtrace.
pub(super) fn is_backtrace(line: &str) -> bool {
    rust::name(line).is_some() || (line.starts_with(' ') && line.trim_start().starts_with("at "))
}

pub(super) fn is_backtrace_heading(line: &str) -> bool {
    line.trim_end_matches(':').eq_ignore_ascii_case("stack backtrace")
}

/// `goroutine 1 [running]:`, after which Go only writes frames.
pub(super) fn is_goroutine(line: &str) -> bool {
    line.starts_with("goroutine ") && line.ends_with("]:")
}

/// The heading of Python's frames, which precede their sentence.
pub(super) fn is_traceback(line: &str) -> bool {
    line.ends_with("Traceback (most recent call last):")
}

pub(super) fn is_python_frame(line: &str) -> bool {
    line.trim_start().starts_with("File \"") && line.contains("\", line ")
}

/// Whether this is the end of a frame whose beginning is not in the end of the log.
pub(super) fn is_rest_of_python_frame(line: &str) -> bool {
    line.starts_with('…') && line.contains("\", line ")
}

/// What Python draws before the lines of an exception group, without that; `None` for a line that is only drawn.
pub(super) fn without_branches(line: &str) -> Option<&str> {
    let inner = line.trim_start();
    match inner.strip_prefix("| ").or_else(|| inner.strip_prefix("+ ")) {
        Some(rest) => Some(rest),
        None if inner == "|" || inner.starts_with("+-") => None,
        None => Some(line),
    }
}

/// The marks under the place of an error in a line of source.
pub(super) fn is_marks(line: &str) -> bool {
    let inner = line.trim();
    !inner.is_empty() && inner.chars().all(|letter| "^~".contains(letter))
}

/// Bun's copy of a line of source: `12 | code`.
pub(super) fn is_numbered_source(line: &str) -> bool {
    line.trim_start()
        .split_once(" | ")
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Node.js's place of a line of source: `/var/task/server.js:3`.
pub(super) fn is_place(line: &str) -> bool {
    let number = line.rsplit(':').next().unwrap_or_default();
    !line.contains(' ') && line.contains(':') && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty()
}

/// The sentence in an error that a runtime of Lambda writes as JSON.
pub(super) fn in_json(line: &str) -> Option<String> {
    let json: Value = serde_json::from_str(&line[line.find('{')?..]).ok()?;
    let error = [&json, &json["message"]].into_iter().find(|error| error["errorMessage"].is_string())?;
    let message = error["errorMessage"].as_str()?;
    Some(match error["errorType"].as_str() {
        Some(kind) => format!("{kind}: {message}"),
        None => message.to_owned(),
    })
}

/// Without the sequences that colour it.
pub(super) fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
        match end.filter(|end| part[*end..].starts_with('m')) {
            Some(end) => plain += &part[end + 1..],
            None => plain += &format!("\u{1b}[{part}"),
        }
    }
    plain
}
