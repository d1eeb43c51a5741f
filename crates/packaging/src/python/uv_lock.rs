//! The packages of a `uv.lock`, which only uv can read.

use std::path::Path;

use tokio::process::Command;

use super::messages;
use super::pylock::Pylock;
use crate::error::BuildError;
use crate::tool::{self, failed, find};

/// The locked packages of a project, without development dependencies.
///
/// # Errors
/// When uv is not installed or cannot read the lock.
pub async fn export(lock: &Path, directory: &Path) -> Result<Pylock, BuildError> {
    let message = format!("cannot read `{}`", lock.display());
    let Some(uv) = find("uv") else { return Err(missing(lock)) };
    let mut command = Command::new(uv);
    command.args(["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-editable"]);
    command.args(["--format", "pylock.toml"]).current_dir(directory);
    let text = tool::output(command).await.map_err(|said| messages::of_old_uv(failed(message, &said), &said))?;
    Pylock::parse(&text, directory)
}

/// The error if uv is not installed.
pub fn missing(lock: &Path) -> BuildError {
    BuildError::new(format!("cannot read `{}`: only uv can read it, and uv is not installed", lock.display()))
        .hint("install uv: https://docs.astral.sh/uv/, or export the list once: `uv export -o requirements.txt`")
}
