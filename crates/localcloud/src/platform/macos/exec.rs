//! Starts a program in a new process. macOS has no `vfork` that could do anything before the program runs, so this forks.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;

use rustix::process::Pid;

use crate::platform::{Prepare, forked};

/// Starts programs, one at a time.
pub(crate) struct Starter;

impl Starter {
    /// # Errors
    /// Never, on this system.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Starts a program in a process group of its own, and returns when it runs. Its stdin is empty. `prepare` runs in the
    /// new process: it must make system calls alone.
    ///
    /// # Errors
    /// Those of `prepare` and of the system calls that start a program.
    pub(crate) fn start(&mut self, command: &Command, output: &OwnedFd, prepare: &Prepare) -> io::Result<Pid> {
        forked::start(command, output, prepare)
    }
}

/// A descriptor that becomes readable when a child ends: macOS has none.
pub(crate) fn end_of(_child: Pid) -> Option<OwnedFd> {
    None
}
