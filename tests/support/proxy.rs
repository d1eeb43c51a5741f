//! A loopback proxy that records every call, and can hold one until it is released, or make one fail.

use super::fault::{Fault, Lasting, Trap};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// One call as it went by.
#[derive(Clone, Debug)]
pub(crate) struct Call {
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
    /// The next call with this name loses its connection after so many bytes of its body.
    cut: Option<(String, usize)>,
    trap: Option<Trap>,
    /// What becomes of the JSON that answers calls whose names begin like this.
    rewrite: Option<(String, Rewrite)>,
    /// How often the trap's call was made.
    met: usize,
    /// When the trap first closed.
    sprung: Option<Instant>,
    /// The process that a trap may kill.
    victim: Option<u32>,
    /// Faults that are not over yet.
    busy: usize,
}

/// How long a test waits for what must happen, builds from nothing included.
const LIMIT: Duration = Duration::from_secs(300);

/// Changes a document that is an answer.
pub(crate) type Rewrite = fn(&mut Value);

type Shared = Arc<(Mutex<State>, Condvar)>;

/// Forwards to one address, connection by connection; a call is named by its action or its method and path.
pub(crate) struct Proxy {
    pub address: String,
    shared: Shared,
}

impl Proxy {
    pub(crate) fn to(address: &str) -> Proxy {
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
    pub(crate) fn take_calls(&self) -> Vec<String> {
        self.take_requests().into_iter().map(|call| call.name).collect()
    }

    /// All calls since the last time.
    pub(crate) fn take_requests(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// Those of `calls` that change something.
    pub(crate) fn writes(calls: &[String]) -> Vec<&String> {
        let reads = ["GET ", "Get", "List", "Describe"];
        calls.iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
    }

    /// All answers so far.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.state().heard.clone()
    }

    pub(crate) fn hold(&self, call: &str) {
        self.state().held = Some(call.to_owned());
    }

    pub(crate) fn let_go(&self) {
        self.state().held = None;
        self.shared.1.notify_all();
    }

    /// Waits until a call has been made.
    pub(crate) fn wait_for(&self, call: &str) {
        self.wait(&format!("a call {call}"), |state| !state.calls.iter().any(|made| fits(call, &made.name)));
    }

    /// Breaks the connection of the next such call in the middle of its body.
    pub(crate) fn cut(&self, call: &str, after_bytes: usize) {
        self.state().cut = Some((call.to_owned(), after_bytes));
    }

    /// Whether a connection was to be broken, and has been.
    pub(crate) fn has_cut(&self) -> bool {
        self.state().cut.is_none()
    }

    /// Lets a call fail from now on.
    pub(crate) fn set(&self, trap: Trap) {
        self.state().trap = Some(trap);
    }

    /// Changes the answers to calls whose names begin like this, from now on.
    pub(crate) fn rewrite(&self, calls: &str, change: Rewrite) {
        self.state().rewrite = Some((calls.to_owned(), change));
    }

    /// Names the process that the trap may kill.
    pub(crate) fn aim(&self, victim: u32) {
        self.state().victim = Some(victim);
        self.shared.1.notify_all();
    }

    /// Whether the trap ever closed. Waits until all that it holds has gone where it goes.
    pub(crate) fn sprung(&self) -> bool {
        self.wait("the end of all faults", |state| state.busy > 0);
        self.state().sprung.is_some()
    }

    fn wait(&self, for_what: &str, unfinished: impl Fn(&mut State) -> bool) {
        let (state, changed) = &*self.shared;
        let waited = changed.wait_timeout_while(state.lock().unwrap(), LIMIT, unfinished);
        assert!(!waited.unwrap().1.timed_out(), "no {for_what} in {} s", LIMIT.as_secs());
    }
}

/// Whether a call has this name. A `*` in it stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
        last = Some(piece);
    }
    rest.is_empty() || last == Some("")
}

impl State {
    /// After how many bytes of its body this call loses its connection, if it does.
    fn takes_cut(&mut self, name: &str) -> Option<usize> {
        self.cut.take_if(|(cut, _)| fits(cut, name)).map(|(_, bytes)| bytes)
    }

    /// The fault that this call meets.
    fn fault(&mut self, call: &str) -> Option<Fault> {
        let trap = self.trap.as_ref()?;
        if trap.lasting == Lasting::AllAfter {
            let is_after = self.met >= trap.occurrence;
            self.met += usize::from(!is_after && fits(&trap.call, call));
            let fault = is_after.then_some(trap.fault)?;
            self.sprung.get_or_insert_with(Instant::now);
            return Some(fault);
        }
        if let (Lasting::OnceThen(calls, answer), Some(_)) = (trap.lasting, self.sprung) {
            return call.starts_with(calls).then_some(Fault::Answer(answer));
        }
        if !fits(&trap.call, call) {
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
    while let Some(mut call) = read_call(&mut client, &|name| shared.0.lock().unwrap().takes_cut(name)) {
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
        let rewrite = state.rewrite.clone().filter(|(calls, _)| call.name.starts_with(calls.as_str()));
        drop(changed.wait_while(state, |state| state.held.as_deref().is_some_and(|held| fits(held, &call.name))));
        if let Some((_, change)) = rewrite {
            if client.write_all(&rewritten(&carry_out(&call, upstream), change)).is_err() {
                break;
            }
            continue;
        }
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
        Fault::DropReply => drop(carry_out(call, upstream)),
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

/// Sends a call and reads its whole answer.
fn carry_out(call: &Call, upstream: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut server) = TcpStream::connect(upstream) else { return answer };
    let line = call.request.windows(2).position(|end| end == b"\r\n").unwrap() + 2;
    let request = [&call.request[..line], b"connection: close\r\n", &call.request[line..]].concat();
    let _ = server.write_all(&request).and_then(|()| server.read_to_end(&mut answer));
    answer
}

/// The same answer with another document.
fn rewritten(answer: &[u8], change: Rewrite) -> Vec<u8> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole answer") + 4;
    let mut document = serde_json::from_slice(&answer[end..]).expect("an answer in JSON");
    change(&mut document);
    let body = document.to_string();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let kept = |line: &&str| {
        let line = line.to_lowercase();
        !line.is_empty() && !line.starts_with("content-length:") && !line.starts_with("connection:")
    };
    let head: Vec<&str> = head.lines().filter(kept).collect();
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into_bytes()
}

/// As nothing can be prevented or prepared for: SIGKILL.
fn kill(shared: &Shared) {
    let (state, changed) = &**shared;
    let state = changed.wait_while(state.lock().unwrap(), |state| state.victim.is_none()).unwrap();
    let victim = state.victim.and_then(|victim| rustix::process::Pid::from_raw(victim as i32)).unwrap();
    rustix::process::kill_process(victim, rustix::process::Signal::KILL).unwrap();
}

/// One HTTP/1.1 request with a `Content-Length`, which is what the SDKs send.
pub(crate) fn read_request(client: &mut TcpStream) -> Option<Call> {
    read_call(client, &|_| None)
}

/// The same, or `None` after so many bytes of the body as `cut` gives for the call's method and path.
fn read_call(client: &mut TcpStream, cut: &dyn Fn(&str) -> Option<usize>) -> Option<Call> {
    let mut request = Vec::new();
    let mut buffer = [0; 64 * 1024];
    let mut limit = None;
    loop {
        let end = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length: usize = header(&head, "content-length").map_or(0, |value| value.parse().unwrap());
            let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
            limit = limit.or_else(|| cut(line));
            if limit.is_some_and(|limit| request.len() >= end + limit) {
                return None;
            }
            if request.len() >= end + length {
                let body = String::from_utf8_lossy(&request[end..]).into_owned();
                let target = header(&head, "x-amz-target").and_then(|value| value.split_once('.'));
                let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
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
