//! From a crate's directory to the bytes of its binary for Lambda.
//!
//! [`prepare`] runs before anything is built: it chooses the [binary] and the [toolset], by what it can [detect] on this
//! machine. [`Prepared::compile`] runs cargo.

mod compile;

mod binary;
mod toolset;

mod detect;
mod missing;

mod findings;
mod preference;

mod profile;
mod remap;
mod run;
mod target_dir;
mod toolchain;

mod configuration;

pub use compile::{BuildOptions, Prepared, Progress, prepare};
pub use preference::{Linker, Preference};
pub use toolset::Toolset;
