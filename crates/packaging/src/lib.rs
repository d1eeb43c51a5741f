//! From a crate, an app's directory or a zip to the package for Lambda: built, inspected, zipped.
//!
//! - [`prepare`] checks what can build a crate on this machine and chooses a [`Toolset`]; [`Prepared::compile`] runs cargo
//!   and returns the binary's bytes.
//! - [`Beside::package`] inspects such a binary and zips it deterministically, with files of the crate's directory.
//! - [`Workspace::read`] has the packages of a workspace and their binaries, for a caller that writes a manifest for them.
//! - [`Package::read`] inspects a zip that was built elsewhere and keeps its bytes as they are.
//! - [`App::check`] and [`Checked::assemble`] package a directory, with the packages that the app depends on.
//!
//! Nothing here prints: cargo writes to the terminal itself, or its output goes to the caller.

mod app;
mod cargo;
mod command;

mod node;
mod python;

mod package;

mod archive;
mod asks;
mod elf;
mod executable;
mod handler;
mod mend;
mod modules;

mod exclude;
mod interpreter;
mod origin;
mod patterns;

mod lock;
mod said;
mod tool;

mod address;
mod digest;
mod error;

mod architecture;
mod machine;
mod runtime;

pub use app::{App, Assembled, Beside, Checked, Dependencies, Selection};
pub use architecture::Architecture;
pub use asks::can_ask_lambda;
pub use cargo::{
    BuildOptions, Built, Linker, Member, Order, Preference, Prepared, Profile, Progress, Toolset, Workspace,
    local_packages, prepare,
};
pub use command::{BuildCommand, Ran};
pub use error::BuildError;
pub use exclude::UNFINISHED;
pub use interpreter::{node_here, platform_here, pythons_here};
pub use machine::{Machine, OperatingSystem};
pub use mend::zip_faults;
pub use origin::origin;
pub use package::Package;
pub use runtime::{Family, Platform, Runtime};
