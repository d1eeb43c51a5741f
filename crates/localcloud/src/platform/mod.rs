//! What differs between the systems that this cloud runs on. Each system has the same modules with the same functions, and
//! no other module asks which system it is.
//!
//! | module | what is in it |
//! |---|---|
//! | `exec` | starts a program in a new process |
//! | `executables` | which files can be executed, and where the executable of this process is |
//! | `limits` | how many files a process may open |
//! | `listening` | which sockets listen on a port |
//! | `mounts` | a mount namespace for one process |
//! | `processes` | the processes of this machine, and what can be found out about them |
//! | `sockets` | which process has a socket |
//! | `start` | what happens between fork and exec |
//! | `tags` | numbers that a process passes on to everything that it starts |

use std::io;
use std::sync::Arc;

mod forked;
mod holders;
mod listener;
#[cfg(any(target_os = "macos", test))]
mod procargs;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{exec, executables, limits, listening, mounts, processes, sockets, start, tags};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{exec, executables, limits, listening, mounts, processes, sockets, start, tags};

/// What a new process does before it runs its program: system calls alone.
pub(crate) type Prepare = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;
