//! Which lines of a function report an error, in the forms in which runtimes, loggers and languages write.

use super::record::Record;
use serde_json::Value;

/// The levels of loggers that mean an error, in capitals.
const LEVELS: [&str; 6] = ["ERROR", "FATAL", "CRITICAL", "SEVERE", "EMERGENCY", "PANIC"];

/// How lines start that report an error without a level.
const STARTS: [&str; 9] = [
    "Traceback (most recent call last)",
    "Exception in thread",
    "Exception in ASGI",
    "Uncaught ",
    "Unhandled ",
    "panic: ",
    "fatal error: ",
    "fatal runtime error: ",
    "error: ",
];

/// The part of a stream that a line belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Passage {
    #[default]
    Nothing,
    /// After a line that reports an error: what is indented belongs to it.
    Error,
    /// In Python's frames, which precede the sentence.
    Traceback,
}

impl Passage {
    /// The passage after the next event of the stream, and whether that event belongs to an error.
    pub(super) fn after(self, message: &str) -> (Passage, bool) {
        let line = message.trim_end().lines().next().unwrap_or_default();
        if let Some(record) = Record::read(message) {
            let failed = matches!(
                record,
                Record::Report { failed: true, .. } | Record::Init { failed: true } | Record::Fault { .. }
            );
            return (Passage::Nothing, failed);
        }
        if line.contains(STARTS[0]) && !message.trim_end().contains('\n') && !message.trim_end().contains('\r') {
            return (Passage::Traceback, true);
        }
        if is_error(line) {
            return (Passage::Error, true);
        }
        let continues = line.starts_with([' ', '\t', '}']) || line.is_empty();
        match self {
            Passage::Traceback if continues => (Passage::Traceback, true),
            // The sentence.
            Passage::Traceback => (Passage::Error, true),
            Passage::Error if continues => (Passage::Error, true),
            _ => (Passage::Nothing, false),
        }
    }
}

/// Whether a line reports an error by itself.
fn is_error(line: &str) -> bool {
    let line = line.trim_start_matches('\u{1b}');
    if let Some(level) = level_of_json(line) {
        return LEVELS.contains(&level.as_str());
    }
    STARTS.iter().any(|start| line.starts_with(start)) || has_level(line) || is_exception(line) || is_panic(line)
}

fn level_of_json(line: &str) -> Option<String> {
    let value: Value = line.starts_with('{').then(|| serde_json::from_str(line).ok())??;
    let level = ["level", "levelname", "severity", "log.level"].iter().find_map(|key| value.get(key))?;
    Some(match level {
        // pino and bunyan count: 50 is an error, 60 fatal.
        Value::Number(number) if number.as_u64().is_some_and(|number| number >= 50) => "ERROR".to_owned(),
        Value::String(text) => text.to_uppercase(),
        _ => String::new(),
    })
}

/// Whether one of the first words is a level: `ERROR:    …`, `[ERROR] …`, `2026-… ID ERROR …`, `ERROR app: …`.
fn has_level(line: &str) -> bool {
    const WORDS: usize = 5;
    let is_edge = |letter: char| !letter.is_ascii_alphanumeric();
    line.split_whitespace().take(WORDS).any(|word| {
        let word = word.trim_matches(is_edge);
        LEVELS.contains(&word)
            || word.strip_prefix("level=").is_some_and(|level| LEVELS.contains(&&*level.to_uppercase()))
    })
}

/// `ValueError: …`, `java.lang.IllegalStateException: …`, `TypeError [ERR_X]: …`.
fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || ['.', '_'].contains(&letter));
    let rest = &line[name.len()..];
    is_name
        && (name.ends_with("Error") || name.ends_with("Exception"))
        && (rest.is_empty() || rest.starts_with(':') || rest.starts_with(" ["))
}

/// Rust's.
fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains("panicked at")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected<'l>(lines: &[&'l str]) -> Vec<&'l str> {
        let mut passage = Passage::default();
        let keep = |line: &&&'l str| {
            let (next, belongs) = passage.after(line);
            passage = next;
            belongs
        };
        lines.iter().filter(keep).copied().collect()
    }

    #[test]
    fn errors_are_kept_with_what_belongs_to_them() {
        let lines = [
            "INFO:     Uvicorn running",
            "ERROR:    Exception in ASGI application",
            "Traceback (most recent call last):",
            "  File \"/var/task/main.py\", line 3, in root",
            "    raise ValueError('no')",
            "ValueError: no",
            "INFO:     127.0.0.1 - \"GET / HTTP/1.1\" 500",
            "no errors in this line",
            "thread 'main' (7) panicked at src/main.rs:3:5:",
            "  a sentence",
            "TypeError [ERR_X]: bad",
            "    at file:///var/task/index.mjs:3:9 {",
            "  code: 'ERR_X'",
            "}",
            "listening",
            "START RequestId: 1 Version: 2",
            "{\"level\":\"error\",\"msg\":\"x\"}",
            "{\"level\":30,\"msg\":\"x\"}",
            "{\"level\":50,\"msg\":\"x\"}",
            "2026-11-30T03:00:00.000Z\t8f5a\tERROR\tInvoke Error",
            "2026-11-30T03:00:00.000Z\t8f5a\tINFO\tan ERROR was not seen",
            "level=error msg=x",
            "REPORT RequestId: 1\tDuration: 3 ms\tStatus: error",
            "REPORT RequestId: 1\tDuration: 3 ms",
            "2026-11-30T03:00:00.000Z 8f5a Task timed out after 3.00 seconds",
        ];
        let kept = [1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 16, 18, 19, 20, 21, 22, 24].map(|at| lines[at]);
        assert_eq!(selected(&lines), kept);
    }
}
