//! The embedded local cloud as a process in the background: found, started, stopped, forgotten.

mod daemon;
mod home;
mod limits;

pub use daemon::run;
pub use home::{Home, Running};
pub use limits::Limits;
