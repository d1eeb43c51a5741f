//! The commit that the code was built from.

use std::path::Path;
use std::process::{Command, Stdio};

/// `commit 3f2a9c1d4e5f`, followed by `dirty` if there are uncommitted changes. `None` outside a Git repository.
pub fn origin(directory: &Path) -> Option<String> {
    let commit = git(directory, &["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(directory, &["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty());
    Some(format!("commit {commit}{}", if changed { " dirty" } else { "" }))
}

/// The output of git, if it succeeds.
pub(super) fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut command = Command::new("git");
    // Other Git processes must not be blocked by a query.
    command.arg("--no-optional-locks").arg("-C").arg(directory).args(arguments);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
