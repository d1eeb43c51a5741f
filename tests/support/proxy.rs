//! A proxy on loopback that writes down every call, and can hold one until it is told to let it go.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct State {
    calls: Vec<String>,
    /// A call with this name is not forwarded while it stands here.
    held: Option<String>,
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

    /// All calls since the last time.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.0.lock().unwrap().calls)
    }

    /// Those of `calls` that change something.
    pub fn writes(calls: &[String]) -> Vec<&String> {
        let reads = ["GET ", "Get", "List", "Describe"];
        calls.iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
    }

    pub fn hold(&self, call: &str) {
        self.shared.0.lock().unwrap().held = Some(call.to_owned());
    }

    pub fn let_go(&self) {
        self.shared.0.lock().unwrap().held = None;
        self.shared.1.notify_all();
    }

    /// Waits until a call has been made.
    pub fn wait_for(&self, call: &str) {
        let (state, changed) = &*self.shared;
        let waited = changed.wait_timeout_while(state.lock().unwrap(), std::time::Duration::from_secs(60), |state| {
            !state.calls.iter().any(|made| made == call)
        });
        assert!(!waited.unwrap().1.timed_out(), "no call {call} in a minute");
    }
}

fn forward(mut client: TcpStream, upstream: &str, shared: &Shared) {
    let Ok(mut server) = TcpStream::connect(upstream) else { return };
    let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let copy = thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    while let Some((call, request)) = read_request(&mut client) {
        let (state, changed) = &**shared;
        let mut state = state.lock().unwrap();
        state.calls.push(call.clone());
        changed.notify_all();
        drop(changed.wait_while(state, |state| state.held.as_deref() == Some(&call)));
        if server.write_all(&request).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = copy.join();
}

/// One HTTP/1.1 request with a `Content-Length`, which is what the SDKs send.
pub fn read_request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut request = Vec::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        let end = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let header = |name: &str| {
                head.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)))
            };
            let length: usize = header("content-length").map_or(0, |(_, value)| value.trim().parse().unwrap());
            if request.len() >= end + length {
                let body = String::from_utf8_lossy(&request[end..]).into_owned();
                let target = header("x-amz-target").and_then(|(_, value)| value.trim().split_once('.'));
                let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
                let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
                let call = target.map(|(_, name)| name).or(action).unwrap_or(line);
                return Some((call.to_owned(), request));
            }
        }
        match client.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
