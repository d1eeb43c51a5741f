//! `Cargo.lock`: whether cargo may change it, and what is said when it does or would have to.

use std::path::{Path, PathBuf};

use super::configuration::Environment;
use super::toolchain::Toolchain;
use crate::error::BuildError;
use crate::origin::git;

/// Cargo's words about a lock file that it would have to change.
const STALE: &str = "--locked was passed";

/// The lock file of a workspace.
pub(super) struct Lock {
    path: PathBuf,
    /// Whether cargo must not change it.
    pub is_sealed: bool,
}

/// What a lock file was before a build.
pub(super) struct Before<'a>(&'a Path, Option<Vec<u8>>);

impl Lock {
    /// `wanted` is what the manifest says. Otherwise a lock file that is in Git is sealed in CI.
    pub(super) fn of(root: &Path, wanted: Option<bool>, environment: &Environment) -> Lock {
        let is_ci = || environment.get("CI").is_some_and(|value| !["", "0", "false"].contains(&value.as_str()));
        let is_tracked = || git(root, &["ls-files", "--error-unmatch", "Cargo.lock"]).is_some();
        Lock { path: root.join("Cargo.lock"), is_sealed: wanted.unwrap_or_else(|| is_ci() && is_tracked()) }
    }

    /// Asks cargo whether a sealed lock file fits.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn refuse_stale(&self, toolchain: &Toolchain, package: &str) -> Result<(), BuildError> {
        if !self.is_sealed {
            return Ok(());
        }
        // Whatever else may be wrong, cargo reports it during the build.
        let words = toolchain.refusal(&["update", "--workspace", "--locked", "--quiet"]).await.unwrap_or_default();
        if !words.contains(STALE) {
            return Ok(());
        }
        let path = self.path.display();
        let (why, cure) = match self.path.is_file() {
            true => (format!("`{path}` does not fit the crates' `Cargo.toml`"), "run `cargo update --workspace`"),
            false => (format!("`{path}` does not exist"), "run `cargo generate-lockfile`"),
        };
        let error = BuildError::new(format!("cannot build `{package}`: {why}, and cargo must not change it"));
        Err(error.hint(format!("{cure}, then commit the file")).hint("or set `build.locked = false`"))
    }

    pub(super) fn before(&self) -> Before<'_> {
        Before(&self.path, std::fs::read(&self.path).ok())
    }
}

impl Before<'_> {
    /// Whether a build has changed the file that was there, in words.
    pub(super) fn change(&self) -> Option<String> {
        let Before(path, before) = self;
        let has_changed = before.is_some() && std::fs::read(path).ok() != *before;
        has_changed.then(|| format!("cargo has updated `{}`, which did not fit: commit it", path.display()))
    }
}
