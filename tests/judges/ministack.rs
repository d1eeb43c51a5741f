//! ministack as another opinion: lamstream deploys to it, and where its answers differ, AWS's documents decide.

use crate::cloud::{Cloud, good, judges};
use crate::differential::documented;
use crate::support::bench::{Bench, LAMSTREAM, Server, moody_zip, said};
use crate::support::python::{python, tools};
use std::process::{Command, Stdio};
use std::time::Duration;

const REQUIREMENTS: &str = include_str!("ministack.txt");

/// A ministack that ends with its test, unless it cannot be installed here.
fn ministack(bench: &Bench) -> Option<Server> {
    let bin = tools("ministack", REQUIREMENTS)?;
    let mut command = Command::new(bin.join("python"));
    // It writes what it keeps below these.
    command.env("HOME", bench.path("")).env("TMPDIR", bench.path("")).current_dir(bench.path(""));
    Some(Server::start(command.arg(judges().join("ministack_server.py")).stderr(Stdio::null())))
}

#[test]
fn lamstream_deploys_to_ministack() {
    let bench = Bench::new("");
    let Some(server) = ministack(&bench) else { return };
    let manifest = |release: &str| {
        let function = "crate = \"unused\"\nurl = { auth = \"none\" }\nlog = { retention_days = 7 }";
        let environment = format!("environment = {{ RELEASE = \"{release}\" }}");
        bench.write("deploy.toml", &format!("app = \"shop\"\n[functions.chat]\n{function}\n{environment}\n"));
    };
    bench.write_all("unused/Cargo.toml", "[workspace]\n[package]\nname = \"unused\"\nedition = \"2024\"\n");
    bench.write_all("unused/src/main.rs", "fn main() {}\n");
    let package = format!("--package={}", moody_zip().display());
    let run = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.env("AWS_ENDPOINT_URL", &server.address).env("AWS_REGION", localcloud::REGION);
        command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        let output = command.output().expect("lamstream runs");
        assert!(output.status.success(), "{LAMSTREAM} {arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    manifest("one");
    // It runs functions only in containers, so nothing can be verified.
    let url = run(&["deploy", "--yes", "--no-verify", &package]);
    assert!(url.contains(".lambda-url."), "{url}");
    assert_eq!(run(&["plan", &package]).trim(), "no changes");
    manifest("two");
    assert_eq!(run(&["deploy", "--yes", "--no-verify", &package]), url);
    assert!(run(&["status"]).contains("version 2"));
    run(&["rollback", "--yes", "--no-verify"]);
    assert!(run(&["status"]).contains("version 1"));
    run(&["destroy", "--yes"]);
    assert!(run(&["status"]).contains("not deployed"));
}

#[test]
fn where_ministack_differs_is_known_and_judged() {
    let bench = Bench::new("");
    let (Some(bin), Some(server)) = (python(), ministack(&bench)) else { return };
    let cloud = Cloud::start(|options| {
        options.pending = Duration::ZERO;
        options.update = Duration::ZERO;
    });
    print!("{}", good(cloud.script(&bin, "opinion.py").arg(&server.address)));
}

/// `docs/ministack.md` says what `ministack.json` lists.
#[test]
fn the_list_of_ministacks_differences_is_the_documented_one() {
    let head = "# Where ministack 1.5.33 differs\n\n`tests/judges` lets lamstream deploy to \
                ministack (on PyPI): deploy, plan, status, rollback and destroy work, and \
                nothing\ncan be verified, because it runs functions only in containers. This is the list of its \
                answers that differ from the local\ncloud's, each judged by AWS's documents. It is generated from \
                `tests/judges/ministack.json`.\n\n";
    documented("ministack", head);
}
