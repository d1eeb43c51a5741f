//! From a crate, an app's directory or a zip to the package for Lambda: built, inspected, zipped.
//!
//! - [`prepare`] checks what can build a crate on this machine and chooses a [`Toolset`]; [`Prepared::compile`] runs cargo
//!   and returns the binary's bytes.
//! - [`Package::of_bootstrap`] inspects such a binary and zips it deterministically.
//! - [`Package::read`] inspects a zip that was built elsewhere and keeps its bytes as they are.
//! - [`App::check`] and [`Checked::assemble`] package a directory, with the packages that the app depends on.
//!
//! Nothing here prints: cargo writes to the terminal itself, or its output goes to the caller.

mod app;
mod cargo;

mod node;
mod python;

mod package;

mod archive;
mod elf;
mod handler;

mod exclude;
mod interpreter;
mod origin;
mod patterns;

mod tool;

mod address;
mod digest;
mod error;

mod architecture;
mod runtime;

pub use app::{App, Assembled, Checked, Dependencies, Selection};
pub use architecture::Architecture;
pub use cargo::{BuildOptions, Linker, Preference, Prepared, Progress, Toolset, prepare};
pub use error::BuildError;
pub use exclude::UNFINISHED;
pub use interpreter::platform_here;
pub use origin::origin;
pub use package::Package;
pub use runtime::{Family, Platform, Runtime};
