//! Runs `cargo build`, forwards its output, and finds the executable that it built.

use std::path::PathBuf;
use std::process::Stdio;

use cargo_metadata::Message;
use tokio::process::Command;

use super::binary::Binary;
use super::toolchain::not_started;
use crate::error::BuildError;
use crate::said;
use crate::tool::lines;

/// Receives cargo's stderr, line by line and without line ends.
pub(super) type OnLine<'a> = &'a (dyn Fn(&str) + Sync);

/// Runs a complete command. `piped` and `compiles` as in [`Progress`](super::Progress).
pub(super) async fn build(
    mut command: Command,
    binary: &Binary,
    piped: Option<OnLine<'_>>,
    compiles: &(dyn Fn() + Sync),
) -> Result<PathBuf, BuildError> {
    let what = format!("cannot build `{}`", binary.package);
    command.stdout(Stdio::piped());
    command.stderr(if piped.is_some() { Stdio::piped() } else { Stdio::inherit() });
    let program = command.as_std().get_program().to_os_string();
    let mut child = command.spawn().map_err(|error| not_started(&what, "cargo", &program, &error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut executable = None;
    let mut is_compiling = false;
    let messages = lines(stdout, |line| {
        let message = serde_json::from_str(line).ok();
        if matches!(message, Some(Message::CompilerArtifact(_) | Message::BuildScriptExecuted(_))) && !is_compiling {
            is_compiling = true;
            compiles();
        }
        executable = message.and_then(|message| executable_in(message, binary)).or(executable.take());
    });
    let story = lines(stderr, |line| piped.iter().for_each(|on_line| on_line(line)));
    let unreadable = |error: std::io::Error| BuildError::new(what.clone()).because(error);
    let (messages, story, status) = tokio::join!(messages, story, child.wait());
    messages.and(story).map_err(unreadable)?;
    let status = status.map_err(unreadable)?;
    if !status.success() {
        return Err(BuildError::new(format!("{what}: cargo {}", said::ending(status))));
    }
    executable
        .ok_or_else(|| BuildError::new(what).because(format!("cargo did not report an executable `{}`", binary.bin)))
}

/// The executable's path, if this message of cargo reports the binary as built.
fn executable_in(message: Message, binary: &Binary) -> Option<PathBuf> {
    match message {
        Message::CompilerArtifact(artifact)
            if artifact.package_id.repr == binary.package_id
                && artifact.target.is_bin()
                && artifact.target.name == binary.bin =>
        {
            artifact.executable.map(|path| path.into_std_path_buf())
        }
        _ => None,
    }
}
