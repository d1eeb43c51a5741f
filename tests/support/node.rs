//! Tools that install packages of Node, pinned, under `target/`.

use super::python::{done, found};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const PNPM: &str = "pnpm@10.18.0";
pub(crate) const YARN: &str = "yarn@1.22.22";
pub(crate) const BERRY: &str = "@yarnpkg/cli-dist@4.10.3";
pub(crate) const BUN: &str = "bun@1.3.2";

/// The directory with the program of a package, installed on first use; as in `python.rs`, a test without it ends.
pub(crate) fn tool(package: &str) -> Option<PathBuf> {
    found(installed(package))
}

fn installed(package: &str) -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node").join(package.replace(['@', '/'], "-"));
    fs::create_dir_all(&home).map_err(|error| format!("cannot make {}: {error}", home.display()))?;
    // Several test binaries may come here at once; one installs, the others wait.
    let lock = File::create(home.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let ready = home.join("ready");
    if !ready.is_file() {
        fs::write(home.join("package.json"), "{}").map_err(|error| error.to_string())?;
        done(Command::new("npm").args(["install", "--no-audit", "--no-fund", package]).current_dir(&home))?;
        fs::write(&ready, package).map_err(|error| error.to_string())?;
    }
    Ok(home.join("node_modules/.bin"))
}
