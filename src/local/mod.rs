//! The embedded local cloud as a background process, which is found, started, stopped and reset here; and the cache of
//! what it needs.

pub(crate) mod adapter;
mod cache;
pub(crate) mod layers;

mod daemon;
mod home;
mod limits;
mod lock;

pub(crate) use cache::cache;
pub(crate) use daemon::run;
pub(crate) use home::{Home, Running};
