//! Where a command's words go, and where its questions are asked.

use super::course::Course;
use super::log_line::{Reader, log_json, log_text};
use super::{Answer, Lines, LogLine, Report, Silent, Terminal, document, failure_lines, text};
use crate::apply::{Event, Step};
use crate::failure::Failure;
use crate::stack::Secret;
use std::io::{IsTerminal, Write};
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
    course: Arc<Mutex<Course>>,
}

impl Console {
    /// Must be made inside a runtime: a task of it keeps the story alive.
    pub fn new(json: bool, quiet: bool) -> Console {
        // CI logs take lines, even where they pretend to be a terminal.
        let terminal = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let story: Box<dyn Report> = match (quiet, terminal) {
            (true, _) => Box::new(Silent),
            (false, true) => Box::new(Terminal::default()),
            (false, false) => Box::new(Lines::new(anstream::stderr())),
        };
        let console = Console {
            story: Arc::new(Mutex::new(story)),
            json,
            terminal: terminal && !quiet,
            secrets: Arc::default(),
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

    pub fn done(&self) -> Vec<Step> {
        self.course().done.clone()
    }

    pub fn tell(&self, event: &Event) {
        self.course().on(event);
        match event {
            Event::BuildLine { line } => self.story().on(&Event::BuildLine { line: self.hiding(line) }),
            event => self.story().on(event),
        }
    }

    /// From now on these values are hidden wherever others speak: in the reasons of failures, and while building.
    pub fn hide<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        let telling = secrets.into_iter().filter(|secret| secret.is_telling()).cloned();
        self.secrets.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend(telling);
    }

    fn hiding(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Secret::hide(text, secrets.iter().map(Secret::reveal))
    }

    fn hiding_in(&self, failure: &Failure) -> Failure {
        Failure {
            message: self.hiding(&failure.message),
            caused_by: failure.caused_by.iter().map(|cause| self.hiding(cause)).collect(),
            ..failure.clone()
        }
    }

    pub fn note(&self, line: &str) {
        self.story().note(line);
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
        let mut err = anstream::stderr();
        // Where nobody can be asked there is no answer either: a closed stdin reads as a no.
        for line in lines {
            let _ = writeln!(err, "{line}");
        }
        let _ = write!(err, "{question} [y/N] ");
        let _ = err.flush();
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
    pub fn finish(&self, answer: &Answer, failure: Option<&Failure>) {
        self.story().pause();
        let mut answer = answer.clone();
        for error in answer.functions.iter_mut().filter_map(|function| function.error.as_mut()) {
            *error = self.hiding_in(error);
        }
        let failure = failure.map(|failure| self.hiding_in(failure));
        let mut err = anstream::stderr();
        let others = answer.functions.iter().filter_map(|function| function.error.as_ref());
        let mut said: Vec<&str> = Vec::new();
        for failure in failure.iter().chain(others) {
            if !said.contains(&failure.message.as_str()) {
                said.push(&failure.message);
                // A closed stderr is no reason to fail: the exit code says it too.
                failure_lines(failure).iter().for_each(|line| drop(writeln!(err, "{line}")));
            }
        }
        let out = if self.json { format!("{}\n", document(&answer, failure.as_ref())) } else { text(&answer) };
        self.print(&out);
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Lines of a log as stdout gets them while they come.
    pub fn log_lines(&self, lines: &[LogLine]) -> String {
        if self.json {
            return lines.iter().map(|line| format!("{}\n", log_json(line))).collect();
        }
        let stdout = std::io::stdout();
        let reader = if stdout.is_terminal() {
            Reader::Terminal { colour: anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never }
        } else {
            Reader::Program
        };
        lines.iter().map(|line| log_text(line, reader)).collect()
    }

    /// To stdout, at once.
    pub fn print(&self, text: &str) {
        let mut stdout = std::io::stdout();
        // Whoever closed stdout wanted no more of it.
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }
}

/// A line on stderr that is ended at the latest when this is dropped.
struct OpenLine(bool);

impl Drop for OpenLine {
    fn drop(&mut self) {
        if self.0 {
            let _ = writeln!(anstream::stderr());
        }
    }
}
