//! The ports of a web app, for each instance.
//!
//! On AWS every instance has a network of its own; here all instances share this machine's. The first instance gets the
//! port that its function asks for, if it is free; all others get a free one, and find it in the variables that name
//! the port. The same applies to a second port that the adapter polls. An app that ignores these variables can have only
//! one instance at a time.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::fleet::PortHolderState;
use super::host::Host;
use super::request::{PortChoice, Start};
use super::spec::InstanceSpec;
use crate::platform::listening;
use crate::sync::lock;

/// The variables that the adapter reads, in this order, and the port if none of them is set.
const VARIABLES: [&str; 3] = ["AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT", "PORT"];
const DEFAULT: u16 = 8080;
/// The variables with the port that the adapter polls until the app is ready, if it is another one.
const READINESS: [&str; 2] = ["AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"];

/// How long to wait for the port of an instance that has been told to end.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The ports of all instances, whether their apps already listen or not.
static LEASED: Mutex<BTreeMap<u16, Reservation>> = Mutex::new(BTreeMap::new());

/// The lock of a port that functions ask for: the user's other local clouds must not give it to their instances before the
/// app listens. `None` if this machine has no place for locks.
#[derive(Debug)]
struct Reservation(#[expect(dead_code, reason = "it is held")] Option<File>);

/// A port that no other instance gets until this is dropped.
#[derive(Debug)]
pub(super) struct PortLease {
    asked: u16,
    port: u16,
    /// Its own port for polling, if it asks for one.
    readiness: Option<(u16, u16)>,
    /// What keeps the port that the app needs.
    taken: Option<String>,
}

impl PortLease {
    /// Leases the ports that a function asks for, or others.
    ///
    /// # Errors
    /// If no port is free.
    pub(super) fn new(environment: &BTreeMap<String, String>, choice: PortChoice) -> io::Result<Self> {
        let asked = asked(environment);
        let readiness = number(environment, &READINESS).filter(|port| *port != asked);
        let mut leased = Self { asked, port: lease(asked, choice)?, readiness: None, taken: None };
        leased.readiness = readiness.map(|asked| lease(asked, choice).map(|port| (asked, port))).transpose()?;
        if choice == PortChoice::Asked && leased.port != asked {
            let is_leased = lock(&LEASED).contains_key(&asked);
            let holder = match is_free(asked) {
                _ if is_leased => "another instance".to_owned(),
                true => "an instance of another local cloud".to_owned(),
                false => listening::holder(asked),
            };
            leased.taken =
                Some(format!("port {asked} is taken by {holder}, and the app does not start on another port"));
        }
        Ok(leased)
    }

    pub(super) fn number(&self) -> u16 {
        self.port
    }

    /// What keeps the port that the app needs, if it did not get it: the port, and which program has it.
    pub(super) fn taken(&self) -> Option<&str> {
        self.taken.as_deref()
    }

    /// All ports that the adapter connects to.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u16> {
        [Some(self.port), self.readiness.map(|(_, port)| port)].into_iter().flatten()
    }

    /// The variables with the ports, for the adapter and the app: those that the adapter reads, and every other one whose
    /// name ends in `PORT` and whose value is the port that the function asks for.
    pub(super) fn variables(&self, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let own = ["AWS_LWA_PORT", "PORT"].map(|name| (name.to_owned(), self.port.to_string()));
        let mut variables = BTreeMap::from(own);
        for (name, value) in environment.iter().filter(|(name, _)| name.ends_with("PORT")) {
            let moved = [Some((self.asked, self.port)), self.readiness].into_iter().flatten();
            let moved = moved.into_iter().find(|(asked, _)| value.parse::<u16>() == Ok(*asked));
            variables.extend(moved.map(|(_, port)| (name.clone(), port.to_string())));
        }
        variables
    }

    /// Whether it is not the port that the function asked for.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.port != self.asked || self.readiness.is_some_and(|(asked, port)| asked != port)
    }

    /// A warning if it is not the port that the function asked for: not every app reads its variables.
    pub(super) fn warning(&self) -> Option<String> {
        let (asked, port) = match self.readiness {
            Some((asked, port)) if self.port == self.asked => (asked, port),
            _ => (self.asked, self.port),
        };
        let name = if port == self.port { "PORT" } else { READINESS[0] };
        self.is_elsewhere()
            .then(|| format!("port {asked} is taken by another instance or program: this instance has {name}={port}"))
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        let mut leased = lock(&LEASED);
        leased.remove(&self.port);
        if let Some((_, port)) = self.readiness {
            leased.remove(&port);
        }
    }
}

/// Leases a port, or a free one instead.
fn lease(asked: u16, choice: PortChoice) -> io::Result<u16> {
    let mut leased = lock(&LEASED);
    let may_have_it = choice != PortChoice::Another && !leased.contains_key(&asked) && is_free(asked);
    if let Some(reservation) = may_have_it.then(|| reserve(asked)).flatten() {
        leased.insert(asked, reservation);
        return Ok(asked);
    }
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if is_free(port) && !leased.contains_key(&port) {
            leased.insert(port, Reservation(None));
            return Ok(port);
        }
    }
}

/// Reserves a port among the user's local clouds; `None` if another one has it. The lock ends with the process.
fn reserve(port: u16) -> Option<Reservation> {
    let directory = format!("lamstream-ports-{}", rustix::process::getuid().as_raw());
    let directory = std::env::temp_dir().join(directory);
    let open = || File::options().create(true).truncate(false).write(true).open(directory.join(port.to_string()));
    let Ok(file) = fs::create_dir_all(&directory).and_then(|()| open()) else { return Some(Reservation(None)) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => None,
        locked => Some(Reservation(locked.is_ok().then_some(file))),
    }
}

/// The port that a function asks for.
fn asked(environment: &BTreeMap<String, String>) -> u16 {
    number(environment, &VARIABLES).unwrap_or(DEFAULT)
}

/// The first of these variables that has one.
fn number(environment: &BTreeMap<String, String>, names: &[&str]) -> Option<u16> {
    names.iter().find_map(|name| environment.get(*name)?.parse().ok())
}

/// Frees the port that a new instance asks for, and waits for it up to a limit. This ends an idle instance of an older
/// build of the same function; or any idle instance, if the app needs this port.
pub(super) async fn free(host: &Host, spec: &InstanceSpec, start: Start) {
    // An app that starts on any port leaves this one to the release that still gets the requests.
    let is_movable = start.port == PortChoice::Preferred && host.fleet.is_movable(&spec.key());
    if !spec.is_web_app() || start.port == PortChoice::Another || is_movable {
        return;
    }
    let port = asked(spec.configuration.variables());
    let needs_it = start.port == PortChoice::Asked;
    let limit = if needs_it { Duration::from_secs(spec.configuration.timeout.into()) } else { RELEASE_TIMEOUT };
    let until = Instant::now() + limit;
    // What listens there may be on its way out: a process of an instance that ended, or another program.
    let mut waits = needs_it;
    while Instant::now() < until {
        if lock(&LEASED).contains_key(&port) {
            match host.fleet.end_port_holder(port, spec, needs_it) {
                PortHolderState::Stays if !needs_it => return,
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
    let is_taken = |address: IpAddr| match TcpListener::bind((address, port)) {
        Ok(_) => false,
        // This machine may have no IPv6.
        Err(error) => address.is_ipv4() || error.kind() == io::ErrorKind::AddrInUse,
    };
    let addresses: [IpAddr; 4] = [
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv4Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
    ];
    !addresses.into_iter().any(is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::turn;

    #[test]
    fn two_instances_have_two_ports_and_the_first_has_the_one_it_asks_for() {
        let _turn = turn();
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address").port();
        let environment = BTreeMap::from([("PORT".to_owned(), free.to_string())]);
        let first = PortLease::new(&environment, PortChoice::Preferred).expect("a port");
        let second = PortLease::new(&environment, PortChoice::Preferred).expect("another");
        assert_eq!((first.port, first.warning()), (free, None));
        assert!(second.port != free && second.warning().is_some_and(|words| words.contains(&free.to_string())));
        drop(first);
        assert_eq!(PortLease::new(&environment, PortChoice::Preferred).expect("the same again").port, free);
    }

    #[test]
    fn a_port_of_another_program_is_left_alone() {
        let _turn = turn();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("its address").port();
        let lease =
            PortLease::new(&BTreeMap::from([("AWS_LWA_PORT".to_owned(), port.to_string())]), PortChoice::Preferred)
                .expect("another");
        assert_ne!(lease.port, port);
    }

    #[test]
    fn a_port_that_another_cloud_has_given_away_is_left_alone() {
        let _turn = turn();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let environment = BTreeMap::from([("PORT".to_owned(), port.to_string())]);
        let other = reserve(port).expect("it is free");
        assert_ne!(PortLease::new(&environment, PortChoice::Preferred).expect("another").port, port);
        let needed = PortLease::new(&environment, PortChoice::Asked).expect("another");
        assert!(
            needed.taken().is_some_and(|taken| taken.contains("by an instance of another local cloud")),
            "{needed:?}"
        );
        drop(other);
        assert_eq!(PortLease::new(&environment, PortChoice::Preferred).expect("the port").port, port);
    }

    #[test]
    fn a_port_is_taken_whatever_address_of_it_is() {
        let _turn = turn();
        for host in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let Ok(taken) = TcpListener::bind(host) else { continue };
            let port = taken.local_addr().expect("its address").port();
            let environment = BTreeMap::from([("PORT".to_owned(), port.to_string())]);
            let lease = PortLease::new(&environment, PortChoice::Preferred).expect("another");
            assert_ne!(lease.port, port, "{host}");
            let needed = PortLease::new(&environment, PortChoice::Asked).expect("another");
            let holder = format!("port {port} is taken by process {} (`", std::process::id());
            assert!(needed.taken().is_some_and(|taken| taken.starts_with(&holder)), "{host}: {needed:?}");
        }
    }

    #[test]
    fn every_variable_with_the_port_moves_with_it() {
        let _turn = turn();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let asked = taken.local_addr().expect("its address").port();
        let environment: BTreeMap<String, String> = [
            ("PORT", asked),
            ("AWS_LWA_READINESS_CHECK_PORT", asked),
            ("UVICORN_PORT", asked),
            ("DATABASE_PORT", 5432),
            ("NUMBER", asked),
        ]
        .map(|(name, port)| (name.to_owned(), port.to_string()))
        .into();
        let lease = PortLease::new(&environment, PortChoice::Preferred).expect("another");
        let moved = lease.variables(&environment);
        let names: Vec<&str> = moved.keys().map(String::as_str).collect();
        assert_eq!(names, ["AWS_LWA_PORT", "AWS_LWA_READINESS_CHECK_PORT", "PORT", "UVICORN_PORT"]);
        assert!(moved.values().all(|port| *port == lease.port.to_string()), "{moved:?}");
    }

    #[test]
    fn a_second_port_for_polling_moves_by_itself() {
        let _turn = turn();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let polled = taken.local_addr().expect("its address").port();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let own = free.local_addr().expect("its address").port();
        drop(free);
        let ports = [("PORT", own), ("AWS_LWA_READINESS_CHECK_PORT", polled)];
        let environment = BTreeMap::from(ports.map(|(name, port)| (name.to_owned(), port.to_string())));
        let lease = PortLease::new(&environment, PortChoice::Preferred).expect("ports");
        let moved = lease.variables(&environment);
        let port = &moved["AWS_LWA_READINESS_CHECK_PORT"];
        assert!(*port != polled.to_string() && *port != lease.port.to_string(), "{moved:?}");
        assert!(lease.warning().is_some_and(|words| words.contains("AWS_LWA_READINESS_CHECK_PORT=")));
    }
}
