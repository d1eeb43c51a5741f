//! A loopback proxy that records every call, and can hold one until it is released, or make one fail.

use super::fault::{Fault, Lasting, Trap};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// One call as it went by.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its action, or its method and path.
    pub name: String,
    /// The whole request as it stood on the wire.
    pub request: Vec<u8>,
    /// How much of all answers had been handed on when it was made, in bytes.
    pub heard: usize,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// All answers, one after the other in the order in which their parts came.
    heard: Vec<u8>,
    /// A call with this name is not forwarded while it stands here.
    held: Option<String>,
    trap: Option<Trap>,
    /// How often the trap's call was made.
    met: usize,
    /// When the trap first closed.
    sprung: Option<Instant>,
    /// The process that a trap may kill.
    victim: Option<u32>,
    /// Faults that are not over yet.
    busy: usize,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// Forwards to one address, connection by connection; a call is named by its action or its method and path.
pub struct Proxy {
    pub address: String,
    shared: Shared,
}

impl Proxy {
    pub fn to(address: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let proxy = Proxy { address: format!("http://{}", listener.local_addr().unwrap()), shared: Shared::default() };
        let (upstream, shared) = (address.trim_start_matches("http://").to_owned(), proxy.shared.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (upstream, shared) = (upstream.clone(), shared.clone());
                thread::spawn(move || forward(client, &upstream, &shared));
            }
        });
        proxy
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    /// The names of all calls since the last time.
    pub fn take_calls(&self) -> Vec<String> {
        self.take_requests().into_iter().map(|call| call.name).collect()
    }

    /// All calls since the last time.
    pub fn take_requests(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// Those of `calls` that change something.
    pub fn writes(calls: &[String]) -> Vec<&String> {
        let reads = ["GET ", "Get", "List", "Describe"];
        calls.iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
    }

    /// All answers so far.
    pub fn heard(&self) -> Vec<u8> {
        self.state().heard.clone()
    }

    pub fn hold(&self, call: &str) {
        self.state().held = Some(call.to_owned());
    }

    pub fn let_go(&self) {
        self.state().held = None;
        self.shared.1.notify_all();
    }

    /// Waits until a call has been made.
    pub fn wait_for(&self, call: &str) {
        self.wait(&format!("a call {call}"), |state| !state.calls.iter().any(|made| made.name == call));
    }

    /// Lets a call fail from now on.
    pub fn set(&self, trap: Trap) {
        self.state().trap = Some(trap);
    }

    /// Names the process that the trap may kill.
    pub fn aim(&self, victim: u32) {
        self.state().victim = Some(victim);
        self.shared.1.notify_all();
    }

    /// Whether the trap ever closed. Waits until all that it holds has gone where it goes.
    pub fn sprung(&self) -> bool {
        self.wait("the end of all faults", |state| state.busy > 0);
        self.state().sprung.is_some()
    }

    fn wait(&self, for_what: &str, unfinished: impl Fn(&mut State) -> bool) {
        let (state, changed) = &*self.shared;
        let waited = changed.wait_timeout_while(state.lock().unwrap(), Duration::from_secs(60), unfinished);
        assert!(!waited.unwrap().1.timed_out(), "no {for_what} in a minute");
    }
}

impl State {
    /// The fault that this call meets.
    fn fault(&mut self, call: &str) -> Option<Fault> {
        let trap = self.trap.as_ref()?;
        if trap.lasting == Lasting::AllAfter {
            let is_after = self.met >= trap.occurrence;
            self.met += usize::from(!is_after && trap.call == call);
            let fault = is_after.then_some(trap.fault)?;
            self.sprung.get_or_insert_with(Instant::now);
            return Some(fault);
        }
        if trap.call != call {
            return None;
        }
        self.met += 1;
        if self.met < trap.occurrence || !trap.lasts(self.sprung.map(|since| since.elapsed())) {
            return None;
        }
        self.sprung.get_or_insert_with(Instant::now);
        Some(trap.fault)
    }
}

fn forward(mut client: TcpStream, upstream: &str, shared: &Shared) {
    let Ok(mut server) = TcpStream::connect(upstream) else { return };
    let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let hearing = shared.clone();
    let copy = thread::spawn(move || {
        let mut buffer = [0; 64 * 1024];
        while let Ok(read @ 1..) = answers.read(&mut buffer) {
            hearing.0.lock().unwrap().heard.extend_from_slice(&buffer[..read]);
            if back.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
    });
    while let Some(mut call) = read_request(&mut client) {
        let (state, changed) = &**shared;
        let mut state = state.lock().unwrap();
        call.heard = state.heard.len();
        state.calls.push(call.clone());
        let fault = state.fault(&call.name);
        changed.notify_all();
        if let Some(fault) = fault {
            state.busy += 1;
            drop(state);
            let goes_on = suffer(fault, &call, &mut client, upstream, shared);
            shared.0.lock().unwrap().busy -= 1;
            shared.1.notify_all();
            if goes_on { continue } else { break }
        }
        drop(changed.wait_while(state, |state| state.held.as_deref() == Some(&call.name)));
        if server.write_all(&call.request).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = copy.join();
}

/// Lets one call meet its fault; gives whether the connection is still of use.
fn suffer(fault: Fault, call: &Call, client: &mut TcpStream, upstream: &str, shared: &Shared) -> bool {
    match fault {
        Fault::Answer(answer) => return client.write_all(&answer.to(&call.request)).is_ok(),
        Fault::DropBefore => {}
        Fault::DropReply => carry_out(call, upstream),
        Fault::Hold => {
            // The client gives up first, and only then does the call arrive.
            let _ = client.read(&mut [0]);
            carry_out(call, upstream);
        }
        Fault::KillBefore => kill(shared),
        Fault::KillAfter => {
            carry_out(call, upstream);
            kill(shared);
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    false
}

/// Sends a call and reads its whole answer, but passes it to no one.
fn carry_out(call: &Call, upstream: &str) {
    let Ok(mut server) = TcpStream::connect(upstream) else { return };
    let line = call.request.windows(2).position(|end| end == b"\r\n").unwrap() + 2;
    let request = [&call.request[..line], b"connection: close\r\n", &call.request[line..]].concat();
    let _ = server.write_all(&request).and_then(|()| server.read_to_end(&mut Vec::new()));
}

/// As nothing can be prevented or prepared for: SIGKILL.
fn kill(shared: &Shared) {
    let (state, changed) = &**shared;
    let state = changed.wait_while(state.lock().unwrap(), |state| state.victim.is_none()).unwrap();
    let victim = state.victim.and_then(|victim| rustix::process::Pid::from_raw(victim as i32)).unwrap();
    rustix::process::kill_process(victim, rustix::process::Signal::KILL).unwrap();
}

/// One HTTP/1.1 request with a `Content-Length`, which is what the SDKs send.
pub fn read_request(client: &mut TcpStream) -> Option<Call> {
    let mut request = Vec::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        let end = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length: usize = header(&head, "content-length").map_or(0, |value| value.parse().unwrap());
            if request.len() >= end + length {
                let body = String::from_utf8_lossy(&request[end..]).into_owned();
                let target = header(&head, "x-amz-target").and_then(|value| value.split_once('.'));
                let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
                let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
                let name = target.map(|(_, name)| name).or(action).unwrap_or(line).to_owned();
                return Some(Call { name, request, heard: 0 });
            }
        }
        match client.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}
