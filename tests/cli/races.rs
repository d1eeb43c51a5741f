//! Another process changes the same function while a deploy is in progress.

use crate::strangers::aws;
use crate::support::bench::{Bench, function_zip, said};
use crate::support::python::python;
use crate::{CHAT, deploy};
use std::path::Path;
use std::process::{Output, Stdio};

/// Deploys a change of memory from 128 to 256 MB, and lets another client do `meanwhile` just before the call `held`.
fn deploy_while(bin: &Path, bench: &Bench, held: &str, meanwhile: &[&str]) -> Output {
    deploy(bench, &[]);
    bench.write("deploy.toml", &CHAT.replace("url =", "memory = 256\nurl ="));
    let proxy = bench.proxy();
    proxy.hold(held);
    let package = format!("--package={}", function_zip().display());
    let mut command = bench.through(&proxy, &["deploy", "--yes", &package]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lamstream runs");
    proxy.wait_for(held);
    aws(bin, bench, meanwhile);
    proxy.let_go();
    run.wait_with_output().expect("it ends")
}

fn live_memory(bin: &Path, bench: &Bench) -> String {
    let live = ["lambda", "get-function-configuration", "--function-name", "shop-chat", "--qualifier", "live"];
    aws(bin, bench, &[&live[..], &["--query", "MemorySize", "--output", "text"]].concat()).trim().to_owned()
}

/// The loser says so and exits with 1; what served before serves still, and the next run arrives.
fn loses(held: &str, meanwhile: &[&str]) {
    let Some(bin) = python() else { return };
    let bench = Bench::new(CHAT);
    let output = deploy_while(&bin, &bench, held, meanwhile);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another process"), "{}", said(&output));
    assert!(output.stdout.is_empty());
    assert_eq!(live_memory(&bin, &bench), "128");
    deploy(&bench, &[]);
    assert_eq!(live_memory(&bin, &bench), "256");
}

#[test]
fn a_configuration_changed_meanwhile_is_never_published() {
    let change = ["lambda", "update-function-configuration", "--function-name", "shop-chat", "--memory-size", "512"];
    loses("POST /2015-03-31/functions/shop-chat/versions", &change);
}

#[test]
fn an_alias_moved_meanwhile_is_not_moved_again() {
    let alias = ["lambda", "update-alias", "--function-name", "shop-chat", "--name", "live"];
    let change = [&alias[..], &["--function-version", "1", "--description", "moved by hand"]].concat();
    loses("PUT /2015-03-31/functions/shop-chat/aliases/live", &change);
}

#[test]
fn a_revision_that_moved_alone_is_no_conflict() {
    let Some(bin) = python() else { return };
    let bench = Bench::new(CHAT);
    // A statement on the function changes its revision, and nothing that a deploy is about.
    let theirs = ["lambda", "add-permission", "--function-name", "shop-chat", "--statement-id", "theirs"];
    let theirs = [&theirs[..], &["--action", "lambda:InvokeFunction", "--principal", "events.amazonaws.com"]].concat();
    let output = deploy_while(&bin, &bench, "PUT /2015-03-31/functions/shop-chat/configuration", &theirs);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(live_memory(&bin, &bench), "256");
}
