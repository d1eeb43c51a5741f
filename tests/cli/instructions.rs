//! The instructions of the local cloud for one request, counted by callgrind. The same request takes a varying time, but
//! the same instructions.
#![expect(clippy::print_stderr, reason = "a test that cannot run says why")]

use crate::support::bench::{Bench, LAMSTREAM, Server, said};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// For one warm request to a Function URL, without optimisation. Lower it when a change makes them fewer.
const INSTRUCTIONS: u64 = 2_000_000;
/// The test fails if there are more by this part.
const GROWTH: f64 = 0.1;
const REQUESTS: usize = 100;

/// Runs a program of valgrind's or of binutils, and expects it to go well.
fn good(command: &mut Command) {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {}", said(&output));
}

/// Lamstream without what a debugger needs, which valgrind would read for a long time.
fn stripped(bench: &Bench) -> PathBuf {
    let path = bench.path("lamstream");
    good(Command::new("strip").arg("-o").arg(&path).arg(LAMSTREAM));
    path
}

/// The same command of another program, run by valgrind if there is a file for its counts.
fn command(bench: &Bench, program: &Path, arguments: &[&str], counts: Option<&Path>) -> Command {
    let mut command = match counts {
        Some(counts) => {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["-q", "--tool=callgrind"]);
            valgrind.arg(format!("--callgrind-out-file={}", counts.display())).arg(program);
            valgrind
        }
        None => Command::new(program),
    };
    command.args(arguments).current_dir(bench.directory.path()).env_clear();
    let variables = bench.command(&[]);
    command.envs(variables.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// Sends requests over one connection.
fn ask(address: &str, requests: usize) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    for _ in 0..requests {
        write!(stream, "GET / HTTP/1.1\r\nhost: {address}\r\n\r\n").expect("the request is sent");
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        while !answer.ends_with(b"0\r\n\r\n") {
            let read = stream.read(&mut buffer).expect("an answer");
            assert_ne!(read, 0, "the answer ends early: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn a_request_takes_no_more_instructions_than_before() {
    if Command::new("callgrind_control").arg("--version").output().is_err() {
        let reason = "callgrind is not installed; `.ci/callgrind` installs it";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
        eprintln!("{reason}");
        return;
    }
    let bench = Bench::new(
        "app = 'shop'\n[functions.greeter]\ncrate = 'greeter'\nurl = { auth = 'none' }\ncheck = { path = '/' }\n",
    );
    bench.write_all("greeter/Cargo.toml", "[package]\nname = 'greeter'\nedition = '2024'\n[workspace]\n");
    bench.write_all("greeter/src/main.rs", include_str!("../fixtures/greeter.rs"));
    let (program, counts) = (stripped(&bench), bench.path("counts"));
    let server = Server::start(&mut command(&bench, &program, &["local", "run"], Some(&counts)));
    let deployed = command(&bench, &program, &["deploy", "--local", "--quiet"], None).output().expect("it runs");
    assert!(deployed.status.success(), "{}", said(&deployed));
    let url = String::from_utf8_lossy(&deployed.stdout).into_owned();
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/');
    // Everything that happens only once.
    ask(address, 20);
    let control = |order: &str| good(Command::new("callgrind_control").arg(order).arg(server.pid().to_string()));
    control("--zero");
    ask(address, REQUESTS);
    control("--dump");
    let counted = std::fs::read_to_string(counts.with_extension("1")).expect("callgrind has written its counts");
    let total = counted.lines().find_map(|line| line.strip_prefix("summary: ")).expect("a total");
    let each = total.trim().parse::<u64>().expect("a number") / REQUESTS as u64;
    let most = (INSTRUCTIONS as f64 * (1.0 + GROWTH)) as u64;
    assert!(each <= most, "{each} instructions for each request, at most {most}");
}
