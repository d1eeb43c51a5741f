//! What happens in a new process between fork and exec. All of it makes system calls alone.

use std::io;
use std::os::fd::AsFd;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

/// Has the kernel kill this process when the thread that forked it ends. It must be called last, since changing its
/// privileges clears a process's death signal.
///
/// # Errors
/// If `parent` has ended before the signal was set.
pub(crate) fn end_with_parent(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
}

/// Makes the program that root is about to start obey the permissions of files, as functions do on Lambda.
pub(crate) fn obey_permissions() {
    for capability in [CapabilitySet::DAC_OVERRIDE, CapabilitySet::DAC_READ_SEARCH] {
        // Only root has them, and may give them up.
        let _ = remove_capability_from_bounding_set(capability);
    }
}

/// Has the kernel acknowledge immediately what a TCP socket has received. It forgets this, so each read needs it again.
pub(crate) fn acknowledge(socket: impl AsFd) {
    // Without it the connection is slower, but works.
    let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
}
