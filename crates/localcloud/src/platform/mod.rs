//! What differs between the systems that this cloud runs on. Each system has the same modules with the same functions, and
//! no other module asks which system it is.
//!
//! | module | what is in it |
//! |---|---|
//! | `executables` | which files can be executed, and where the executable of this process is |
//! | `limits` | how many files a process may open |
//! | `listening` | which sockets listen on a port |
//! | `mounts` | a mount namespace for one process |
//! | `processes` | the processes of this machine, and what can be found out about them |
//! | `sockets` | which process has a socket |
//! | `start` | what happens between fork and exec |
//! | `tags` | numbers that a process passes on to everything that it starts |

mod listener;
#[cfg(any(target_os = "macos", test))]
mod procargs;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{executables, limits, listening, mounts, processes, sockets, start, tags};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{executables, limits, listening, mounts, processes, sockets, start, tags};
