//! The function's own last words: the lines at the end of a log that say why it ended.
//!
//! Languages write many frames for one sentence, before or after it. Here the sentence comes first, with the nearest
//! frames of the app's own code; its other frames, copies of source and Lambda's own lines are left out.

mod line;
mod rust;

use super::signs;
use line::{
    ends_start, in_json, is_backtrace, is_backtrace_heading, is_frame, is_goroutine, is_inner_error, is_marks,
    is_noise, is_numbered_source, is_own, is_place, is_platform, is_python_frame, is_rest_of_python_frame,
    is_traceback, without_branches, without_colours,
};

/// How many lines are shown.
const LINES: usize = 10;
/// How many frames of an exception are shown.
const FRAMES: usize = 2;

/// The last words in the end of a log; the last lines if they say nothing that is known. The beginning of the log may be
/// missing.
pub(super) fn last_words(log: &str) -> Vec<String> {
    let mut reader = Reader::default();
    let mut last = Vec::new();
    for line in log.lines().map(without_colours) {
        let line = line.trim_end();
        if ends_start(line) {
            let start = std::mem::take(&mut reader).finish();
            last = if start.is_empty() { last } else { start };
        } else {
            reader.read(line);
        }
    }
    let end = reader.finish();
    let found = if end.is_empty() { last } else { end };
    if !found.is_empty() {
        return found[found.len().saturating_sub(LINES)..].to_vec();
    }
    // The whole end of a log may be frames.
    let is_word = |line: &str| rust::name(line).is_some_and(|name| !name.contains(' '));
    let is_frame = |line: &str| rust::is_elsewhere(line) || rust::is_frame(line) || is_word(line);
    let lines = log.lines().map(str::trim_end).filter(|line| !is_noise(line) && !is_frame(line));
    let lines: Vec<&str> = lines.collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

#[derive(Default)]
struct Reader {
    lines: Vec<String>,
    state: State,
    /// The frames of the exception that is being read.
    frames: Vec<String>,
    /// Whether Python draws branches before its lines.
    is_group: bool,
    /// Whether the last line was the copy of a line of source, and is left out.
    was_source: bool,
}

/// What the last lines belong to.
#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Words,
    /// Frames of Python, before their sentence.
    Traceback,
    /// Frames of Node.js, Bun, Deno, Java or Ruby, after their sentence.
    Frames,
    /// Node.js's properties of an error, in braces after the frames.
    Properties,
    /// Numbered frames of Rust.
    Backtrace,
    /// Frames of Go, up to the end.
    Goroutine,
    /// Node.js's list of the modules that require a missing one.
    RequireStack,
}

impl Reader {
    fn read(&mut self, line: &str) {
        if is_platform(line) {
            return self.begin(State::Words);
        }
        let Some(line) = self.unbranched(line) else { return };
        if is_traceback(line) || is_rest_of_python_frame(line) {
            return self.begin(State::Traceback);
        }
        match self.state {
            State::Traceback if line.starts_with(' ') || line.is_empty() => {
                if is_python_frame(line) {
                    self.frames.push(line.to_owned());
                }
            }
            State::Traceback => {
                let frames = std::mem::take(&mut self.frames);
                self.state = State::Words;
                self.lines.push(line.to_owned());
                // Python writes the nearest frame last.
                self.add(frames.iter().rev());
            }
            State::Properties if line.starts_with('}') => self.state = State::Words,
            State::Properties if is_frame(line) => {}
            State::Properties => {
                // An inner error, with a name and a sentence.
                if is_inner_error(line) {
                    self.lines.push(line.trim().to_owned());
                }
            }
            State::Backtrace if is_backtrace(line) => {
                if rust::is_elsewhere(line) {
                    self.frames.pop();
                } else if rust::name(line).is_some() {
                    self.frames.push(line.to_owned());
                }
            }
            State::Goroutine => {
                if line.starts_with("\t/") {
                    self.frames.push(line.to_owned());
                }
            }
            State::RequireStack if line.starts_with("- ") => {}
            _ => self.read_words(line),
        }
    }

    fn read_words(&mut self, line: &str) {
        if rust::is_elsewhere(line) || rust::is_frame(line) {
            // The heading is missing if the log is cut.
            self.begin(State::Backtrace);
            self.frames.extend(rust::is_frame(line).then(|| line.to_owned()));
        } else if is_frame(line) {
            if self.state != State::Frames {
                self.begin(State::Frames);
            }
            self.frames.push(line.trim_end_matches(" {").to_owned());
            if line.ends_with(" {") {
                self.begin(State::Properties);
            }
        } else if is_python_frame(line) {
            // A syntax error has no heading.
            self.begin(State::Traceback);
            self.frames.push(line.to_owned());
        } else if is_backtrace_heading(line) {
            self.begin(State::Backtrace);
        } else if is_goroutine(line) {
            self.begin(State::Goroutine);
        } else if line == "Require stack:" {
            self.begin(State::RequireStack);
        } else if is_marks(line) {
            let is_removed = self.was_source;
            self.begin(State::Words);
            self.remove_source(is_removed);
        } else if is_numbered_source(line) {
            self.begin(State::Words);
            self.was_source = true;
        } else if is_noise(line) {
            self.begin(State::Words);
        } else {
            self.begin(State::Words);
            let is_repeated = |last: &String| signs::is_adapter_waiting(last) && signs::is_adapter_waiting(line);
            if !self.lines.last().is_some_and(is_repeated) {
                self.lines.push(in_json(line).unwrap_or_else(|| line.to_owned()));
            }
        }
    }

    /// Ends what the last lines belong to, and keeps its nearest frames.
    fn begin(&mut self, state: State) {
        let frames = std::mem::take(&mut self.frames);
        match self.state {
            State::Traceback => self.add(frames.iter().rev()),
            _ => self.add(frames.iter()),
        }
        self.state = state;
        self.was_source = false;
    }

    fn add<'f>(&mut self, frames: impl Iterator<Item = &'f String>) {
        self.lines.extend(frames.filter(|frame| is_own(frame)).take(FRAMES).cloned());
    }

    /// Removes the line of source above the marks, unless that is done, and the line that says where it is.
    fn remove_source(&mut self, is_removed: bool) {
        if !is_removed {
            self.lines.pop();
        }
        if self.lines.last().is_some_and(|last| is_place(last)) {
            self.lines.pop();
        }
    }

    fn unbranched<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        let is_first = line.trim_start().starts_with("+ Exception Group Traceback");
        self.is_group = is_first || (self.is_group && line.trim_start().starts_with(['|', '+']));
        if self.is_group { without_branches(line) } else { Some(line) }
    }

    fn finish(mut self) -> Vec<String> {
        self.begin(State::Words);
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/last_words.txt");
    const SHOWN: &str = "---- shown\n";

    /// What real programs wrote as they ended, and what is shown of it. `UPDATE_SNAPSHOTS=1` writes the latter again.
    #[test]
    fn a_traceback_without_its_beginning_is_one_too() {
        let log = "…xy.py\", line 63, in call\n    await app()\n  File \"/var/task/main.py\", line 24, in answer\n    \
                   yield wrod\n          ^^^^\nNameError: name 'wrod' is not defined\n";
        let expected = ["NameError: name 'wrod' is not defined", "  File \"/var/task/main.py\", line 24, in answer"];
        assert_eq!(last_words(log), expected);
    }

    #[test]
    fn the_sentence_is_found_in_what_programs_write() {
        let recorded = std::fs::read_to_string(FILE).unwrap();
        let mut expected = String::new();
        for section in recorded.split("#### ").skip(1) {
            let (name, log) = section.split_once('\n').unwrap();
            let log = log.split(SHOWN).next().unwrap();
            writeln!(expected, "#### {name}\n{log}{SHOWN}{}", last_words(log).join("\n")).unwrap();
        }
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
            std::fs::write(FILE, &expected).unwrap();
        }
        assert_eq!(recorded, expected);
    }

    #[test]
    fn a_log_without_an_error_is_shown_from_its_end() {
        let log: String = (0..20).map(|line| format!("line {line}\n")).collect();
        let shown = last_words(&log);
        assert_eq!((shown.len(), shown.last().map(String::as_str)), (LINES, Some("line 19")));
        assert_eq!(last_words("START RequestId: 1\nEND RequestId: 1\n").len(), 2);
    }
}
