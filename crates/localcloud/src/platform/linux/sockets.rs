//! Which process on this machine has a socket: asked of the kernel, or read from `/proc`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::process::Pid;

use super::super::holders;
use super::processes;

/// A TCP socket of this machine, by its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Socket(pub(super) u32);

/// Whether a process has a socket open.
pub(crate) fn holds(pid: Pid, socket: Socket) -> bool {
    shows(pid, socket) == Some(true)
}

/// The same; `None` if the process runs, but does not show its files.
pub(crate) fn shows(pid: Pid, Socket(inode): Socket) -> Option<bool> {
    let link = format!("socket:[{inode}]");
    let files = match std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
        Err(_) => return Some(false),
    };
    let mut links = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
    Some(links.any(|to| to.as_os_str() == link.as_str()))
}

/// The TCP socket with this address that is connected to `other`; `None` once no process has it open.
pub(crate) fn connection(address: SocketAddr, other: SocketAddr) -> Option<Socket> {
    let inode = ask(address, other).unwrap_or_else(|_| find(address, other)).filter(|inode| *inode != 0);
    inode.map(Socket)
}

/// Whether any process has the socket with this address that is connected to `other` open.
pub(crate) fn is_connected(address: SocketAddr, other: SocketAddr) -> bool {
    connection(address, other).is_some()
}

/// A question to the kernel about TCP sockets (sock_diag(7)); the default is about one connection of IPv4.
pub(super) struct Question {
    pub(super) family: AddressFamily,
    /// Whether it is about all sockets that fit.
    pub(super) all: bool,
    /// A bit for each state that fits.
    pub(super) states: u32,
    /// The ports and addresses of both ends.
    pub(super) ports: [u16; 2],
    pub(super) addresses: [Ipv4Addr; 2],
}

impl Default for Question {
    fn default() -> Self {
        let addresses = [Ipv4Addr::UNSPECIFIED; 2];
        Self { family: AddressFamily::INET, all: false, states: u32::MAX, ports: [0; 2], addresses }
    }
}

impl Question {
    /// Sends it; the answers can be read from the socket.
    ///
    /// # Errors
    /// On systems without such sockets.
    pub(super) fn ask(&self) -> io::Result<OwnedFd> {
        const SOCK_DIAG_BY_FAMILY: u16 = 20;
        const NLM_F_REQUEST: u16 = 1;
        const NLM_F_DUMP: u16 = 0x300;
        const IPPROTO_TCP: u8 = 6;
        let flags = if self.all { NLM_F_REQUEST | NLM_F_DUMP } else { NLM_F_REQUEST };
        // `struct nlmsghdr`, then `struct inet_diag_req_v2`.
        let mut question = Vec::with_capacity(72);
        question.extend(72_u32.to_ne_bytes());
        question.extend([SOCK_DIAG_BY_FAMILY, flags].map(u16::to_ne_bytes).concat());
        question.extend([0; 8]);
        question.extend([self.family.as_raw() as u8, IPPROTO_TCP, 0, 0]);
        question.extend(self.states.to_ne_bytes());
        question.extend(self.ports.map(u16::to_be_bytes).concat());
        for ip in self.addresses {
            question.extend(ip.octets());
            question.extend([0; 12]);
        }
        question.extend([0; 4]);
        question.extend([0xff; 8]);
        let kernel =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
        rustix::net::sendto(&kernel, &question, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        Ok(kernel)
    }
}

/// Asks the kernel for one connection, which is faster than reading its tables.
///
/// # Errors
/// On systems that do not support the question.
fn ask(address: SocketAddr, other: SocketAddr) -> io::Result<Option<u32>> {
    const NLMSG_ERROR: u16 = 2;
    let (IpAddr::V4(from), IpAddr::V4(to)) = (address.ip(), other.ip()) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let question = Question { ports: [address.port(), other.port()], addresses: [from, to], ..Question::default() };
    let kernel = question.ask()?;
    let mut answer = [0; 1024];
    let (length, _) = rustix::net::recv(&kernel, &mut answer, RecvFlags::empty())?;
    let field = |at: usize| answer[..length].get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    if kind == Some(NLMSG_ERROR) {
        let error = io::Error::from_raw_os_error(-field(16).map(i32::from_ne_bytes).unwrap_or_default());
        return if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) };
    }
    // `idiag_inode`, the last of `struct inet_diag_msg`.
    field(84).map(u32::from_ne_bytes).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A socket as the kernel lists it.
pub(super) struct Row {
    pub(super) local: String,
    remote: String,
    pub(super) listens: bool,
    pub(super) inode: u32,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let text = |at: usize| fields.get(at).map(|field| (*field).to_owned());
        Some(Self { local: text(1)?, remote: text(2)?, listens: text(3)? == "0A", inode: text(9)?.parse().ok()? })
    }

    /// All TCP sockets of a table.
    pub(super) fn all(table: &str) -> Vec<Self> {
        std::fs::read_to_string(table).unwrap_or_default().lines().filter_map(Self::read).collect()
    }
}

pub(super) const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Reads the kernel's tables, on systems where [`ask`] does not work.
fn find(address: SocketAddr, other: SocketAddr) -> Option<u32> {
    // A program may use IPv6 sockets for IPv4 addresses, so only the end of the address is compared.
    let written = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()),
        IpAddr::V6(_) => "-".to_owned(),
    };
    let (local, remote) = (written(address), written(other));
    let is_it = |row: &Row| row.local.ends_with(&local) && row.remote.ends_with(&remote);
    TABLES.into_iter().find_map(|table| Row::all(table).iter().find(|row| is_it(row)).map(|row| row.inode))
}

/// The process that has a socket, for messages.
pub(crate) fn owner(socket: Socket) -> String {
    let holders: Vec<Pid> = processes::all().into_iter().filter(|pid| holds(*pid, socket)).collect();
    holders::first(&holders, processes::parent).map_or_else(|| "another program".to_owned(), processes::describe)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;

    use super::*;

    #[test]
    fn the_kernel_and_its_tables_say_the_same() {
        let _turn = crate::sync::turn();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("its address");
        let client = TcpStream::connect(own).expect("a connection");
        let address = client.local_addr().expect("its address");
        let inode = find(address, own).expect("it is listed");
        assert!(inode != 0 && ask(address, own).is_ok_and(|asked| asked == Some(inode)));
        assert!(holds(rustix::process::getpid(), Socket(inode)));
        assert!(owner(Socket(inode)).starts_with(&format!("process {} (", std::process::id())));
        drop(client);
        assert!(!is_connected(address, own));
    }

    #[test]
    fn a_server_is_named_and_not_the_worker_that_it_has_started_with_its_socket() {
        let _turn = crate::sync::turn();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let file = OwnedFd::from(listener.try_clone().expect("another file of it"));
        let mut worker = Command::new("sleep").arg("1000").stdin(file).spawn().expect("a worker");
        let named = super::super::listening::holder(port);
        worker.kill().expect("it runs");
        worker.wait().expect("it ends");
        assert!(named.starts_with(&format!("process {} (", std::process::id())), "{named}");
    }
}
