//! Linux.

pub(crate) mod exec;
pub(crate) mod executables;
pub(crate) mod limits;
pub(crate) mod listening;
pub(crate) mod mounts;
pub(crate) mod processes;
pub(crate) mod sockets;
pub(crate) mod start;
pub(crate) mod tags;
