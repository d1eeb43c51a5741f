//! The console of a command: it reports progress, asks questions and prints the answer.

mod questions;

use super::github::Groups;
use super::outlet;
use super::progress::Progress;
use super::{
    Answer, Extra, Line, Lines, LogLine, Output, Renderer, Reporter, Runner, Silent, Terminal, Text, failure_lines,
};
use crate::apply::{Event, Step};
use crate::failure::{Failure, Message, Piece};
use crate::stack::Secret;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// How often the reporter may show how long its steps have taken.
const TICK: Duration = Duration::from_millis(200);

/// The parts of the command line that the output depends on.
pub trait CommandLine: Send + Sync {
    /// The command, such as `local start`.
    fn running(&self) -> &str;

    /// Adds the options to the commands in the text that they need to work on the same app and account.
    fn complete(&self, text: &str) -> String;

    /// From now on, commands of the aws CLI use this region.
    fn set_region(&self, region: &str);
}

/// What a listener receives, with secrets hidden.
pub(crate) enum Shown<'a> {
    Event(&'a Event),
    /// The failures of a run; none if it succeeded.
    Failures(&'a [Failure]),
}

type Listener = Box<dyn Fn(Shown<'_>) + Send + Sync>;

/// stdout and stderr. Clones share the reporter and the progress of the run.
#[derive(Clone)]
pub struct Console {
    reporter: Arc<Mutex<Box<dyn Reporter>>>,
    renderer: Arc<dyn Renderer>,
    terminal: bool,
    /// Values to hide in quoted text.
    secrets: Arc<Mutex<Vec<Secret>>>,
    command_line: Arc<dyn CommandLine>,
    progress: Arc<Mutex<Progress>>,
    listener: Arc<OnceLock<Listener>>,
    /// GitHub Actions, if it gets a summary, outputs and annotations.
    runner: Option<Runner>,
}

impl Console {
    /// Must be called inside a runtime, because a task updates the reporter. `for_github` is whether GitHub Actions gets
    /// more than the usual output, if the run is one of its steps.
    pub fn new(format: Output, quiet: bool, for_github: bool, command_line: impl CommandLine + 'static) -> Console {
        let terminal = outlet::is_drawn_on();
        let runner = runner(format, for_github);
        let lines = || Lines::new(outlet::stderr());
        let reporter: Box<dyn Reporter> = match (quiet, terminal) {
            (true, _) => Box::new(Silent),
            (false, true) => Box::new(Terminal::default()),
            (false, false) if runner.is_some() => Box::new(Groups::around(lines(), outlet::command_to_stderr)),
            (false, false) => Box::new(lines()),
        };
        Console { terminal: terminal && !quiet, runner, ..Console::reporting_to(reporter, format, command_line) }
    }

    /// A console for a run that fails before it begins, when there may be no runtime.
    pub(crate) fn unstarted(format: Output, for_github: bool, command_line: impl CommandLine + 'static) -> Console {
        let console = Console::without_progress(Box::new(Silent), format, command_line);
        Console { runner: runner(format, for_github), ..console }
    }

    fn without_progress(
        reporter: Box<dyn Reporter>,
        format: Output,
        command_line: impl CommandLine + 'static,
    ) -> Console {
        Console {
            reporter: Arc::new(Mutex::new(reporter)),
            renderer: format.renderer(),
            terminal: false,
            secrets: Arc::default(),
            command_line: Arc::new(command_line),
            progress: Arc::default(),
            listener: Arc::default(),
            runner: None,
        }
    }

    /// From now on, also shows the run's events and failures to this listener. Another program may then not draw on the
    /// terminal. There can be one.
    pub(crate) fn listen(&self, listener: impl Fn(Shown<'_>) + Send + Sync + 'static) {
        // A second one would be a mistake of the caller, and hears nothing.
        let _ = self.listener.set(Box::new(listener));
    }

    fn let_hear(&self, shown: Shown<'_>) {
        if let Some(listener) = self.listener.get() {
            listener(shown);
        }
    }

    fn report(&self, event: &Event) {
        locked(&self.reporter).on(event);
        self.let_hear(Shown::Event(event));
    }

    /// A console with another reporter. Must be called inside a runtime.
    pub fn reporting_to(
        reporter: Box<dyn Reporter>,
        format: Output,
        command_line: impl CommandLine + 'static,
    ) -> Console {
        let console = Console::without_progress(reporter, format, command_line);
        let weak = Arc::downgrade(&console.reporter);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(TICK);
            while let Some(reporter) = weak.upgrade() {
                locked(&reporter).tick();
                drop(reporter);
                interval.tick().await;
            }
        });
        console
    }

    /// The command that runs, such as `local start`.
    pub fn running(&self) -> &str {
        self.command_line.running()
    }

    /// The steps that have started and not ended.
    pub fn in_progress(&self) -> Vec<Step> {
        locked(&self.progress).in_progress()
    }

    /// What an interrupted run is still waiting for, in words.
    pub fn waits_for(&self) -> Vec<String> {
        locked(&self.progress).waits_for()
    }

    /// Whether a question was asked and has no answer, also after a signal has ended it.
    pub fn is_asking(&self) -> bool {
        locked(&self.progress).asking
    }

    pub fn done(&self) -> Vec<Step> {
        locked(&self.progress).done.clone()
    }

    pub fn tell(&self, event: &Event) {
        locked(&self.progress).on(event);
        match event {
            Event::BuildLine { line } => self.report(&Event::BuildLine { line: self.hiding(line) }),
            Event::Stays { function, why } => {
                let (function, why) = (function.clone(), self.completed(why));
                self.report(&Event::Stays { function, why });
            }
            event => self.report(event),
        }
    }

    /// Shows the output of a build that failed, with `--quiet` too.
    pub(crate) fn show_output(&self, lines: &[String]) {
        for line in lines.iter().map(|line| self.hiding(line)) {
            outlet::to_stderr(&Line::coloured(&line));
            self.let_hear(Shown::Event(&Event::BuildLine { line }));
        }
    }

    /// A note that is also shown with `--quiet`.
    pub(crate) fn insist(&self, line: &str) {
        locked(&self.reporter).pause();
        outlet::to_stderr(&Line::plain(&self.completed(line)));
    }

    /// From now on, hides these values in quoted text: in the reasons of failures, and in the output of builds. A
    /// process may run a command many times, so each value is kept once.
    pub fn hide(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = locked(&self.secrets);
        for secret in secrets {
            if !known.contains(&secret) {
                known.push(secret);
            }
        }
    }

    /// From now on, shows these values again, because they turned out to be names.
    pub fn show_again(&self, is_name: impl Fn(&str) -> bool) {
        locked(&self.secrets).retain(|secret| !is_name(secret.reveal()));
    }

    /// From now on, commands of the aws CLI in hints use this region.
    pub fn set_region(&self, region: &str) {
        self.command_line.set_region(region);
    }

    fn hiding(&self, text: &str) -> String {
        Secret::hide(text, locked(&self.secrets).iter().map(Secret::reveal))
    }

    /// The text with secrets hidden and commands completed.
    fn completed(&self, text: &str) -> String {
        self.command_line.complete(&self.hiding(text))
    }

    /// The message with secrets hidden in text that may be quoted, and commands completed.
    fn completed_message(&self, message: &Message) -> Message {
        match message {
            Message::Line(pieces) => {
                let shown = |piece: &Piece| if piece.is_quoted { self.hiding(&piece.text) } else { piece.text.clone() };
                Message::own(self.command_line.complete(&pieces.iter().map(shown).collect::<String>()))
            }
            Message::Problems(problems) => {
                Message::Problems(problems.iter().map(|problem| problem.map(|text| self.completed(text))).collect())
            }
        }
    }

    /// The failure with secrets hidden in text that may be quoted, and commands completed.
    pub(crate) fn completed_in(&self, failure: &Failure) -> Failure {
        Failure {
            message: self.completed_message(&failure.message),
            caused_by: failure.caused_by.iter().map(|cause| self.hiding(cause)).collect(),
            log: failure.log.iter().map(|line| self.hiding(line)).collect(),
            hints: failure.hints.iter().map(|hint| self.command_line.complete(hint)).collect(),
            ..failure.clone()
        }
    }

    pub fn note(&self, line: &str) {
        let line = self.completed(line);
        locked(&self.reporter).note(&Line::plain(&line));
    }

    /// Shows lines of a plan.
    pub fn show(&self, lines: &[Line]) {
        lines.iter().for_each(|line| locked(&self.reporter).note(line));
    }

    /// Whether another program, such as cargo, may draw on the terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal && self.listener.get().is_none()
    }

    /// The reason why no user can answer a question; `None` if one can.
    pub fn why_not_ask(&self) -> Option<&'static str> {
        if self.renderer.is_document() {
            return Some("the output is JSON");
        }
        (!std::io::stdin().is_terminal()).then_some("stdin is not a terminal")
    }

    /// Prints the answer on stdout, and errors on stderr. The run is then over, and its progress is forgotten.
    ///
    /// # Errors
    /// When the answer cannot be written, which is then reported on stderr, too.
    pub fn finish(&self, answer: &Answer, failure: Option<&Failure>) -> Result<(), Failure> {
        locked(&self.reporter).pause();
        let mut answer = answer.clone();
        for error in answer.found.functions.iter_mut().filter_map(|function| function.error.as_mut()) {
            *error = self.completed_in(error);
        }
        match &mut answer.extra {
            Extra::Import(Some(import)) => {
                import.left.iter_mut().for_each(|left| left.advice = self.command_line.complete(&left.advice));
            }
            Extra::Checks(Some(doctor)) => {
                for found in &mut doctor.checks {
                    found.message = self.completed_message(&found.message);
                    found.hints.iter_mut().for_each(|hint| *hint = self.command_line.complete(hint));
                }
            }
            Extra::Init(Some(init)) => init.next = self.command_line.complete(&init.next).replace('`', ""),
            _ => {}
        }
        let failure = failure.map(|failure| self.completed_in(failure));
        self.annotate(&answer);
        let said = self.say(failure.iter().chain(answer.failures()));
        let text = self.renderer.answer(self.command_line.running(), &answer, failure.as_ref(), outlet::page());
        let printed = outlet::to_stdout(&text);
        let told = self.runner.as_ref().map(|runner| runner.write(self.running(), &answer, failure.as_ref()));
        let printed = printed.and(told.unwrap_or(Ok(())));
        // A command that failed for the same reason has already reported it.
        if let Some(unsaid) = printed.as_ref().err().filter(|error| !said.contains(&error.message.to_string())) {
            self.say(std::iter::once(unsaid));
        }
        *locked(&self.progress) = Progress::default();
        printed
    }

    /// Whether every step that has started and not ended is a release that waits for the trial of its version.
    pub fn is_only_trying(&self) -> bool {
        locked(&self.progress).is_only_trying()
    }

    /// Ends a round of a run that goes on, whose result does not matter any more.
    pub fn forget_round(&self) {
        locked(&self.reporter).pause();
        *locked(&self.progress) = Progress::default();
    }

    /// Prints the errors of one round of a run that goes on, after which its progress is forgotten. Returns whether there
    /// were none.
    pub fn show_failures(&self, answer: Option<&Answer>, failure: Option<&Failure>) -> bool {
        locked(&self.reporter).pause();
        let failures = failure.into_iter().chain(answer.into_iter().flat_map(Answer::failures));
        let failures: Vec<Failure> = failures.map(|failure| self.completed_in(failure)).collect();
        *locked(&self.progress) = Progress::default();
        self.let_hear(Shown::Failures(&failures));
        self.say(failures.iter()).is_empty()
    }

    /// Marks what `doctor` found for GitHub Actions.
    fn annotate(&self, answer: &Answer) {
        let Extra::Checks(Some(doctor)) = &answer.extra else { return };
        let annotations =
            self.runner.iter().flat_map(|runner| doctor.checks.iter().flat_map(|one| runner.findings(one)));
        annotations.for_each(|annotation| outlet::command_to_stderr(&annotation));
    }

    /// Prints failures on stderr, each message once. Returns the messages.
    fn say<'a>(&self, failures: impl Iterator<Item = &'a Failure>) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        for failure in failures {
            let message = failure.message.to_string();
            if !said.contains(&message) {
                said.push(message);
                failure_lines(failure).iter().for_each(outlet::to_stderr);
                let annotations = self.runner.iter().flat_map(|runner| runner.errors(failure));
                annotations.for_each(|error| outlet::command_to_stderr(&error));
            }
        }
        said
    }

    /// Whether stdout gets one document at the end, so bodies and logs are not printed as they arrive.
    pub fn is_document(&self) -> bool {
        self.renderer.is_document()
    }

    /// Formats events of a log for stdout, with their times if they are wanted; by default, on a terminal.
    pub fn log_lines(&self, lines: &[LogLine], times: Option<bool>) -> Text {
        self.renderer.log_lines(lines, times.unwrap_or_else(outlet::is_terminal), outlet::page())
    }

    /// Prints a line on stdout.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, line: &str) -> Result<(), Failure> {
        outlet::to_stdout(&Text::lines(&format!("{line}\n")))
    }
}

/// GitHub Actions, unless stdout is a document, which says everything.
fn runner(format: Output, for_github: bool) -> Option<Runner> {
    if for_github && format == Output::Text { Runner::here() } else { None }
}

/// Locks a mutex even if a thread panicked while it held the lock, so that the run's progress is shown to the end.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
