//! What forwarding costs at the least: a process that copies the bare server's bytes from one socket to another.

use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::spawn;

use crate::machine::{Process, own};

/// Runs one before this server, as a process of its own.
pub(crate) fn start(server: &Process) -> Process {
    let address = server.url.trim_start_matches("http://").trim_end_matches('/');
    own(&["relay", address])
}

/// Serves, and prints its address. Threads that block are the fastest way to copy.
pub(crate) fn serve(server: &str) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    println!("http://{}/", listener.local_addr().unwrap());
    for client in listener.incoming() {
        let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
        let (asking, asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        // The side that closes first ends both directions.
        spawn(move || drop(copy(asking, asked)));
        spawn(move || drop(copy(server, client)));
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) -> Result<()> {
    to.set_nodelay(true)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return to.shutdown(std::net::Shutdown::Write),
            count => to.write_all(&buffer[..count])?,
        }
    }
}
