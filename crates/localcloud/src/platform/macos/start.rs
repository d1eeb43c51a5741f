//! What happens in a new process between fork and exec. All of it makes system calls alone.

use std::io;
use std::os::fd::AsFd;

use rustix::process::{Pid, getppid};

/// macOS has no parent-death signal: the guardian ends the process instead.
///
/// # Errors
/// If `parent` has ended.
pub(crate) fn end_with_parent(parent: Pid) -> io::Result<()> {
    if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
}

/// Root cannot give up its right to ignore permissions here, except by becoming another user.
pub(crate) fn obey_permissions() {}

/// macOS has no `TCP_QUICKACK`; without it, the Runtime API is slower for clients that leave Nagle's algorithm on.
pub(crate) fn acknowledge(_socket: impl AsFd) {}
