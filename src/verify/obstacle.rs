//! What is in the way of a request.

/// Why a request got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The request itself is invalid: its URL, method or headers.
    Request,
    /// The host name cannot be resolved.
    Name,
    /// No connection, or the connection broke before the response.
    Connection,
    /// The certificate or the handshake.
    Tls,
    /// A proxy between lamstream and the URL.
    Proxy,
}

impl Obstacle {
    pub(super) fn hints(self) -> &'static [&'static str] {
        match self {
            Obstacle::Request => &["check the function's `check` in the manifest"],
            Obstacle::Name => {
                &["try again in a moment, because DNS for a new URL takes time to propagate, or use another resolver"]
            }
            Obstacle::Connection => &["check your network, and that a firewall lets HTTPS through"],
            Obstacle::Tls => &["check this machine's clock and its root certificates"],
            Obstacle::Proxy => &["check `HTTPS_PROXY` and `NO_PROXY`"],
        }
    }
}
