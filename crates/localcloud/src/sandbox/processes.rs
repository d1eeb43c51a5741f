//! Which processes belong to an instance, for its Runtime API.
//!
//! The API is only for the processes of its own instance, but any process can guess its port or look it up. So the
//! kernel is asked which process owns the socket that connected.

use std::net::SocketAddr;
use std::sync::Mutex;

use rustix::process::Pid;

use super::tag::InstanceMark;
use crate::platform::processes;
use crate::platform::sockets::{self, Socket};
use crate::sync::lock;

/// How many processes of an instance are remembered as having connected, and how many of them [`is_likely`] checks.
///
/// [`is_likely`]: InstanceProcesses::is_likely
const REMEMBERED: usize = 64;
const LIKELY: usize = 3;

/// The process at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// A process of the instance.
    Own,
    /// It has ended, or closed its end, before it could be found.
    Gone,
    /// A process that is not the instance's.
    Foreign,
}

/// The processes of one instance that may use its Runtime API.
pub(super) struct InstanceProcesses {
    mark: InstanceMark,
    /// Those that have connected, the last one first, or are likely to. They are checked before all others.
    known: Mutex<Vec<Pid>>,
}

impl InstanceProcesses {
    pub(super) fn new(mark: InstanceMark, likely: impl IntoIterator<Item = u32>) -> Self {
        let pid = |id: u32| Pid::from_raw(id.try_into().ok()?);
        Self { mark, known: Mutex::new(likely.into_iter().filter_map(pid).collect()) }
    }

    /// Whether the process at the other end is one that is likely to connect; fast enough for an async task.
    pub(super) fn is_likely(&self, peer: SocketAddr, own: SocketAddr) -> bool {
        let likely: Vec<Pid> = lock(&self.known).iter().take(LIKELY).copied().collect();
        sockets::connection(peer, own).is_some_and(|socket| likely.into_iter().any(|pid| self.holds(pid, socket)))
    }

    /// Finds the process at the other end. This looks at all processes, so it must run on a blocking thread.
    pub(super) fn identify(&self, peer: SocketAddr, own: SocketAddr) -> Peer {
        let Some(socket) = sockets::connection(peer, own) else { return Peer::Gone };
        let known = lock(&self.known).clone();
        let others = processes::all().into_iter().filter(|pid| !known.contains(pid));
        let all: Vec<Pid> = known.iter().copied().chain(others).collect();
        match all.iter().copied().find(|pid| self.holds(*pid, socket)) {
            Some(pid) => {
                let mut known = lock(&self.known);
                known.retain(|other| *other != pid);
                known.truncate(REMEMBERED - 1);
                known.insert(0, pid);
                Peer::Own
            }
            // It may have ended while others were checked. A process that is ending has no files any more, but is connected
            // for a moment.
            None if !sockets::is_connected(peer, own) || !all.iter().any(|pid| sockets::holds(*pid, socket)) => {
                Peer::Gone
            }
            None => Peer::Foreign,
        }
    }

    /// Whether a process is the instance's, and has this socket open.
    fn holds(&self, pid: Pid, socket: Socket) -> bool {
        sockets::holds(pid, socket) && self.mark.is_on(pid)
    }
}
