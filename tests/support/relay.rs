//! A loopback relay that delays every call, passes its bytes on as they come, and records what each call cost.

use super::fault::Answer;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How much of a request is kept, to name it.
const HEAD: usize = 8 * 1024;
/// A response that comes before the request's body, which the client sends only then.
const INTERIM: &[u8] = b"HTTP/1.1 100 ";
/// How the local cloud and AWS begin the address of a Function URL.
const URL: &[u8] = b"\"FunctionUrl\":\"http://127.0.0.1:";

/// One call as it went by.
#[derive(Clone, Debug)]
pub(crate) struct Trip {
    /// Its action, or its method and path.
    pub name: String,
    head: Vec<u8>,
    /// When its first byte came, and when the first byte of its response did.
    began: Instant,
    answered: Option<Instant>,
    /// All bytes of the request and of the response.
    pub bytes: usize,
}

#[derive(Default)]
struct State {
    delay: Duration,
    /// The next call of this name is throttled.
    throttled: Option<String>,
    trips: Vec<Trip>,
    /// The relays before Function URLs, by the port of the URL.
    urls: HashMap<u16, u16>,
}

type Shared = Arc<Mutex<State>>;

/// Forwards to one address, and to the Function URLs that it creates.
pub(crate) struct Relay {
    pub address: String,
    shared: Shared,
}

impl Relay {
    pub(crate) fn to(address: &str) -> Relay {
        let upstream = address.trim_start_matches("http://").parse().expect("an address");
        let shared = Shared::default();
        let port = listen(upstream, &shared);
        Relay { address: format!("http://127.0.0.1:{port}"), shared }
    }

    /// Delays every call for this long, from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        state(&self.shared).delay = delay;
    }

    /// Throttles the next call of this name, which must be one without a body. It may be repeated after a second.
    pub(crate) fn throttle(&self, name: &str) {
        state(&self.shared).throttled = Some(name.to_owned());
    }

    /// All calls since the last time, in the order in which they began.
    pub(crate) fn take(&self) -> Vec<Trip> {
        let mut trips = std::mem::take(&mut state(&self.shared).trips);
        trips.iter_mut().for_each(|trip| trip.name = named(&trip.head));
        trips
    }
}

/// How many of the calls were made one after the other: the length of the longest chain of calls each of which began after
/// the response to the one before had begun.
pub(crate) fn sequential(trips: &[Trip]) -> usize {
    chain(trips).len()
}

/// The names of the calls of such a chain.
pub(crate) fn chain(trips: &[Trip]) -> Vec<&str> {
    let mut by_end: Vec<(Instant, &Trip)> = trips.iter().filter_map(|trip| Some((trip.answered?, trip))).collect();
    by_end.sort_by_key(|(answered, _)| *answered);
    let (mut chain, mut last) = (Vec::new(), None::<Instant>);
    for (answered, trip) in by_end {
        if last.is_none_or(|last| trip.began > last) {
            chain.push(trip.name.as_str());
            last = Some(answered);
        }
    }
    chain
}

/// The time in which no call was in progress, between two calls, as far as it was longer than `pause` at once: sleep, that is,
/// or much to compute.
pub(crate) fn idle(trips: &[Trip], pause: Duration) -> Duration {
    let (mut idle, mut last) = (Duration::ZERO, None::<Instant>);
    for trip in trips {
        let gap = last.map(|last| trip.began.saturating_duration_since(last));
        idle += gap.filter(|gap| *gap > pause).unwrap_or_default();
        last = last.max(Some(trip.answered.unwrap_or(trip.began)));
    }
    idle
}

fn state(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().expect("no panic")
}

/// Listens on a free port, which it returns.
fn listen(upstream: SocketAddr, shared: &Shared) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let shared = shared.clone();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let shared = shared.clone();
            thread::spawn(move || pass(client, upstream, &shared));
        }
    });
    port
}

/// The place of a connection's latest call among all trips, until its response begins.
type Open = Arc<Mutex<Latest>>;

#[derive(Default)]
struct Latest {
    trip: Option<Instant>,
    is_answered: bool,
}

fn pass(mut client: TcpStream, upstream: SocketAddr, shared: &Shared) {
    let Ok(mut server) = TcpStream::connect(upstream) else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let latest = Open::default();
    let answers = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let back = {
        let (shared, latest) = (shared.clone(), latest.clone());
        thread::spawn(move || pass_back(answers, &shared, &latest))
    };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let bytes = &buffer[..read];
        let is_new = {
            let mut latest = latest.lock().expect("no panic");
            let is_new = latest.trip.is_none() || latest.is_answered;
            if is_new {
                *latest = Latest { trip: Some(begin(shared)), is_answered: false };
            }
            with(shared, &latest, |trip| {
                trip.bytes += read;
                let room = HEAD.saturating_sub(trip.head.len()).min(read);
                trip.head.extend_from_slice(&bytes[..room]);
            });
            is_new
        };
        if is_new {
            let delay = state(shared).delay;
            thread::sleep(delay);
            if state(shared).throttled.take_if(|name| *name == named(bytes)).is_some() {
                let answer = Answer::Throttled.to(bytes);
                answered(&latest, shared, answer.len());
                if client.write_all(&answer).is_err() {
                    break;
                }
                continue;
            }
        }
        if server.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = back.join();
}

/// Records a new call, which is known by the moment when it began.
fn begin(shared: &Shared) -> Instant {
    let mut state = state(shared);
    // Two calls that begin at once still differ.
    let last = state.trips.last().map(|trip| trip.began + Duration::from_nanos(1));
    let began = last.map_or_else(Instant::now, |last| last.max(Instant::now()));
    state.trips.push(Trip { name: String::new(), head: Vec::new(), began, answered: None, bytes: 0 });
    began
}

/// Changes the latest call of a connection, unless it was taken already.
fn with(shared: &Shared, latest: &Latest, change: impl FnOnce(&mut Trip)) {
    let mut state = state(shared);
    let found = state.trips.iter_mut().rfind(|trip| Some(trip.began) == latest.trip);
    if let Some(trip) = found {
        change(trip);
    }
}

fn pass_back((mut server, mut client): (TcpStream, TcpStream), shared: &Shared, latest: &Open) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        let bytes = &mut buffer[..read];
        lead_here(bytes, shared);
        if bytes.starts_with(INTERIM) {
            with(shared, &latest.lock().expect("no panic"), |trip| trip.bytes += read);
        } else {
            answered(latest, shared, read);
        }
        if client.write_all(bytes).is_err() {
            break;
        }
    }
    for stream in [client, server] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Notes that bytes of the response to a connection's latest call have come.
fn answered(latest: &Open, shared: &Shared, bytes: usize) {
    let mut latest = latest.lock().expect("no panic");
    latest.is_answered = true;
    with(shared, &latest, |trip| {
        trip.bytes += bytes;
        trip.answered.get_or_insert_with(Instant::now);
    });
}

/// Has the address of a Function URL lead to a relay, too. Both ports have five digits.
fn lead_here(bytes: &mut [u8], shared: &Shared) {
    let Some(at) = bytes.windows(URL.len()).position(|part| part == URL) else { return };
    let place = at + URL.len()..at + URL.len() + 5;
    let port = bytes.get(place.clone()).and_then(|digits| std::str::from_utf8(digits).ok());
    let Some(port) = port.and_then(|digits| digits.parse::<u16>().ok()) else { return };
    let known = state(shared).urls.get(&port).copied();
    let here = known.unwrap_or_else(|| listen(SocketAddr::from(([127, 0, 0, 1], port)), shared));
    state(shared).urls.insert(port, here);
    assert!(here >= 10_000, "the relay's port has five digits");
    bytes[place].copy_from_slice(here.to_string().as_bytes());
}

/// A call's action, or its method and path.
fn named(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&*text, ""));
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let target = headers.find(|(key, _)| key.eq_ignore_ascii_case("x-amz-target"));
    let target = target.and_then(|(_, value)| value.trim().split_once('.')).map(|(_, name)| name);
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1");
    target.or(action).unwrap_or(line).to_owned()
}
