//! Ports of the local cloud that another program has taken or tries to use, and processes that try to stay.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use crate::talker::talker;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Answers its process's child, which has left group, session, parent and environment.
const LEAVER: &str = r#"#!/usr/bin/env python3
import json, os, subprocess, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        event.read()
        name = event.headers["lambda-runtime-aws-request-id"]
    script = "echo $$; exec >&-; exec sleep 1000"
    child = subprocess.run(["env", "-i", "setsid", "-f", "/bin/sh", "-c", script], stdout=subprocess.PIPE).stdout
    urllib.request.urlopen(urllib.request.Request(api + name + "/response", child)).read()
"#;

const MANIFEST: &str = r#"
app = "shop"
[functions.leaver]
crate = "unused"
url = { auth = "none" }
"#;

fn get(url: &str, host: &str) -> String {
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_url_whose_port_a_stranger_has_is_named_and_never_shown_or_asked() {
    let bench = talker("none");
    let url = bench.good(&["url", "--local"]);
    bench.good(&["local", "stop"]);
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let stranger = TcpListener::bind(&address).unwrap();
    let whose = format!("process {} (`", std::process::id());
    let commands: [&[&str]; 6] = [
        &["url", "--local"],
        &["status", "--local"],
        &["plan", "--local", "--package", "talker.zip"],
        &["deploy", "--local", "--yes", "--package", "talker.zip"],
        &["deploy", "--local", "--yes", "--no-verify", "--package", "talker.zip"],
        &["invoke", "--local", "talker", "/"],
    ];
    for command in commands {
        let output = bench.run(command);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{command:?}: {}", said(&output));
        assert!(out.is_empty(), "{command:?}: {}", said(&output));
        for words in [whose.as_str(), "is down", "has taken it", "end that process and rerun the command"] {
            assert!(err.contains(words), "{command:?} does not say {words:?}: {}", said(&output));
        }
    }
    let (document, code) = bench.json(&["status", "--local"]);
    assert_eq!((code, document["ok"].as_bool()), (1, Some(false)), "{document}");
    assert!(document["error"]["message"].as_str().unwrap().contains(&whose), "{document}");
    // The stranger got no request.
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.accept().is_err());
    drop(stranger);
    assert_eq!(bench.good(&["url", "--local"]), url);
    bench.good(&["deploy", "--local", "--yes", "--package", "talker.zip"]);
}

#[test]
fn a_function_whose_port_a_stranger_has_can_be_destroyed_and_gets_another_url() {
    let bench = talker("none");
    let url = bench.good(&["url", "--local"]);
    bench.good(&["local", "stop"]);
    let _stranger = TcpListener::bind(url.trim().trim_start_matches("http://").trim_end_matches('/')).unwrap();
    bench.good(&["destroy", "--local", "--yes"]);
    let other = bench.good(&["deploy", "--local", "--yes", "--package", "talker.zip"]);
    assert_ne!(other, url);
    assert_eq!(bench.good(&["url", "--local"]), other);
}

#[test]
fn urls_are_for_this_machine_unless_public_hosts_are_asked_for() {
    let bench = talker("none");
    let url = bench.good(&["url", "--local"]);
    let refused = get(&url, "rebound.example");
    assert!(refused.starts_with("HTTP/1.1 403 ") && refused.contains("`--public-hosts`"), "{refused}");
    bench.good(&["local", "start", "--public-hosts"]);
    assert_eq!(bench.good(&["url", "--local"]), url);
    let let_in = get(&url, "shop.example");
    assert!(let_in.contains("nothing here"), "the function answers: {let_in}");
    for command in ["run", "start"] {
        let help = bench.good(&["local", command, "--help"]);
        assert!(help.contains("--public-hosts"), "{help}");
    }
}

#[test]
fn nothing_that_a_function_has_started_outlives_local_stop() {
    // `setsid` and `/proc` are of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = Bench::new(MANIFEST);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(bench.path("leaver.zip")).unwrap());
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(LEAVER.as_bytes()).unwrap();
    zip.finish().unwrap();
    bench.good(&["deploy", "--local", "--yes", "--no-verify", "--package", "leaver.zip"]);
    let child: u32 = bench.good(&["invoke", "--local", "leaver"]).trim().parse().unwrap();
    let is_alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
    };
    assert!(is_alive());
    bench.good(&["local", "stop"]);
    assert!(!is_alive());
}
