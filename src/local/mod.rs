//! The embedded local cloud as a process in the background: found, started, stopped, forgotten; and what it needs that
//! is kept outside of it.

pub mod adapter;
mod cache;
pub mod layers;

mod daemon;
mod home;
mod limits;
mod lock;

pub use cache::cache;
pub use daemon::run;
pub use home::{Home, Running};
pub use limits::Limits;
