//! Packages of Node: installed by the tool that owns their lock, and only from where the project declares them.

mod install;

mod project;
mod tools;
mod workspace;

mod lock;
mod members;
mod registries;

mod yaml;

pub(crate) use install::{Installed, check, install};
pub(crate) use lock::is_lock;

/// Whether a directory has all packages that its app needs: `next build` makes such a one with `output: "standalone"`, with
/// only the files of packages that the app uses.
pub(crate) fn is_complete(directory: &std::path::Path) -> bool {
    let is_standalone = directory.ends_with(".next/standalone")
        || directory.canonicalize().is_ok_and(|directory| directory.ends_with(".next/standalone"));
    is_standalone && directory.join("node_modules").is_dir()
}
