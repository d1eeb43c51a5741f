//! Ended from outside: the call in flight ends, and what is done and left is said; a second signal waits for nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::CHAT;
use crate::consent::on_terminal;
use crate::support::bench::{Bench, function_zip, said};
use handle::Handle;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const CREATE: &str = "POST /2015-03-31/functions";

fn send(run: &Child, signal: Signal) {
    kill_process(Pid::from_raw(run.id() as i32).unwrap(), signal).unwrap();
}

/// Reads stderr until a line has this text; gives all that was read.
fn read_until(lines: &mut impl BufRead, text: &str) -> String {
    let mut all = String::new();
    while !all.contains(text) {
        assert!(lines.read_line(&mut all).unwrap() > 0, "no `{text}` in: {all}");
    }
    all
}

/// The output, with what was read of stderr before.
fn rest(mut run: Child, mut lines: impl BufRead, mut errors: String) -> Output {
    let mut stdout = Vec::new();
    run.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    lines.read_to_string(&mut errors).unwrap();
    Output { status: run.wait().unwrap(), stdout, stderr: errors.into_bytes() }
}

fn started(command: &mut Command) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(run.stderr.take().unwrap());
    (run, lines)
}

/// Accepts and never answers.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

fn package() -> String {
    format!("--package={}", function_zip().display())
}

#[test]
fn a_signal_ends_the_run_after_the_call_in_flight() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let bench = Bench::new(CHAT);
        let proxy = bench.proxy();
        proxy.hold(CREATE);
        let (run, mut lines) = started(&mut bench.through(&proxy, &["deploy", "--yes", &package()]));
        proxy.wait_for(CREATE);
        send(&run, signal);
        let errors = read_until(&mut lines, "finishing what is in progress: create function `shop-chat`; ");
        proxy.let_go();
        let output = rest(run, lines, errors);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(output.stdout.is_empty());
        assert!(errors.contains("done: log group, role"), "{errors}");
        assert!(errors.contains("release, permission, URL"), "{errors}");
        let calls = proxy.take_calls();
        let published = calls.iter().any(|call| call.starts_with("POST ") && call.ends_with("/versions"));
        assert!(!published, "nothing is begun after it: {calls:?}");

        // The next run resumes where it stopped.
        bench.good(&["deploy", "--local", &package()]);
    }
}

#[test]
fn after_a_signal_no_other_step_begins() {
    const PERMIT: &str = "POST /2015-03-31/functions/shop-chat/policy?Qualifier=live";
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    proxy.hold(PERMIT);
    let (run, mut lines) = started(&mut bench.through(&proxy, &["deploy", "--yes", &package()]));
    proxy.wait_for(PERMIT);
    send(&run, Signal::INT);
    let errors = read_until(&mut lines, "finishing what is in progress: ");
    proxy.let_go();
    let output = rest(run, lines, errors);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    let calls = proxy.take_calls();
    let permits = calls.iter().filter(|call| *call == PERMIT).count();
    let has_url = calls.iter().any(|call| call.starts_with("POST ") && call.contains("/url"));
    assert!(permits == 1 && !has_url, "{calls:?}");
    bench.good(&["deploy", "--local", &package()]);
}

#[test]
fn a_second_signal_ends_a_call_that_hangs() {
    let twice = [(Signal::INT, Signal::INT, 130), (Signal::TERM, Signal::TERM, 143), (Signal::INT, Signal::TERM, 130)];
    for (first, second, code) in twice {
        let bench = Bench::new(CHAT);
        let proxy = bench.proxy();
        proxy.hold(CREATE);
        let (run, mut lines) = started(&mut bench.through(&proxy, &["deploy", "--yes", &package()]));
        proxy.wait_for(CREATE);
        send(&run, first);
        let errors = read_until(&mut lines, "to stop now");
        send(&run, second);
        let output = rest(run, lines, errors);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(
            errors.contains("create function `shop-chat`: stopped before AWS answered; it may or may not"),
            "{errors}"
        );
        assert!(errors.contains("done: log group, role   left: function, release"), "{errors}");
        assert!(errors.contains("hint: rerun the command; it resumes where it stopped"), "{errors}");
        proxy.let_go();
        bench.good(&["deploy", "--local", &package()]);
    }
}

#[test]
fn ctrl_c_twice_on_a_terminal() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    proxy.hold(CREATE);
    let inner = bench.through(&proxy, &["deploy", "--yes", &package()]);
    let steps = json!([["function shop-chat", { "type": "\u{3}" }], ["press Ctrl-C again", { "type": "\u{3}" }]]);
    let output = on_terminal(&bench, &inner, &steps).output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("may or may not"), "{}", said(&output));
}

#[test]
fn a_second_signal_ends_a_cleanup_that_hangs() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    bench.good(&["deploy", "--local", &package()]);
    let delete = "DELETE /2015-03-31/functions/shop-chat";
    proxy.hold(delete);
    let (run, mut lines) = started(&mut bench.through(&proxy, &["destroy", "--yes", "--output", "json"]));
    proxy.wait_for(delete);
    send(&run, Signal::INT);
    let errors = read_until(&mut lines, "delete function `shop-chat`");
    send(&run, Signal::INT);
    let output = rest(run, lines, errors);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["error"]["kind"], "interrupted", "{document}");
    assert_eq!(document["functions"][0]["left"][0], "function", "{document}");
    proxy.let_go();
}

/// Nothing has been begun, so there is nothing to wait for.
#[test]
fn one_signal_ends_what_only_reads() {
    let bench = Bench::new(CHAT);
    let (_listener, address) = silent_server();
    let package = package();
    let commands: [&[&str]; 8] = [
        &["url"],
        &["status"],
        &["plan", &package],
        &["logs", "chat", "--follow"],
        &["releases"],
        &["invoke", "chat"],
        &["destroy", "--yes"],
        &["deploy", "--yes", &package],
    ];
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        for arguments in commands {
            let mut command = bench.command(arguments);
            command.env("AWS_ENDPOINT_URL", &address).env("AWS_REGION", "eu-central-1");
            command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
            let (run, mut lines) = started(&mut command);
            let errors = read_until(&mut lines, "Reading the ");
            send(&run, signal);
            let output = rest(run, lines, errors);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
            let is_unchanged = String::from_utf8_lossy(&output.stderr).contains("interrupted; nothing was changed");
            assert_eq!(is_unchanged, arguments[0] == "deploy", "{}", said(&output));
        }
    }
}

/// A handle on a process, which no other process gets with its number.
#[cfg(target_os = "linux")]
mod handle {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::os::fd::OwnedFd;

    pub(super) struct Handle(OwnedFd);

    impl Handle {
        pub(super) fn of(id: Pid) -> Handle {
            Handle(pidfd_open(id, PidfdFlags::empty()).expect("the process is there"))
        }

        /// Whether it ends within a minute.
        pub(super) fn ends(&self) -> bool {
            let mut watched = [PollFd::new(&self.0, PollFlags::IN)];
            let minute = Timespec { tv_sec: 60, tv_nsec: 0 };
            poll(&mut watched, Some(&minute)).is_ok_and(|ready| ready == 1)
        }
    }
}

/// The same, on systems where only the number is known.
#[cfg(not(target_os = "linux"))]
mod handle {
    use rustix::process::{Pid, test_kill_process};
    use std::time::{Duration, Instant};

    pub(super) struct Handle(Pid);

    impl Handle {
        pub(super) fn of(id: Pid) -> Handle {
            Handle(id)
        }

        /// Whether it ends within a minute.
        pub(super) fn ends(&self) -> bool {
            let begun = Instant::now();
            while test_kill_process(self.0).is_ok() {
                if begun.elapsed() > Duration::from_secs(60) {
                    return false;
                }
                std::thread::yield_now();
            }
            true
        }
    }
}

/// The process whose number a child writes into this file.
fn process_in(file: &Path, run: &mut Child) -> Handle {
    loop {
        assert!(run.try_wait().unwrap().is_none(), "it ended before its child began");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(id) = text.strip_suffix('\n').and_then(|id| id.parse().ok()).and_then(Pid::from_raw) {
            return Handle::of(id);
        }
        std::thread::yield_now();
    }
}

/// Ends a run by one SIGTERM while a descendant of it hangs, which is to end, too.
fn ends_with_its_children(command: &mut Command, file: &Path) {
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = process_in(file, &mut run);
    send(&run, Signal::TERM);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", said(&output));
    assert!(process.ends(), "a process of the run lives on: {}", said(&output));
}

#[test]
fn a_credential_process_ends_with_the_run() {
    let bench = Bench::new(CHAT);
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    let file = bench.path("id");
    // What hangs is a grandchild.
    bench.write("helper", &format!("sh -c 'echo $$ > {}; exec sleep 1000'\nexit 1\n", file.display()));
    let profile =
        format!("[profile slow]\nregion = eu-central-1\ncredential_process = sh {}\n", bench.path("helper").display());
    bench.write("home/.aws/config", &profile);
    ends_with_its_children(&mut bench.command(&["url", "--profile", "slow"]), &file);
}

/// `doctor` gives up on a source of credentials that does not answer, and goes on.
#[test]
fn a_credential_process_does_not_outlive_doctor() {
    let bench = Bench::new(CHAT);
    let file = bench.path("id");
    bench.write("helper", &format!("sh -c 'echo $$ > {}; exec sleep 1000'\nexit 1\n", file.display()));
    let profile =
        format!("[profile slow]\nregion = eu-central-1\ncredential_process = sh {}\n", bench.path("helper").display());
    bench.write_all("home/.aws/config", &profile);
    let mut command = bench.command(&["doctor", "--profile", "slow"]);
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = process_in(&file, &mut run);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("the source of the credentials does not answer"), "{}", said(&output));
    assert!(process.ends(), "the helper lives on: {}", said(&output));
}

#[test]
fn a_build_ends_with_the_run() {
    let bench = Bench::new("app = 'shop'\n[functions.slow]\ncrate = '.'\n");
    std::fs::create_dir(bench.path("src")).unwrap();
    bench.write("Cargo.toml", "[package]\nname = 'slow'\nversion = '0.1.0'\nedition = '2024'\n[workspace]\n");
    bench.write("src/main.rs", "fn main() {}\n");
    let file = bench.path("id");
    bench.write(
        "build.rs",
        &format!(
            "fn main() {{\n    std::fs::write({:?}, format!(\"{{}}\\n\", std::process::id())).unwrap();\n    \
             loop {{ std::thread::park() }}\n}}\n",
            file.display().to_string()
        ),
    );
    ends_with_its_children(&mut bench.command(&["build", "--local"]), &file);
}

#[test]
fn an_installer_ends_with_the_run() {
    let manifest = "app = 'shop'\n[functions.web]\nweb = 'app'\nruntime = 'python3.13'\nrun = 'python main.py'\n";
    let bench = Bench::new(manifest);
    std::fs::create_dir(bench.path("app")).unwrap();
    bench.write("app/main.py", "pass\n");
    bench.write("app/requirements.txt", "nothing==1\n");
    std::fs::create_dir(bench.path("bin")).unwrap();
    let file = bench.path("id");
    bench.write("bin/uv", &format!("#!/bin/sh\nsh -c 'echo $$ > {}; exec sleep 1000'\nexit 1\n", file.display()));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bench.path("bin/uv"), mode).unwrap();
    let path = format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command = bench.command(&["build"]);
    command.env("PATH", path).env("LAMSTREAM_CACHE_DIR", bench.path("cache"));
    ends_with_its_children(&mut command, &file);
}

/// A main thread that cannot be reached: it waits for a pipe that nothing is written to.
#[test]
fn a_second_signal_ends_what_blocks() {
    let bench = Bench::new(CHAT);
    let pipe = bench.path("pipe.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (run, mut lines) = started(&mut bench.command(&["url", "--manifest", "pipe.toml"]));
    // Opened on its other side, which waits until lamstream has it open.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    send(&run, Signal::INT);
    let errors = read_until(&mut lines, "to stop now");
    send(&run, Signal::INT);
    let output = rest(run, lines, errors);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    drop(writer);
}
