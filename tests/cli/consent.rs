//! Asking, on a real pseudo-terminal.

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use crate::support::proxy::Proxy;
use std::process::{Command, Output};

/// Runs lamstream on a pseudo-terminal, through `proxy`, and answers its question.
fn asked(bench: &Bench, proxy: &Proxy, answer: &str, arguments: &[&str]) -> Output {
    let inner = bench.through(proxy, arguments);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/consent.py");
    let mut command = Command::new("python3");
    command.args([script, answer]).arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    command.current_dir(bench.directory.path()).output().expect("python3 runs")
}

#[test]
fn nothing_is_written_before_consent() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    let package = format!("--package={}", function_zip().display());

    let no = asked(&bench, &proxy, "n", &["deploy", &package]);
    let text = String::from_utf8_lossy(&no.stdout).into_owned();
    assert_eq!(no.status.code(), Some(2), "{}", said(&no));
    assert!(text.contains("+ url shop-chat:live") && text.contains("Deploy to account 000000000000"), "{text}");
    assert!(!text.contains("Packaged"), "a first deploy asks before it builds: {text}");
    assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());

    let yes = asked(&bench, &proxy, "y", &["deploy", &package]);
    assert_eq!(yes.status.code(), Some(0), "{}", said(&yes));
    assert!(String::from_utf8_lossy(&yes.stdout).contains("it streams"), "{}", said(&yes));
    assert!(!Proxy::writes(&proxy.take_calls()).is_empty());

    // A later deploy asks once it has something to show.
    bench.write("deploy.toml", &CHAT.replace("url =", "memory = 256\nurl ="));
    let no = asked(&bench, &proxy, "n", &["deploy", &package]);
    let text = String::from_utf8_lossy(&no.stdout).into_owned();
    assert!(text.contains("Packaged") && text.contains("memory 128 -> 256"), "{text}");
    assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());

    let no = asked(&bench, &proxy, "n", &["destroy"]);
    assert_eq!(no.status.code(), Some(2), "{}", said(&no));
    assert!(String::from_utf8_lossy(&no.stdout).contains("- function shop-chat"), "{}", said(&no));
    assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());
}
