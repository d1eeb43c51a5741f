//! From a crate, or a zip built elsewhere, to the package that Lambda gets: built, inspected, zipped.
//!
//! - [`prepare`] finds out what can build a crate here and chooses a [`Route`]; [`Prepared::compile`] runs cargo and
//!   returns the binary's bytes; [`compile`] is both.
//! - [`Package::of_bootstrap`] inspects such a binary and zips it, the same way every time.
//! - [`Package::read`] inspects a zip that was built elsewhere and keeps its bytes as they are.
//! - [`App::check`] and [`Checked::assemble`] make one of a directory, with the packages that an app depends on.
//!
//! Nothing here prints: cargo writes to the terminal itself, or its lines go to the caller.

mod architecture;
mod runtime;

mod compile;

mod choice;
mod configuration;
mod toolchain;

mod findings;
mod missing;
mod preference;
mod route;

mod cargo;
mod profile;
mod remap;
mod target_dir;

mod package;

mod app;

mod archive;
mod elf;

mod origin;

mod error;

pub use app::{App, Assembled, Checked, Dependencies, Selection, UNFINISHED, platform_here};
pub use architecture::Architecture;
pub use compile::{Order, Prepared, Progress, compile, prepare};
pub use error::BuildError;
pub use origin::origin;
pub use package::Package;
pub use preference::{Linker, Preference};
pub use route::Route;
pub use runtime::{Family, Platform, Runtime};
