//! Where a command reports, asks and answers.

use super::course::Course;
use super::outlet;
use super::{Answer, Line, Lines, LogLine, Renderer, Reporter, Silent, Terminal, Text, failure_lines, format};
use crate::apply::{Event, Step};
use crate::cli::{Again, Output};
use crate::failure::Failure;
use crate::stack::Secret;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the story may show how long its steps have taken.
const TICK: Duration = Duration::from_millis(200);

/// stdout and stderr. Copies share one story.
#[derive(Clone)]
pub struct Console {
    story: Arc<Mutex<Box<dyn Reporter>>>,
    renderer: Arc<dyn Renderer>,
    terminal: bool,
    /// Values to hide in what others say.
    secrets: Arc<Mutex<Vec<Secret>>>,
    /// Completes the commands in hints.
    again: Arc<Again>,
    course: Arc<Mutex<Course>>,
}

impl Console {
    /// Call it inside a runtime, a task of which updates the story.
    pub fn new(format: Output, quiet: bool, again: Again) -> Console {
        let terminal = outlet::is_drawn_on();
        let story: Box<dyn Reporter> = match (quiet, terminal) {
            (true, _) => Box::new(Silent),
            (false, true) => Box::new(Terminal::default()),
            (false, false) => Box::new(Lines::new(outlet::stderr())),
        };
        Console { terminal: terminal && !quiet, ..Console::telling(story, format, again) }
    }

    /// A console whose story goes to another reporter. Call it inside a runtime.
    pub fn telling(story: Box<dyn Reporter>, format: Output, again: Again) -> Console {
        let console = Console {
            story: Arc::new(Mutex::new(story)),
            renderer: format::of(format),
            terminal: false,
            secrets: Arc::default(),
            again: Arc::new(again),
            course: Arc::default(),
        };
        let weak = Arc::downgrade(&console.story);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(TICK);
            while let Some(story) = weak.upgrade() {
                locked(&story).tick();
                drop(story);
                interval.tick().await;
            }
        });
        console
    }

    /// The steps that have begun and not ended.
    pub fn going(&self) -> Vec<Step> {
        locked(&self.course).going()
    }

    /// What a run that was interrupted still waits for, in words.
    pub fn waits_for(&self) -> Vec<String> {
        locked(&self.course).waits_for()
    }

    pub fn done(&self) -> Vec<Step> {
        locked(&self.course).done.clone()
    }

    pub fn tell(&self, event: &Event) {
        locked(&self.course).on(event);
        match event {
            Event::BuildLine { line } => locked(&self.story).on(&Event::BuildLine { line: self.hiding(line) }),
            Event::Stays { function, why } => {
                let (function, why) = (function.clone(), self.completed(why));
                locked(&self.story).on(&Event::Stays { function, why });
            }
            event => locked(&self.story).on(event),
        }
    }

    /// Hides these values from now on in what others say: in the reasons of failures, and in the output of builds.
    pub fn hide(&self, secrets: impl IntoIterator<Item = Secret>) {
        locked(&self.secrets).extend(secrets);
    }

    /// Commands of the aws CLI in hints are about this region from now on.
    pub fn set_region(&self, region: &str) {
        self.again.set_region(region);
    }

    fn hiding(&self, text: &str) -> String {
        Secret::hide(text, locked(&self.secrets).iter().map(Secret::reveal))
    }

    /// The text with secrets hidden and commands completed.
    fn completed(&self, text: &str) -> String {
        self.again.complete(&self.hiding(text))
    }

    /// The message with secrets hidden in what others say in it.
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
        locked(&self.story).note(&Line::plain(&line));
    }

    /// Shows lines of a plan.
    pub fn show(&self, lines: &[Line]) {
        lines.iter().for_each(|line| locked(&self.story).note(line));
    }

    /// Whether another program, such as cargo, may draw on the terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Why no person can answer a question; `None` if one can.
    pub fn why_not_ask(&self) -> Option<&'static str> {
        if self.renderer.is_document() {
            return Some("the output is JSON");
        }
        (!std::io::stdin().is_terminal()).then_some("stdin is not a terminal")
    }

    /// Asks on stderr; anything but "y" or "yes" is a no. Dropping the future leaves the question unanswered, and the
    /// cursor on a new line.
    pub async fn ask(&self, lines: &[Line], question: &str) -> bool {
        locked(&self.story).pause();
        lines.iter().for_each(outlet::to_stderr);
        outlet::ask_on_stderr(&Line::plain(&format!("{question} [y/N]")));
        let mut open = OpenLine(true);
        // A read cannot be cancelled, so it has a thread that nothing waits for. A closed stdin reads as a no.
        let (sender, read) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = sender.send(std::io::stdin().read_line(&mut line).map(|_| line));
        });
        let said = read.await.ok().and_then(Result::ok).unwrap_or_default();
        // The terminal has ended the line if the answer did.
        open.0 = !said.ends_with('\n');
        matches!(said.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Prints the answer on stdout, and what went wrong on stderr.
    ///
    /// # Errors
    /// When the answer cannot be written, which is then reported on stderr, too.
    pub fn finish(&self, answer: &Answer, failure: Option<&Failure>) -> Result<(), Failure> {
        locked(&self.story).pause();
        let mut answer = answer.clone();
        let functions = answer.functions_mut().into_iter().flat_map(|functions| &mut functions.functions);
        for error in functions.filter_map(|function| function.error.as_mut()) {
            *error = self.completed_in(error);
        }
        if let Answer::Import(Some(import)) = &mut answer {
            import.left.iter_mut().for_each(|left| left.advice = self.again.complete(&left.advice));
        }
        let failure = failure.map(|failure| self.completed_in(failure));
        let mut said: Vec<&str> = Vec::new();
        for failure in failure.iter().chain(answer.failures()) {
            if !said.contains(&failure.message.as_str()) {
                said.push(&failure.message);
                failure_lines(failure).iter().for_each(outlet::to_stderr);
            }
        }
        let printed = outlet::to_stdout(&self.renderer.answer(self.again.running(), &answer, failure.as_ref()));
        // A command that failed for the same reason has already reported it.
        if let Some(unsaid) = printed.as_ref().err().filter(|error| !said.contains(&error.message.as_str())) {
            failure_lines(unsaid).iter().for_each(outlet::to_stderr);
        }
        printed
    }

    /// Whether stdout gets one document at the end, and so no body of a response or log as it comes.
    pub fn is_document(&self) -> bool {
        self.renderer.is_document()
    }

    /// Events of a log as stdout gets them.
    pub fn log_lines(&self, lines: &[LogLine]) -> Text {
        self.renderer.log_lines(lines)
    }

    /// Prints a line on stdout.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, line: &str) -> Result<(), Failure> {
        outlet::to_stdout(&Text::lines(&format!("{line}\n")))
    }
}

/// Locks what a panicking thread may have left behind: a story must be told to its end.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the line on stderr when it is dropped, unless the line was ended otherwise.
struct OpenLine(bool);

impl Drop for OpenLine {
    fn drop(&mut self) {
        if self.0 {
            outlet::to_stderr(&Line::plain(""));
        }
    }
}
