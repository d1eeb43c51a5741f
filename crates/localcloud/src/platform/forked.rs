//! Starts a program by `fork`, which copies the cloud's mappings and descriptors.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::Prepare;

/// Starts a program in a process group of its own, and returns when it runs. Its stdin is empty. `prepare` runs in the new
/// process: it must make system calls alone.
///
/// # Errors
/// Those of `prepare` and of the system calls that start a program.
#[expect(unsafe_code, reason = "a closure runs between fork and exec")]
pub(super) fn start(command: &Command, output: &OwnedFd, prepare: &Prepare) -> io::Result<Pid> {
    let directory = command.get_current_dir().ok_or(io::ErrorKind::InvalidInput)?;
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args()).current_dir(directory).env_clear().envs(variables).process_group(0);
    copy.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
    let prepare = prepare.clone();
    // SAFETY: the closure makes system calls and allocates nothing.
    unsafe { copy.pre_exec(move || prepare()) };
    copy.spawn().map(|child| Pid::from_child(&child))
}
