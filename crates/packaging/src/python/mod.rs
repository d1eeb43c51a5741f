//! Packages of Python: installed by uv or pip, and only from where the project declares them.
//!
//! A [list](list) has the packages to install; the machine's [settings] and the project declare their [sources]. [uv] or
//! [pip] installs them, and [what differs between machines](strip) is removed.

mod install;
mod strip;

mod pip;
mod uv;

mod closure;
mod installed;
mod pip_log;
mod uv_project;

mod list;

mod poetry;
mod pylock;
mod uv_lock;

mod dependency;
mod foreign_sources;
mod requirements_txt;
mod settings;

mod indexes;
mod sources;

mod messages;
mod project;
mod requirement;
mod wheel;

pub use install::{check, install};
