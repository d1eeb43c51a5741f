//! Which sockets listen on a port of this machine, and which of them get its connections, from libproc.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use rustix::process::Pid;

use super::super::listener::{self, Listener};
use super::processes;
use super::sockets::{self, Socket, owner};

/// The sockets to which the kernel may give a connection to `host` and `port`. Without a host, they are all that listen on
/// the port. Sockets of other users' processes are not shown.
pub(crate) fn receivers(port: u16, host: Option<Ipv4Addr>) -> Vec<Socket> {
    let open = processes::all().into_iter().flat_map(|pid| sockets::all(pid).unwrap_or_default());
    let listening = open.filter(|details| details.listens && details.local.port() == port);
    let all = listening.map(|details| Listener {
        address: details.local.ip(),
        v6_only: details.v6_only,
        socket: Socket::Listener(details.number),
    });
    listener::receivers(all.collect(), host)
}

/// The same, unless one of these sockets, each with a process that has it open, still listens on the port: then none. To look
/// at the sockets of all processes takes too long for each request.
pub(crate) fn other_receivers(port: u16, host: Option<Ipv4Addr>, own: &BTreeMap<Socket, Pid>) -> Vec<Socket> {
    let is_open = |(socket, pid): (&Socket, &Pid)| {
        let of_process = sockets::all(*pid).unwrap_or_default();
        of_process.iter().any(|details| {
            details.listens && details.local.port() == port && Socket::Listener(details.number) == *socket
        })
    };
    if own.iter().any(is_open) {
        return Vec::new();
    }
    receivers(port, host)
}

/// The process that listens on a port, for messages.
pub(crate) fn holder(port: u16) -> String {
    receivers(port, None).first().map_or_else(|| "another program".to_owned(), |socket| owner(*socket))
}
