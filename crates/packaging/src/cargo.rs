//! Runs `cargo build`, passes its lines on, and finds the executable that it made.

use std::path::PathBuf;
use std::process::Stdio;

use cargo_metadata::Message;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::choice::Choice;
use super::error::BuildError;
use super::toolchain::not_started;

/// Gets what cargo writes to stderr, line by line and without line ends.
pub type OnLine<'a> = &'a (dyn Fn(&str) + Sync);

/// Builds with a command that already says what and how. `piped` as for [`compile`](super::compile).
pub async fn build(mut command: Command, choice: &Choice, piped: Option<OnLine<'_>>) -> Result<PathBuf, BuildError> {
    let what = format!("cannot build `{}`", choice.package);
    command.stdout(Stdio::piped());
    command.stderr(if piped.is_some() { Stdio::piped() } else { Stdio::inherit() });
    let program = command.as_std().get_program().to_os_string();
    let mut child = command.spawn().map_err(|error| not_started(&what, "cargo", &program, &error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut executable = None;
    let messages = lines(stdout, |line| executable = executable_in(line, choice).or(executable.take()));
    let story = lines(stderr, |line| piped.iter().for_each(|on_line| on_line(line)));
    let unreadable = |error: std::io::Error| BuildError::new(what.clone()).because(error);
    let (messages, story, status) = tokio::join!(messages, story, child.wait());
    messages.and(story).map_err(unreadable)?;
    let status = status.map_err(unreadable)?;
    if !status.success() {
        return Err(BuildError::new(format!("{what}: cargo ended with {status}")));
    }
    executable.ok_or_else(|| BuildError::new(what).because(format!("cargo names no executable `{}`", choice.bin)))
}

/// Hands on each line of a stream, as text even where it is none: compilers quote source files.
pub async fn lines<R: AsyncRead + Unpin>(stream: Option<R>, mut on_line: impl FnMut(&str)) -> std::io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        on_line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
    Ok(())
}

/// The executable's path, if this line of cargo's JSON says that the binary is built.
fn executable_in(line: &str, choice: &Choice) -> Option<PathBuf> {
    match serde_json::from_str(line) {
        Ok(Message::CompilerArtifact(artifact))
            if artifact.package_id.repr == choice.package_id
                && artifact.target.is_bin()
                && artifact.target.name == choice.bin =>
        {
            artifact.executable.map(|path| path.into_std_path_buf())
        }
        _ => None,
    }
}
