//! Where a command's words go, and where its questions are asked.

use super::course::Course;
use super::log_line::{log_json, log_text};
use super::outlet;
use super::{Answer, Line, Lines, LogLine, Report, Silent, Terminal, Text, document, failure_lines, text};
use crate::apply::{Event, Step};
use crate::cli::Again;
use crate::failure::Failure;
use crate::stack::Secret;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How often the story is given the chance to show that it is alive.
const TICK: Duration = Duration::from_millis(200);

/// stdout and stderr. Copies share one story.
#[derive(Clone)]
pub struct Console {
    story: Arc<Mutex<Box<dyn Report>>>,
    json: bool,
    terminal: bool,
    /// What must not be found in the words of others.
    secrets: Arc<Mutex<Vec<Secret>>>,
    /// How a command that is named has to be typed.
    again: Arc<Again>,
    course: Arc<Mutex<Course>>,
}

impl Console {
    /// Must be made inside a runtime: a task of it keeps the story alive.
    pub fn new(json: bool, quiet: bool, again: Again) -> Console {
        let terminal = outlet::is_drawn_on();
        let story: Box<dyn Report> = match (quiet, terminal) {
            (true, _) => Box::new(Silent),
            (false, true) => Box::new(Terminal::default()),
            (false, false) => Box::new(Lines::new(outlet::stderr())),
        };
        let console = Console {
            story: Arc::new(Mutex::new(story)),
            json,
            terminal: terminal && !quiet,
            secrets: Arc::default(),
            again: Arc::new(again),
            course: Arc::default(),
        };
        let weak = Arc::downgrade(&console.story);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(TICK);
            while let Some(story) = weak.upgrade() {
                story.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).tick();
                drop(story);
                interval.tick().await;
            }
        });
        console
    }

    fn story(&self) -> MutexGuard<'_, Box<dyn Report>> {
        self.story.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The steps that have begun and not ended.
    pub fn going(&self) -> Vec<Step> {
        self.course().going()
    }

    /// What a run that is told to stop still waits for, in words.
    pub fn waits_for(&self) -> Vec<String> {
        self.course().waits_for()
    }

    pub fn done(&self) -> Vec<Step> {
        self.course().done.clone()
    }

    pub fn tell(&self, event: &Event) {
        self.course().on(event);
        match event {
            Event::BuildLine { line } => self.story().on(&Event::BuildLine { line: self.hiding(line) }),
            Event::Stays { function, why } => {
                let (function, why) = (function.clone(), self.completed(why));
                self.story().on(&Event::Stays { function, why });
            }
            event => self.story().on(event),
        }
    }

    /// From now on these values are hidden wherever others speak: in the reasons of failures, and while building.
    pub fn hide(&self, secrets: impl IntoIterator<Item = Secret>) {
        self.secrets.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend(secrets);
    }

    fn hiding(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Secret::hide(text, secrets.iter().map(Secret::reveal))
    }

    /// Words that may be others', and the commands in them so that they can be run.
    fn completed(&self, text: &str) -> String {
        self.again.complete(&self.hiding(text))
    }

    /// The message, without these values in what others say in it.
    fn hiding_foreign(&self, failure: &Failure) -> String {
        let message = &failure.message;
        let Some(foreign) = &failure.foreign else { return self.hiding(message) };
        let (mut shown, mut at) = (String::new(), 0);
        for range in foreign {
            let (Some(own), Some(theirs)) = (message.get(at..range.start), message.get(range.clone())) else {
                return self.hiding(message);
            };
            shown.push_str(own);
            shown.push_str(&self.hiding(theirs));
            at = range.end;
        }
        shown + &message[at..]
    }

    fn completed_in(&self, failure: &Failure) -> Failure {
        Failure {
            message: self.again.complete(&self.hiding_foreign(failure)),
            caused_by: failure.caused_by.iter().map(|cause| self.hiding(cause)).collect(),
            hints: failure.hints.iter().map(|hint| self.again.complete(hint)).collect(),
            ..failure.clone()
        }
    }

    pub fn note(&self, line: &str) {
        let line = self.completed(line);
        self.story().note(&line);
    }

    /// Whether another program may draw on the terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether somebody is there who can answer a question.
    pub fn can_ask(&self) -> bool {
        !self.json && std::io::stdin().is_terminal()
    }

    /// Asks on stderr; anything but "y" or "yes" is a no. Dropping the future leaves the question unanswered, and the
    /// cursor on a new line.
    pub async fn ask(&self, lines: &[String], question: &str) -> bool {
        self.story().pause();
        // Where nobody can be asked there is no answer either: a closed stdin reads as a no.
        lines.iter().for_each(|line| outlet::to_stderr(&Line::plain(line)));
        outlet::ask_on_stderr(&Line::plain(&format!("{question} [y/N]")));
        let mut open = OpenLine(true);
        // On a thread that nothing waits for: a read cannot be ended.
        let (sender, read) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = sender.send(std::io::stdin().read_line(&mut line).map(|_| line));
        });
        let said = read.await.ok().and_then(Result::ok).unwrap_or_default();
        // The answer came with a line end of its own, unless there was none.
        open.0 = !said.ends_with('\n');
        matches!(said.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// The answer on stdout, and what went wrong on stderr.
    ///
    /// # Errors
    /// When the answer cannot be written; that is said on stderr too.
    pub fn finish(&self, answer: &Answer, failure: Option<&Failure>) -> Result<(), Failure> {
        self.story().pause();
        let mut answer = answer.clone();
        for error in answer.functions.iter_mut().filter_map(|function| function.error.as_mut()) {
            *error = self.completed_in(error);
        }
        for left in answer.import.iter_mut().flat_map(|import| &mut import.left) {
            left.advice = self.again.complete(&left.advice);
        }
        let failure = failure.map(|failure| self.completed_in(failure));
        let others = answer.functions.iter().filter_map(|function| function.error.as_ref());
        let mut said: Vec<&str> = Vec::new();
        for failure in failure.iter().chain(others) {
            if !said.contains(&failure.message.as_str()) {
                said.push(&failure.message);
                failure_lines(failure).iter().for_each(outlet::to_stderr);
            }
        }
        let out =
            if self.json { Text::json(&document(&answer, failure.as_ref())) } else { Text::lines(&text(&answer)) };
        let printed = outlet::to_stdout(&out);
        // What failed because stdout takes nothing has said so.
        if let Some(unsaid) = printed.as_ref().err().filter(|error| !said.contains(&error.message.as_str())) {
            failure_lines(unsaid).iter().for_each(outlet::to_stderr);
        }
        printed
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Lines of a log as stdout gets them while they come.
    pub fn log_lines(&self, lines: &[LogLine]) -> Text {
        if self.json {
            return lines.iter().map(|line| Text::json(&log_json(line))).collect();
        }
        let colour = outlet::has_colours();
        lines.iter().map(|line| log_text(line, colour)).collect()
    }

    /// A line to stdout, at once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, line: &str) -> Result<(), Failure> {
        outlet::to_stdout(&Text::lines(&format!("{line}\n")))
    }
}

/// A line on stderr that is ended at the latest when this is dropped.
struct OpenLine(bool);

impl Drop for OpenLine {
    fn drop(&mut self) {
        if self.0 {
            outlet::to_stderr(&Line::plain(""));
        }
    }
}
