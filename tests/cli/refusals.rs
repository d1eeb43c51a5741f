//! What is refused before anything is touched.

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use std::time::{Duration, Instant};

#[test]
fn without_consent_nothing_is_built_and_nothing_called() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    for command in ["deploy", "destroy"] {
        let output = bench.command(&[command]).env("AWS_ENDPOINT_URL", &proxy.address).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--yes"));
    }
    assert_eq!(proxy.take_calls(), Vec::<String>::new());
}

#[test]
fn without_credentials_or_region_the_error_names_the_local_cloud() {
    let bench = Bench::new(CHAT);
    let run = |region: Option<&str>| {
        let mut command = bench.command(&["plan"]);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(region.map(|region| ("AWS_REGION", region)));
        let started = Instant::now();
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(output.stdout.is_empty(), "{}", said(&output));
        assert!(started.elapsed() < Duration::from_secs(20), "it took {:?}", started.elapsed());
        String::from_utf8(output.stderr).unwrap()
    };
    let no_credentials = run(Some("eu-central-1"));
    assert!(no_credentials.contains("credentials") && no_credentials.contains("--local"), "{no_credentials}");
    let no_region = run(None);
    assert!(no_region.contains("region") && no_region.contains("--local"), "{no_region}");
}

#[test]
fn endpoints_that_do_not_go_together_are_refused() {
    let bench = Bench::new(CHAT);
    let run = |variables: &[(&str, &str)]| {
        let mut command = bench.command(&["plan"]);
        command.env("AWS_REGION", "eu-central-1").env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        String::from_utf8(output.stderr).unwrap()
    };
    let split = run(&[("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")]);
    assert!(split.contains("split between clouds") && split.contains("IAM at AWS itself"), "{split}");
    let plain = run(&[("AWS_ENDPOINT_URL", "http://example.com")]);
    assert!(plain.contains("unencrypted"), "{plain}");
}

#[test]
fn the_local_cloud_reads_no_aws_variable() {
    let bench = Bench::new(CHAT);
    let mut command = bench.command(&["status", "--local"]);
    let nowhere = [
        ("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1"),
        ("AWS_PROFILE", "nobody"),
        ("AWS_REGION", "nowhere"),
        ("AWS_CA_BUNDLE", "/nowhere"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
    ];
    let output = command.envs(nowhere).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "chat: not deployed\n", "{}", said(&output));
}

#[test]
fn another_account_than_the_manifests_is_refused_before_any_write() {
    let bench = Bench::new(&format!("account = \"123456789012\"\n{CHAT}"));
    let proxy = bench.proxy();
    let package = format!("--package={}", function_zip().display());
    let output = bench.through(&proxy, &["deploy", "--yes", &package]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`123456789012`"), "{}", said(&output));
    assert_eq!(proxy.take_calls(), ["GetCallerIdentity"]);
}

#[test]
fn a_function_that_is_not_there_is_named_with_those_that_are() {
    let output = Bench::new(CHAT).run(&["plan", "chta", "--local"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no function `chta`; it has `chat`"), "{}", said(&output));
}

#[test]
fn a_manifest_that_is_not_there_is_said_to_be_missing() {
    let bench = Bench::new(CHAT);
    let output = bench.run(&["plan", "--manifest", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`nowhere.toml`"), "{}", said(&output));
}

#[test]
fn a_shift_of_what_is_kept_warm_is_refused_before_any_call() {
    let bench = Bench::new("app = 'shop'\n[functions.chat]\ncrate = 'unused'\nprovisioned_concurrency = 1\n");
    let output = bench.run(&["deploy", "--local", "--yes", "--shift", "10"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("Lambda keeps instances warm for one version"),
        "{}",
        said(&output)
    );
    assert!(!bench.data().exists());
}
