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
        ("AWS_PROFILE", "unknown"),
        ("AWS_REGION", "nowhere"),
        ("AWS_CA_BUNDLE", "/nowhere"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
    ];
    let output = command.envs(nowhere).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("\nchat: not deployed\n"), "{}", said(&output));
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
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("no function `chta`; available functions: `chat`"),
        "{}",
        said(&output)
    );
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

/// A file that is named and not there is a mistake of the one who names it, whatever option names it.
#[test]
fn a_file_that_an_option_names_and_that_does_not_exist_is_a_usage_error() {
    const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:layer:tools:3";
    let bench = Bench::new(CHAT);
    std::fs::create_dir(bench.path("directory")).unwrap();
    for arguments in [
        &["deploy", "--local", "--yes", "--package"][..],
        &["plan", "--local", "--package"],
        &["plan", "--manifest"],
        &["invoke", "chat", "--local", "-d"],
        &["import", "sam", "--out", "-"],
        &["local", "adapter", "install", "--from"],
        &["local", "layer", "add", ARN],
    ] {
        for (name, why) in [("nowhere", "No such file or directory"), ("directory", "Is a directory")] {
            let named = if arguments.contains(&"-d") { format!("@{name}") } else { name.to_owned() };
            let output = bench.run(&[arguments, &[&named]].concat());
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
            let error = told.lines().find_map(|line| line.strip_prefix("error: cannot read ")).unwrap_or_default();
            assert!(error.contains(&format!("`{name}`: {why}")), "{arguments:?}: {told}");
        }
    }
    assert!(!bench.data().exists(), "nothing was started");
}

#[test]
fn a_layer_is_named_by_the_arn_of_a_version() {
    let bench = Bench::new(CHAT);
    bench.write("layer.zip", "PK");
    for arn in ["bad", "arn:aws:lambda:eu-central-1:123456789012:layer:tools", "arn:aws:s3:::bucket"] {
        for zip in [&[][..], &["layer.zip"]] {
            let output = bench.run(&[&["local", "layer", "add", arn], zip].concat());
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{}", said(&output));
            let message = format!("error: `{arn}` is not the ARN of a layer version, such as `arn:aws:lambda:");
            assert!(told.starts_with(&message) && !told.contains("hint"), "{told}");
        }
    }
}

#[test]
fn a_manifest_that_is_not_utf_8_is_refused_with_its_line() {
    let bench = Bench::new(CHAT);
    std::fs::write(bench.path("deploy.toml"), b"# caf\xc3\xa9\napp = \"caf\xe9\"\n").expect("a file");
    let output = bench.run(&["plan", "--local"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("cannot read the manifest `deploy.toml`: line 2 has the byte `0xe9`"), "{told}");
    assert!(told.contains("hint: save the file as UTF-8"), "{told}");
}
