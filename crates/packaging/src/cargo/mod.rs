//! From a crate's directory to the bytes of its binary for Lambda.
//!
//! [`prepare`] runs before anything is built: it chooses the [binary] and the [toolset], by what it can [detect] on this
//! machine. [`Prepared::compile`] runs cargo.

mod compile;

mod binary;
mod target;
mod toolset;

mod detect;
mod missing;

mod findings;
mod preference;

mod baseline;
mod identity;
mod lock;
mod profile;
mod programs;
mod remap;
mod run;
mod target_dir;
mod toolchain;
mod users;
mod workspace;

mod configuration;
mod flags;

pub use compile::{BuildOptions, Built, Prepared, Progress, prepare};
pub use preference::{Linker, Order, Preference, Profile};
pub use toolset::Toolset;
pub use workspace::{Member, Workspace, local_packages};
