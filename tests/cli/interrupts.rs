//! Ended from outside: the call in flight ends, and what is done and left is said.

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use std::process::Stdio;

#[test]
fn a_signal_ends_the_run_after_the_call_in_flight() {
    for (signal, code) in [(rustix::process::Signal::TERM, 143), (rustix::process::Signal::INT, 130)] {
        let bench = Bench::new(CHAT);
        let proxy = bench.proxy();
        let package = format!("--package={}", function_zip().display());
        let create = "POST /2015-03-31/functions";
        proxy.hold(create);
        let mut command = bench.through(&proxy, &["deploy", "--yes", &package]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        proxy.wait_for(create);
        let pid = rustix::process::Pid::from_raw(run.id() as i32).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        proxy.let_go();
        let output = run.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(output.stdout.is_empty());
        assert!(errors.contains("done: log group, role"), "{errors}");
        assert!(errors.contains("release, permission, url"), "{errors}");

        // The next run goes on from there.
        bench.good(&["deploy", "--local", "--yes", &package]);
    }
}
