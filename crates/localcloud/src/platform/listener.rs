//! Which of the sockets that listen on a port get its connections.

use std::net::{IpAddr, Ipv4Addr};

/// A socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listener<Socket> {
    pub(super) address: IpAddr,
    /// Whether it takes connections of IPv6 alone.
    pub(super) v6_only: bool,
    pub(super) socket: Socket,
}

impl<Socket> Listener<Socket> {
    /// Whether a connection to an address of IPv4 may get to it: first what listens on that address, then what listens on all.
    fn rank(&self, host: Ipv4Addr) -> Option<bool> {
        match self.address.to_canonical() {
            IpAddr::V4(own) if own == host => Some(true),
            IpAddr::V4(own) => own.is_unspecified().then_some(false),
            IpAddr::V6(own) => (own.is_unspecified() && !self.v6_only).then_some(false),
        }
    }
}

/// Those to which the kernel may give a connection to `host`. There are several if they share the port (`SO_REUSEPORT`).
/// Without a host, they are all.
pub(super) fn receivers<Socket>(all: Vec<Listener<Socket>>, host: Option<Ipv4Addr>) -> Vec<Socket> {
    let Some(host) = host else { return all.into_iter().map(|listener| listener.socket).collect() };
    let ranked: Vec<(bool, Socket)> =
        all.into_iter().filter_map(|listener| Some((listener.rank(host)?, listener.socket))).collect();
    let best = ranked.iter().any(|(exact, _)| *exact);
    ranked.into_iter().filter(|(exact, _)| *exact == best).map(|(_, socket)| socket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_on_the_very_address_comes_first() {
        let socket = |address: &str, v6_only, socket| Listener { address: address.parse().unwrap(), v6_only, socket };
        let rank = |address: &str, v6_only| socket(address, v6_only, 1).rank(Ipv4Addr::LOCALHOST);
        assert_eq!((rank("127.0.0.1", false), rank("::ffff:127.0.0.1", false)), (Some(true), Some(true)));
        assert_eq!((rank("0.0.0.0", false), rank("::", false)), (Some(false), Some(false)));
        assert_eq!((rank("::", true), rank("::1", false), rank("127.0.0.2", false)), (None, None, None));
        let all = || vec![socket("0.0.0.0", false, 1), socket("127.0.0.1", false, 2), socket("127.0.0.1", false, 3)];
        assert_eq!(receivers(all(), Some(Ipv4Addr::LOCALHOST)), [2, 3]);
        assert_eq!(receivers(all(), None), [1, 2, 3]);
    }
}
