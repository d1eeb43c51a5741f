//! The main job, from source to stream, as the README has it.

use crate::support::bench::{Bench, said};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What the function streams, byte for byte.
const BODY: &[u8] = include_bytes!("../fixtures/stream_chat_body.bin");

#[test]
fn the_readmes_first_command_builds_deploys_and_streams() {
    let bench = Bench::new("");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy.toml");
    let output = bench.run(&["deploy", "--local", "--yes", "--manifest", manifest]);
    let story = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", said(&output));
    assert!(story.contains("it streams") && story.contains("first byte after"), "{story}");
    let url = String::from_utf8(output.stdout).unwrap();
    let curl = format!("curl -N -X POST '{}stream/chat?query=hello'", url.trim());
    assert!(story.contains(&curl), "{story}");

    // The first chunk is here long before the last one is made: the text alone takes 226 pauses of 30 ms.
    let authority = url.trim().trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(stream, "POST /stream/chat?query=hello HTTP/1.0\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.windows(7).any(|window| window == b"[START]") {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..read]);
    }
    let first = Instant::now();
    stream.read_to_end(&mut answer).unwrap();
    assert!(first.elapsed() > Duration::from_secs(6), "the rest came within {:?}", first.elapsed());
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let headers = String::from_utf8_lossy(&answer[..head]).to_lowercase();
    assert!(headers.contains("content-type: text/plain; charset=utf-8"), "{headers}");
    assert_eq!(&answer[head..], BODY);
}

/// The sample is a workspace of its own, which `cargo test --workspace` does not reach.
#[test]
fn the_samples_own_tests_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "--locked", "--manifest-path"]).arg(root.join("function/Cargo.toml"));
    let output = cargo.env("CARGO_TARGET_DIR", root.join("target/function")).output().expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("test result: ok"), "{}", said(&output));
}
