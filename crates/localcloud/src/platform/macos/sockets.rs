//! Which process on this machine has a socket, from libproc. It shows the sockets of this user's processes alone, and of
//! all processes to root.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use libproc::file_info::{ListFDs, ProcFDInfo, ProcFDType, pidfdinfo};
use libproc::net_info::{InSIAddr, InSockInfo, SocketFDInfo, SocketInfoKind, TcpSIState};
use libproc::proc_pid::listpidinfo;
use rustix::process::Pid;

use super::super::holders;
use super::processes;

/// The flags of `insi_vflag`; a socket for both has both.
const OF_IPV4: u8 = 1;
const OF_IPV6: u8 = 2;

/// A TCP socket of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Socket {
    /// By its own address and that of the other end.
    Connection(SocketAddr, SocketAddr),
    /// By the kernel's number.
    Listener(u64),
}

/// What the kernel shows of a TCP socket.
pub(super) struct Details {
    pub(super) number: u64,
    pub(super) local: SocketAddr,
    remote: SocketAddr,
    pub(super) listens: bool,
    pub(super) v6_only: bool,
}

impl Details {
    fn is(&self, socket: Socket) -> bool {
        match socket {
            Socket::Connection(address, other) => !self.listens && self.local == address && self.remote == other,
            Socket::Listener(number) => self.number == number,
        }
    }
}

/// The TCP sockets that a process has open; `None` if it does not show them.
pub(super) fn all(pid: Pid) -> Option<Vec<Details>> {
    let files = processes::info(pid)?.pbi_nfiles;
    let id = pid.as_raw_nonzero().get();
    let files: Vec<ProcFDInfo> = listpidinfo::<ListFDs>(id, usize::try_from(files).ok()?).ok()?;
    let sockets = files.iter().filter(|file| matches!(ProcFDType::from(file.proc_fdtype), ProcFDType::Socket));
    // A file may have been closed in the meantime.
    Some(sockets.filter_map(|file| details(&pidfdinfo(id, file.proc_fd).ok()?)).collect())
}

#[expect(unsafe_code, reason = "libproc has a union for the kinds of sockets")]
fn details(found: &SocketFDInfo) -> Option<Details> {
    if !matches!(SocketInfoKind::from(found.psi.soi_kind), SocketInfoKind::Tcp) {
        return None;
    }
    // SAFETY: the kernel has written the member of this kind.
    let tcp = unsafe { found.psi.soi_proto.pri_tcp };
    let ends = &tcp.tcpsi_ini;
    Some(Details {
        number: found.psi.soi_so,
        local: end(ends, &ends.insi_laddr, ends.insi_lport),
        remote: end(ends, &ends.insi_faddr, ends.insi_fport),
        listens: matches!(TcpSIState::from(tcp.tcpsi_state), TcpSIState::Listen),
        v6_only: ends.insi_vflag & OF_IPV4 == 0,
    })
}

/// One end of a connection. The port is in the network's order.
#[expect(unsafe_code, reason = "libproc has a union for the kinds of addresses")]
fn end(of: &InSockInfo, address: &InSIAddr, port: i32) -> SocketAddr {
    let address = if of.insi_vflag & OF_IPV6 == 0 {
        // SAFETY: every bit pattern is an address.
        IpAddr::V4(Ipv4Addr::from(u32::from_be(unsafe { address.ina_46.i46a_addr4.s_addr })))
    } else {
        // SAFETY: the same.
        IpAddr::V6(Ipv6Addr::from(unsafe { address.ina_6.s6_addr }))
    };
    SocketAddr::new(address.to_canonical(), u16::from_be((port & 0xffff) as u16))
}

/// Whether a process has a socket open.
pub(crate) fn holds(pid: Pid, socket: Socket) -> bool {
    shows(pid, socket) == Some(true)
}

/// The same; `None` if the process runs, but does not show its files.
pub(crate) fn shows(pid: Pid, socket: Socket) -> Option<bool> {
    match all(pid) {
        Some(sockets) => Some(sockets.iter().any(|details| details.is(socket))),
        None if processes::has_ended(pid) => Some(false),
        None => None,
    }
}

/// The TCP socket with this address that is connected to `other`, whether any process has it open or not.
pub(crate) fn connection(address: SocketAddr, other: SocketAddr) -> Option<Socket> {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    Some(Socket::Connection(canonical(address), canonical(other)))
}

/// Whether any process has the socket with this address that is connected to `other` open.
pub(crate) fn is_connected(address: SocketAddr, other: SocketAddr) -> bool {
    connection(address, other).is_some_and(|socket| processes::all().into_iter().any(|pid| holds(pid, socket)))
}

/// The process that has a socket, for messages.
pub(crate) fn owner(socket: Socket) -> String {
    let holders: Vec<Pid> = processes::all().into_iter().filter(|pid| holds(*pid, socket)).collect();
    holders::first(&holders, processes::parent).map_or_else(|| "another program".to_owned(), processes::describe)
}
