//! What a run tells GitHub Actions in addition to its usual output: groups and errors in the log, the summary of the
//! step, and the step's outputs. `runner.rs` writes; the other files are pure.

mod command;
mod groups;
mod markdown;
mod outputs;
mod runner;
mod summary;

pub(crate) use command::WorkflowCommand;
pub(crate) use groups::Groups;
pub(crate) use runner::Runner;
