//! The embedded local cloud as a background process, which is found, started, stopped and reset here; and the cache of
//! what it needs.

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
