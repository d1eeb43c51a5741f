//! macOS. It has no mount namespaces, no parent-death signal and no tags: the cloud finds the processes of an instance by
//! their environment and their process group, and functions use their layers from where they are.

pub(crate) mod exec;
pub(crate) mod executables;
pub(crate) mod limits;
pub(crate) mod listening;
pub(crate) mod mounts;
pub(crate) mod processes;
pub(crate) mod sockets;
pub(crate) mod start;
pub(crate) mod tags;
