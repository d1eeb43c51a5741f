//! What people and programs get to read. The only room that prints: answers on stdout, the story on stderr.

mod answer;
mod format;

mod story;
mod ticker;

mod log_line;
mod outlet;

mod drawing;
mod lines;
mod silent;
mod terminal;

mod style;

mod console;
mod course;

pub use answer::{Answer, FunctionAnswer, State};
pub use console::Console;

pub(crate) use answer::{Detail, Functions, ImportAnswer, LocalAnswer, LogLine, NotCompared, Response, Zip};
pub(crate) use format::Renderer;
pub(crate) use lines::Lines;
pub(crate) use outlet::Outlet;
pub(crate) use silent::Silent;
pub(crate) use story::{failure_lines, plan_lines, seen_line};
pub use style::Line;
pub(crate) use style::Text;
pub(crate) use terminal::Terminal;

use crate::apply::Event;
use std::process::ExitCode;

/// Prints what the parser of the arguments has to say instead of a command's answer, and gives the exit code.
pub fn instead(said: &clap::Error) -> ExitCode {
    match outlet::from_parser(said) {
        Ok(()) => ExitCode::from(said.exit_code().try_into().unwrap_or(2)),
        Err(failure) => {
            failure_lines(&failure).iter().for_each(outlet::to_stderr);
            failure.kind.exit_code()
        }
    }
}

/// Tells a run's story while it happens.
pub trait Reporter: Send {
    fn on(&mut self, event: &Event);

    /// Called a few times a second, so that nothing is silent for long.
    fn tick(&mut self) {}

    /// A line that belongs to no step.
    fn note(&mut self, line: &Line);

    /// Gets out of the way, for a question or for the end.
    fn pause(&mut self) {}
}
