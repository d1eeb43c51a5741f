//! Asking, on a real pseudo-terminal.

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use crate::support::proxy::Proxy;
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::time::Instant;

/// What the prompt ends with.
const PROMPT: &str = "[y/N] ";

/// `inner`, to be run on a pseudo-terminal by these steps.
pub(crate) fn on_terminal(bench: &Bench, inner: &Command, steps: &Value) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/terminal.py");
    let mut command = Command::new("python3");
    command.args([script, &steps.to_string()]).arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    command.current_dir(bench.directory.path());
    command
}

/// Runs lamstream on a pseudo-terminal, through `proxy`, and answers its question. Colours are left out of the output.
fn asked(bench: &Bench, proxy: &Proxy, answer: &str, arguments: &[&str]) -> Output {
    let steps = json!([[PROMPT, { "type": format!("{answer}\n") }]]);
    let output = on_terminal(bench, &bench.through(proxy, arguments), &steps).output().expect("python3 runs");
    Output { stdout: anstream::adapter::strip_bytes(&output.stdout).into_vec(), ..output }
}

/// Only the reason that holds is said.
#[test]
fn why_nothing_can_be_asked_is_said() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    for (more, why) in [(&[][..], "stdin is not a terminal"), (&["--output", "json"], "the output is JSON")] {
        let output = bench.through(&proxy, &["destroy"]).args(more).output().expect("lamstream runs");
        let expected = format!("error: `destroy` needs confirmation, but {why}\n");
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains(&expected), "{}", said(&output));
    }
}

#[test]
fn nothing_is_written_before_consent() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    let package = format!("--package={}", function_zip().display());

    let no = asked(&bench, &proxy, "n", &["deploy", &package]);
    let text = String::from_utf8_lossy(&no.stdout).into_owned();
    assert_eq!(no.status.code(), Some(2), "{}", said(&no));
    let question = "Deploy app `shop` to account 000000000000 in us-east-1, with a public URL for `chat`? [y/N]";
    assert!(text.contains("+ url shop-chat:live") && text.contains(question), "{text}");
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
    assert!(text.contains("in us-east-1? [y/N]"), "the URL was public before: {text}");
    assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());

    let no = asked(&bench, &proxy, "n", &["destroy"]);
    assert_eq!(no.status.code(), Some(2), "{}", said(&no));
    let text = String::from_utf8_lossy(&no.stdout).into_owned();
    let question = "Delete these resources of app `shop` in account 000000000000 in us-east-1? [y/N]";
    assert!(text.contains("- function shop-chat") && text.contains(question), "{text}");
    assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());
}

#[test]
fn a_url_that_becomes_public_and_the_stage_are_in_the_question() {
    let stages = "[stages.dev]\n[stages.prod]\n";
    let private = format!("{}{stages}", CHAT.replace("auth = \"none\"", "auth = \"aws-iam\""));
    let bench = Bench::new(&private);
    let package = format!("--package={}", function_zip().display());
    bench.good(&["deploy", "--local", "--stage", "dev", &package]);
    let proxy = bench.proxy();
    bench.write("deploy.toml", &format!("{CHAT}{stages}"));
    let no = asked(&bench, &proxy, "n", &["deploy", "--stage", "dev", &package]);
    let text = String::from_utf8_lossy(&no.stdout).into_owned();
    let question = "app `shop`, stage `dev`, to account 000000000000 in us-east-1, with a public URL for `chat`?";
    assert!(text.contains(question), "{text}");
}

#[test]
fn the_local_cloud_needs_no_consent() {
    let bench = Bench::new(CHAT);
    let package = format!("--package={}", function_zip().display());
    let on_pty = |arguments: &[&str]| {
        let output = on_terminal(&bench, &bench.command(arguments), &json!([])).output().expect("python3 runs");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(!String::from_utf8_lossy(&output.stdout).contains(PROMPT), "{}", said(&output));
    };
    on_pty(&["deploy", "--local", &package]);
    bench.write("deploy.toml", &CHAT.replace("url =", "memory = 256\nurl ="));
    bench.good(&["deploy", "--local", &package]);
    bench.good(&["rollback", "--local"]);
    let (document, code) = bench.json(&["deploy", "--local", &package]);
    assert_eq!(code, 0, "{document}");
    on_pty(&["destroy", "--local"]);
}

/// A signal ends the question itself: nothing has to be typed after it.
#[test]
fn a_signal_at_the_prompt_ends_at_once() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    let package = format!("--package={}", function_zip().display());
    for (action, code) in [(json!({ "type": "\u{3}" }), 130), (json!({ "kill": 2 }), 130), (json!({ "kill": 15 }), 143)]
    {
        let inner = bench.through(&proxy, &["deploy", &package]);
        let output = on_terminal(&bench, &inner, &json!([[PROMPT, action]])).output().expect("python3 runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let (_, after) = text.split_once(PROMPT).expect("a prompt");
        assert!(after.contains("\nerror:") || after.contains("\n\u{1b}"), "the error is on its own line: {text}");
        assert!(!after.contains("finishing what is in progress"), "{text}");
    }
    assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());
}

#[test]
fn the_time_at_the_prompt_is_not_the_deploys() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    let package = format!("--package={}", function_zip().display());
    let inner = bench.through(&proxy, &["deploy", &package]);
    let steps = json!([[PROMPT, { "pause": 4, "type": "y\n" }]]);
    let began = Instant::now();
    let output = on_terminal(&bench, &inner, &steps).output().expect("python3 runs");
    let all = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = text.split_once("chat in ").unwrap_or_else(|| panic!("{text}"));
    let took: f64 = rest.split('s').next().and_then(|seconds| seconds.parse().ok()).expect("seconds");
    // What is shown is rounded.
    assert!(took + 4.0 <= all + 0.06, "it took {took} s of {all} s: {text}");
}
