//! What a tool that failed has said, without its drawings and its progress, and how it ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// What uv and pip draw before their lines, and pip's bars of progress.
const DRAWN: [char; 18] = ['│', '|', '├', '╰', '└', '┌', '─', '▶', '>', '×', '━', '╸', '╺', '═', '█', '▏', '·', '┆'];

/// Lines that only introduce the next one.
const HEADINGS: [&str; 4] = ["cause:", "caused by:", "error:", "hint:"];

/// How lines of progress begin, and a part of the line if the beginning alone is not enough.
const PROGRESS: [(&str, &str); 7] = [
    // uv
    ("Using CPython ", ""),
    ("Using PyPy ", ""),
    ("Using Python ", " environment at"),
    ("Creating virtual environment at", ""),
    ("Resolved ", " package"),
    ("Prepared ", " package"),
    // pip
    ("[notice] ", ""),
];

/// The lines that say something, trimmed.
pub(crate) fn worth_saying(said: &[String]) -> Vec<&str> {
    said.iter().map(|line| undrawn(line)).filter(|line| !is_noise(line)).collect()
}

/// The line without what is drawn before it: `╰─▶ Because …`, `× No solution found …`, `╰─> [1 lines of output]`.
fn undrawn(line: &str) -> &str {
    let line = line.trim();
    let text = line.trim_start_matches(|letter: char| DRAWN.contains(&letter) || letter.is_whitespace());
    // A quoted comparison, such as `>=3.9`, is not drawn.
    if line.starts_with('>') { line } else { text }
}

fn is_noise(line: &str) -> bool {
    let is_progress = |(start, part): &(&str, &str)| line.starts_with(start) && line.contains(part);
    line.is_empty()
        || HEADINGS.iter().any(|heading| line.eq_ignore_ascii_case(heading))
        || PROGRESS.iter().any(is_progress)
        || line.chars().all(|letter| DRAWN.contains(&letter) || "-+=~^ ".contains(letter))
        || is_bar(line)
}

/// A bar of pip, whose drawn part is not at the start: `━━━ 1.2/5.0 MB 3.1 MB/s eta 0:00:01`.
fn is_bar(line: &str) -> bool {
    line.contains("B/s") && line.contains(" eta ")
}

/// How a program ended that did not succeed, to follow its name: `exited with status 2`, `was ended by SIGKILL`.
pub(crate) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(number)) => format!("was ended by {}", signal(number)),
        (None, None) => "failed".to_owned(),
    }
}

/// A signal's name, or its number.
pub(crate) fn signal(number: i32) -> String {
    let known = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (6, "SIGABRT"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (15, "SIGTERM"),
    ];
    known.iter().find(|(known, _)| *known == number).map_or(format!("signal {number}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_and_progress_are_not_reasons() {
        let said = [
            "Using CPython 3.13.1 interpreter at: /usr/bin/python3.13",
            "  × No solution found when resolving dependencies:",
            "  ╰─▶ Because there is no version of six==99 and you require six==99, we can",
            "      conclude that your requirements are unsatisfiable.",
            "  |",
            "  cause:",
            "│",
            "   ━━━━━━━━━━━━━━━━ 1.2/5.0 MB 3.1 MB/s eta 0:00:01",
            "    ~~~~~^^^^^",
            "",
            "[notice] A new release of pip is available: 23.2.1 -> 25.3",
            "  ╰─> [2 lines of output]",
            "+ six==1.17.0",
            ">=3.9 is required",
        ];
        let said: Vec<String> = said.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(
            worth_saying(&said),
            [
                "No solution found when resolving dependencies:",
                "Because there is no version of six==99 and you require six==99, we can",
                "conclude that your requirements are unsatisfiable.",
                "[2 lines of output]",
                "+ six==1.17.0",
                ">=3.9 is required",
            ]
        );
    }

    #[test]
    fn an_end_is_worded_to_follow_a_name() {
        assert_eq!(ending(ExitStatus::from_raw(2 << 8)), "exited with status 2");
        assert_eq!(ending(ExitStatus::from_raw(9)), "was ended by SIGKILL");
        assert_eq!(ending(ExitStatus::from_raw(40)), "was ended by signal 40");
    }
}
