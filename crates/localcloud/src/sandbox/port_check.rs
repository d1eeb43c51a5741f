//! Whether what listens on the ports of a web app is its own instance.
//!
//! The adapter sends requests to whatever listens on the app's port. On AWS that can only be the app; here it may be any
//! program of this machine: one that was faster, or one that came after the app.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use rustix::process::Pid;

use super::port::PortLease;
use super::tag::InstanceMark;
use crate::platform::sockets::{self, Socket};
use crate::platform::{listening, processes};
use crate::sync::lock;

/// The kind of the error if another program has the port.
pub(super) const PORT_TAKEN: &str = "LocalCloud.PortTaken";

/// The variables with the host that the adapter connects to.
const HOST: [&str; 2] = ["AWS_LWA_HOST", "HOST"];

/// The ports of one instance.
pub(super) struct PortCheck {
    /// The ports that the adapter connects to.
    ports: Vec<u16>,
    /// Its address; `None` if that may be any of this machine's.
    host: Option<Ipv4Addr>,
    mark: InstanceMark,
    /// The sockets that are known to be the instance's, each with a process that has it.
    own: Mutex<BTreeMap<Socket, Pid>>,
}

/// Whose socket it is.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Instance(Pid),
    /// A process of the instance does not show its files, so it may be the instance's.
    Unknown,
    Stranger,
}

impl PortCheck {
    pub(super) fn new(lease: &PortLease, environment: &BTreeMap<String, String>, mark: InstanceMark) -> Self {
        let host = HOST.into_iter().find_map(|name| environment.get(name));
        let host = host.map_or(Some(Ipv4Addr::LOCALHOST), |host| host.parse().ok());
        Self { ports: lease.numbers().collect(), host, mark, own: Mutex::default() }
    }

    /// Describes the program on one of the ports, if it is not the instance's: the port, and which program it is.
    pub(super) async fn stranger(self: &Arc<Self>) -> Option<String> {
        if self.unknown().is_empty() {
            return None;
        }
        // This looks at all processes.
        let check = self.clone();
        tokio::task::spawn_blocking(move || check.search()).await.ok().flatten()
    }

    /// The sockets that would get the adapter's connections, except for those that are known to be the instance's.
    fn unknown(&self) -> Vec<(u16, Socket)> {
        let own = lock(&self.own).clone();
        let others = |port: u16| listening::other_receivers(port, self.host, &own);
        self.ports.iter().flat_map(|port| others(*port).into_iter().map(|socket| (*port, socket))).collect()
    }

    fn search(&self) -> Option<String> {
        self.unknown().into_iter().find_map(|(port, socket)| match self.owner(socket) {
            Owner::Instance(pid) => {
                lock(&self.own).insert(socket, pid);
                None
            }
            Owner::Unknown => None,
            Owner::Stranger => {
                let owner = sockets::owner(socket);
                // It may have been closed while it was looked for.
                let listens = listening::receivers(port, self.host).contains(&socket);
                listens.then(|| format!("port {port} is taken by {owner}, which is not the function's app"))
            }
        })
    }

    fn owner(&self, socket: Socket) -> Owner {
        let mut owner = Owner::Stranger;
        for pid in processes::all().into_iter().filter(|pid| self.mark.is_on(*pid)) {
            match sockets::shows(pid, socket) {
                Some(true) => return Owner::Instance(pid),
                Some(false) => {}
                None => owner = Owner::Unknown,
            }
        }
        owner
    }
}
