//! The port of a web app, one for each instance.
//!
//! On AWS every instance has a network of its own; here all instances share this machine's. The first instance gets the
//! port that its function asks for, if it is free; all others get a free one, and find it in the variables that name
//! the port. An app that ignores these variables can have only one instance at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::fleet::PortHolderState;
use super::host::Host;
use super::request::Start;
use super::spec::InstanceSpec;
use crate::sync::lock;

/// The variables that the adapter reads, in this order, and the port if none of them is set.
const VARIABLES: [&str; 3] = ["AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT", "PORT"];
const DEFAULT: u16 = 8080;

/// How long to wait for the port of an instance that has been told to end.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The ports of all instances, whether their apps already listen or not.
static LEASED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that no other instance gets until this is dropped.
#[derive(Debug)]
pub(super) struct PortLease {
    port: u16,
    /// The port that the function asked for, if that was taken.
    instead_of: Option<u16>,
}

impl PortLease {
    /// Leases the port that a function asks for, or a free one.
    ///
    /// # Errors
    /// If no port is free.
    pub(super) fn new(environment: &BTreeMap<String, String>) -> std::io::Result<Self> {
        let asked = asked(environment);
        let mut leased = lock(&LEASED);
        if !leased.contains(&asked) && is_free(asked) {
            leased.insert(asked);
            return Ok(Self { port: asked, instead_of: None });
        }
        loop {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            if leased.insert(port) {
                return Ok(Self { port, instead_of: Some(asked) });
            }
        }
    }

    pub(super) fn number(&self) -> u16 {
        self.port
    }

    /// The variables with the port, for the adapter and the app.
    pub(super) fn variables(&self) -> [(String, String); 2] {
        ["AWS_LWA_PORT", "PORT"].map(|name| (name.to_owned(), self.port.to_string()))
    }

    /// A warning if it is not the port that the function asked for: not every app reads its variables.
    pub(super) fn warning(&self) -> Option<String> {
        let (asked, port) = (self.instead_of?, self.port);
        Some(format!("port {asked} is taken by another instance or program: this instance has PORT={port}"))
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        lock(&LEASED).remove(&self.port);
    }
}

/// The port that a function asks for.
fn asked(environment: &BTreeMap<String, String>) -> u16 {
    VARIABLES.iter().find_map(|name| environment.get(*name)?.parse().ok()).unwrap_or(DEFAULT)
}

/// Frees the port that a new instance asks for, and waits for it up to a limit. This ends an idle instance of an older
/// build of the same function; or any idle instance, if the app needs this port.
pub(super) async fn free(host: &Host, spec: &InstanceSpec, start: Start) {
    if !spec.is_web_app() {
        return;
    }
    let port = asked(spec.configuration.variables());
    let limit =
        if start.on_its_port { Duration::from_secs(spec.configuration.timeout.into()) } else { RELEASE_TIMEOUT };
    let until = Instant::now() + limit;
    // What listens there may be on its way out: a process of an instance that ended, or another program.
    let mut waits = start.on_its_port;
    while Instant::now() < until {
        if lock(&LEASED).contains(&port) {
            match host.fleet.end_port_holder(port, spec, start.on_its_port) {
                PortHolderState::Stays if !start.on_its_port => return,
                PortHolderState::Stays => {}
                PortHolderState::Ends | PortHolderState::Unknown => waits = true,
            }
        } else if !waits || is_free(port) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a port is free on every address, since an app may listen on any.
fn is_free(port: u16) -> bool {
    [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST].iter().all(|address| TcpListener::bind((*address, port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_instances_have_two_ports_and_the_first_has_the_one_it_asks_for() {
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address").port();
        let environment = BTreeMap::from([("PORT".to_owned(), free.to_string())]);
        let first = PortLease::new(&environment).expect("a port");
        let second = PortLease::new(&environment).expect("another");
        assert_eq!((first.port, first.warning()), (free, None));
        assert!(second.port != free && second.warning().is_some_and(|words| words.contains(&free.to_string())));
        drop(first);
        assert_eq!(PortLease::new(&environment).expect("the same again").port, free);
    }

    #[test]
    fn a_port_of_another_program_is_left_alone() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("its address").port();
        let lease = PortLease::new(&BTreeMap::from([("AWS_LWA_PORT".to_owned(), port.to_string())])).expect("another");
        assert_ne!(lease.port, port);
    }
}
