//! The port on which a web app listens, one for each instance.
//!
//! On AWS every instance has a network of its own, and here all share this machine's. The first instance gets the port
//! that its function asks for, if nobody has it; any other gets a free one, told in the variables that name the port. An
//! app that listens elsewhere than these say can have one instance at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::{Blueprint, Start};
use crate::cloud::{Cloud, lock};
use crate::world::configuration::Layer;

/// Which variables the adapter looks at, in this order, and the port where it finds none of them.
const VARIABLES: [&str; 3] = ["AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT", "PORT"];
const DEFAULT: u16 = 8080;

/// How long an instance that is told to end may take to give back its port.
const GIVING_WAY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Ports of instances that live; their apps may not listen yet.
static CLAIMED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that no other instance gets while this value lives.
#[derive(Debug)]
pub(super) struct Claim {
    port: u16,
    /// The one that the function asked for, where that was not to be had.
    instead_of: Option<u16>,
}

impl Claim {
    /// # Errors
    /// When no port is free.
    pub(super) fn make(environment: &BTreeMap<String, String>) -> std::io::Result<Self> {
        let asked = asked(environment);
        let mut claimed = lock(&CLAIMED);
        if !claimed.contains(&asked) && is_free(asked) {
            claimed.insert(asked);
            return Ok(Self { port: asked, instead_of: None });
        }
        loop {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            if claimed.insert(port) {
                return Ok(Self { port, instead_of: Some(asked) });
            }
        }
    }

    pub(super) fn number(&self) -> u16 {
        self.port
    }

    /// The variables that say so to the adapter and to the app.
    pub(super) fn variables(&self) -> [(String, String); 2] {
        ["AWS_LWA_PORT", "PORT"].map(|name| (name.to_owned(), self.port.to_string()))
    }

    /// What is worth a line, since not every app looks at its variables.
    pub(super) fn warning(&self) -> Option<String> {
        let (asked, port) = (self.instead_of?, self.port);
        Some(format!("port {asked} is taken, by another instance or another program: this instance has PORT={port}"))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&CLAIMED).remove(&self.port);
    }
}

/// The port that a function asks for.
fn asked(environment: &BTreeMap<String, String>) -> u16 {
    VARIABLES.iter().find_map(|name| environment.get(*name)?.parse().ok()).unwrap_or(DEFAULT)
}

/// Ends what is idle on the port that a new instance asks for: an older build of the same function, and where the app cannot
/// do with another port, whatever it is; then waits until the port is free, as long as that may take.
pub(super) async fn make_way(cloud: &Cloud, blueprint: &Blueprint, start: Start) {
    if !blueprint.configuration.layers.iter().any(Layer::is_adapter) {
        return;
    }
    let port = asked(blueprint.configuration.variables());
    let limit =
        if start.on_its_port { Duration::from_secs(blueprint.configuration.timeout.into()) } else { GIVING_WAY };
    let until = Instant::now() + limit;
    // Another program may have it as well.
    let taken = || lock(&CLAIMED).contains(&port) || (start.on_its_port && !is_free(port));
    while taken() && Instant::now() < until {
        let ended = cloud.fleet.give_way(port, blueprint, start.on_its_port);
        if !ended && !start.on_its_port {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// On every address, since an app may listen on any. What an instance has just left is free.
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
        let first = Claim::make(&environment).expect("a port");
        let second = Claim::make(&environment).expect("another");
        assert_eq!((first.port, first.warning()), (free, None));
        assert!(second.port != free && second.warning().is_some_and(|words| words.contains(&free.to_string())));
        drop(first);
        assert_eq!(Claim::make(&environment).expect("the same again").port, free);
    }

    #[test]
    fn a_port_of_another_program_is_left_alone() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("its address").port();
        let claim = Claim::make(&BTreeMap::from([("AWS_LWA_PORT".to_owned(), port.to_string())])).expect("another");
        assert_ne!(claim.port, port);
    }
}
