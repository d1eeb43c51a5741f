//! Which sockets listen on a port of this machine, and which of them get its connections: asked of the kernel, or read
//! from `/proc`.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::net::{AddressFamily, RecvFlags};
use rustix::process::Pid;

use super::super::listener;
use super::sockets::{Question, Row, Socket, TABLES, owner};

type Listener = listener::Listener<Socket>;

/// The sockets to which the kernel may give a connection to `host` and `port`. Without a host, they are all that listen on
/// the port. On a system that shows no sockets, there are none.
pub(crate) fn receivers(port: u16, host: Option<Ipv4Addr>) -> Vec<Socket> {
    listener::receivers(ask(port).unwrap_or_else(|_| read(port)), host)
}

/// The same, except for these.
pub(crate) fn other_receivers(port: u16, host: Option<Ipv4Addr>, own: &BTreeMap<Socket, Pid>) -> Vec<Socket> {
    receivers(port, host).into_iter().filter(|socket| !own.contains_key(socket)).collect()
}

/// The process that listens on a port, for messages.
pub(crate) fn holder(port: u16) -> String {
    receivers(port, None).first().map_or_else(|| "another program".to_owned(), |socket| owner(*socket))
}

/// Asks the kernel for all sockets that listen on a port.
///
/// # Errors
/// On systems that do not support the question.
fn ask(port: u16) -> io::Result<Vec<Listener>> {
    const LISTEN: u32 = 1 << 10;
    let mut found = Vec::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        let question = Question { family, all: true, states: LISTEN, ports: [port, 0], ..Question::default() };
        let kernel = question.ask()?;
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let (length, _) = rustix::net::recv(&kernel, &mut buffer[..], RecvFlags::empty())?;
            if !take_messages(&buffer[..length], &mut found)? {
                break;
            }
        }
    }
    Ok(found)
}

/// Reads the messages of one packet; false after the last message of an answer.
fn take_messages(mut packet: &[u8], found: &mut Vec<Listener>) -> io::Result<bool> {
    const NLMSG_ERROR: u16 = 2;
    const NLMSG_DONE: u16 = 3;
    while let (Some(length), Some(kind)) = (number(packet, 0), packet.get(4..6)) {
        let length = usize::try_from(length).unwrap_or_default();
        match u16::from_ne_bytes([kind[0], kind[1]]) {
            NLMSG_DONE => return Ok(false),
            NLMSG_ERROR => return Err(io::ErrorKind::Unsupported.into()),
            _ => found.extend(packet.get(..length).and_then(listener)),
        }
        // Messages begin at multiples of four bytes.
        packet = packet.get(length.max(16).next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// A number of 32 bits in this machine's order.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// Reads one message: `struct nlmsghdr`, `struct inet_diag_msg`, attributes.
fn listener(message: &[u8]) -> Option<Listener> {
    const INET_DIAG_SKV6ONLY: u16 = 11;
    let address = if i32::from(*message.get(16)?) == i32::from(AddressFamily::INET6.as_raw()) {
        let bytes: [u8; 16] = message.get(24..40)?.try_into().ok()?;
        IpAddr::V6(bytes.into())
    } else {
        let bytes: [u8; 4] = message.get(24..28)?.try_into().ok()?;
        IpAddr::V4(bytes.into())
    };
    let socket = Socket(number(message, 84)?);
    let (mut v6_only, mut rest) = (false, message.get(88..).unwrap_or_default());
    while let Some([length, kind]) =
        rest.get(..4).map(|head| [0, 2].map(|at| u16::from_ne_bytes([head[at], head[at + 1]])))
    {
        if kind == INET_DIAG_SKV6ONLY {
            v6_only = rest.get(4).is_some_and(|value| *value != 0);
        }
        rest = rest.get(usize::from(length.max(4)).next_multiple_of(4)..).unwrap_or_default();
    }
    Some(Listener { address, v6_only, socket })
}

/// Reads the kernel's tables, on systems where [`ask`] does not work. They do not show which sockets are for IPv6 alone.
fn read(port: u16) -> Vec<Listener> {
    let suffix = format!(":{port:04X}");
    let rows = TABLES.into_iter().flat_map(Row::all).filter(|row| row.listens && row.local.ends_with(&suffix));
    let listener =
        |row: Row| Some(Listener { address: written(&row.local)?, v6_only: false, socket: Socket(row.inode) });
    let mut found: Vec<Listener> = Vec::new();
    for listener in rows.filter_map(listener) {
        // A table that changes while it is read can have a socket twice.
        if !found.contains(&listener) {
            found.push(listener);
        }
    }
    found
}

/// An address as the tables have it: words of 32 bits in this machine's order.
fn written(local: &str) -> Option<IpAddr> {
    let (address, _) = local.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    if address.len() == 8 {
        return Some(IpAddr::V4(word(0)?.into()));
    }
    let bytes: [u8; 16] = [word(0)?, word(1)?, word(2)?, word(3)?].concat().try_into().ok()?;
    Some(IpAddr::V6(Ipv6Addr::from(bytes)))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_kernel_and_its_tables_name_the_same_listeners() {
        let _turn = crate::sync::turn();
        for host in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let address = listener.local_addr().expect("its address");
            let asked = ask(address.port()).expect("the kernel answers");
            let is_v6_only = host.starts_with("[::1]");
            assert_eq!((asked.len(), asked[0].address, asked[0].v6_only), (1, address.ip(), is_v6_only), "{host}");
            let listed = [Listener { v6_only: false, ..asked[0] }];
            assert_eq!(read(address.port()), listed, "{host}");
            drop(listener);
            assert!(receivers(address.port(), None).is_empty(), "{host}");
        }
    }
}
