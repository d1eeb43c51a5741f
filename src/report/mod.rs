//! All output: answers on stdout, progress on stderr. No other module prints.

mod answer;
mod chart;
mod diagnosis;
mod format;
mod github;

mod story;
mod ticker;

mod log_line;
mod moment;
mod outlet;

mod canvas;
mod drawing;
mod lines;
mod no_echo;
mod silent;
mod terminal;

mod style;
mod table;
mod timeline;

mod console;
mod progress;

pub use answer::{Answer, FunctionAnswer, State};
pub use console::{CommandLine, Console};
pub use format::Output;

pub(crate) use answer::{
    Aim, Comparison, DeployedStage, Detail, Extra, Figures, Functions, ImportAnswer, InitAnswer, LocalAnswer,
    LocalState, LogLine, NotCompared, PolicyAnswer, Response, SecretAnswer, StepAnswer, StepVerdict, Zip,
};
pub(crate) use chart::chart;
pub(crate) use console::Shown;
pub(crate) use diagnosis::{Diagnosis, DoctorAnswer, Health};
pub(crate) use format::{Renderer, Text};
pub(crate) use github::Runner;
pub(crate) use lines::Lines;
pub(crate) use outlet::Outlet;
pub(crate) use silent::Silent;
pub(crate) use story::{failure_lines, plan_lines, seen_line, told};
pub use style::Line;
pub(crate) use terminal::Terminal;
pub(crate) use timeline::{PictureFormat, Timeline};

use crate::apply::Event;
use std::process::ExitCode;

/// Prints what the argument parser returned instead of a command, and returns the exit code.
pub fn instead(said: &clap::Error) -> ExitCode {
    match outlet::from_parser(said) {
        Ok(()) => ExitCode::from(said.exit_code().try_into().unwrap_or(2)),
        Err(failure) => {
            failure_lines(&failure).iter().for_each(outlet::to_stderr);
            failure.kind.exit_code()
        }
    }
}

/// Notes that stdout was closed when the program started: then no answer can be printed.
pub fn note_closed_stdout() {
    outlet::note_closed_stdout();
}

/// Reports a run's progress.
pub trait Reporter: Send {
    fn on(&mut self, event: &Event);

    /// Called a few times per second, so that long steps are reported.
    fn tick(&mut self) {}

    /// A line that belongs to no step.
    fn note(&mut self, line: &Line);

    /// Removes the progress display, for a question or at the end.
    fn pause(&mut self) {}
}
