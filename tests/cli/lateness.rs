//! AWS takes a while to show what was just made, to end a change, and to restore a version that was not used.

use crate::support::bench::{Bench, moody_zip, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use serde_json::json;
use std::io::Write;
use std::process::Output;
use std::time::{Duration, Instant};

/// A cloud as late as AWS.
const LATE: &[&str] = &["local", "start", "--role-propagation=0s", "--visibility-lag=2s", "--conflict-lag=2s"];

fn bench(release: &str, days: u32) -> Bench {
    let bench = Bench::new("");
    write(&bench, release, days);
    bench
}

fn write(bench: &Bench, release: &str, days: u32) {
    bench.write(
        "deploy.toml",
        &format!(
            "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 2\nconcurrency = 5\n\
             url = {{ auth = \"none\" }}\nenvironment = {{ RELEASE = \"{release}\", MOOD = \"good\" }}\n\
             check = {{ streams = true }}\nlog = {{ retention_days = {days} }}\n\
             role.managed_policies = [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n"
        ),
    );
}

fn deploy(bench: &Bench) -> Output {
    bench.run(&["deploy", "--local", "--yes", &format!("--package={}", moody_zip().display())])
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

#[test]
fn a_late_cloud_is_waited_for() {
    let bench = bench("one", 7);
    bench.good(LATE);
    let started = Instant::now();
    succeeds(&deploy(&bench));
    assert!(started.elapsed() >= Duration::from_secs(4), "nothing was late");
    write(&bench, "two", 14);
    succeeds(&deploy(&bench));
    succeeds(&bench.run(&["rollback", "--local", "--yes"]));
    let (status, _) = bench.json(&["status", "--local"]);
    assert_eq!(status["functions"][0]["release"]["version"], json!("1"), "{status:#}");
    // Role and log group are still busy with what the destroy did, and their names with the destroy itself.
    succeeds(&bench.run(&["destroy", "--local", "--yes"]));
    succeeds(&deploy(&bench));
}

#[test]
fn an_inactive_version_is_restored_before_it_gets_traffic() {
    let bench = bench("one", 7);
    succeeds(&deploy(&bench));
    write(&bench, "two", 7);
    succeeds(&deploy(&bench));
    // The second deploy took longer than that, and the SDK's own attempts end before it is restored.
    bench.good(&["local", "start", "--inactive-after=1s", "--pending=14s"]);
    let output = bench.run(&["rollback", "--local", "--yes"]);
    succeeds(&output);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("Lambda to restore the inactive version, version 1: Pending"), "{told}");
}

#[test]
fn an_inactive_version_without_a_trial_is_named_with_the_cure() {
    let bench = bench("one", 7);
    succeeds(&deploy(&bench));
    write(&bench, "two", 7);
    succeeds(&deploy(&bench));
    bench.good(&["local", "start", "--inactive-after=1s", "--pending=60s"]);
    let output = bench.run(&["rollback", "--local", "--yes", "--no-verify"]);
    succeeds(&output);
    let words =
        "version 1 is inactive, because it was not used for weeks: its first request fails and makes Lambda restore it";
    let text = said(&output);
    assert!(text.contains(words) && text.contains("without `--no-verify`, lamstream waits for it"), "{text}");
    // The first request finds it inactive, and the next one being restored.
    for _ in 0..2 {
        let output = bench.run(&["invoke", "chat", "--local"]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let text = said(&output);
        assert!(text.contains("hint: version 1 is still being prepared: rerun the command in a few minutes"), "{text}");
    }
}

#[test]
fn what_another_process_deleted_is_reported_at_once() {
    let bench = bench("one", 7);
    succeeds(&deploy(&bench));
    write(&bench, "two", 7);
    let proxy = bench.proxy();
    let gone = Fault::Answer(Answer::NotFound);
    let call = "PUT /2015-03-31/functions/shop-chat/configuration".to_owned();
    proxy.set(Trap { call, occurrence: 1, fault: gone, lasting: Lasting::Ever });
    let package = format!("--package={}", moody_zip().display());
    let started = Instant::now();
    let output = bench.through(&proxy, &["deploy", "--yes", &package]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("ResourceNotFoundException"), "{}", said(&output));
    assert!(started.elapsed() < Duration::from_secs(20), "it was waited for: {:?}", started.elapsed());
}

/// A package that is too large for a call, and starts with the given code.
fn large(bench: &Bench, name: &str) -> String {
    let path = bench.path(name);
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&path).expect("the zip is made"));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    let stored = options.compression_method(zip::CompressionMethod::Stored);
    writer.start_file("bootstrap", stored).expect("the zip is written");
    writer.write_all(include_bytes!("../fixtures/moody.py")).expect("the zip is written");
    writer.start_file(name, stored).expect("the zip is written");
    writer.write_all(&vec![b'x'; 53_000_000]).expect("the zip is written");
    writer.finish().expect("the zip is written");
    format!("--package={}", path.display())
}

#[test]
fn a_bucket_stays_until_destroy_and_its_name_may_be_refused_afterwards() {
    let bench = bench("one", 7);
    // A bucket is late, too.
    bench.good(&["local", "start", "--bucket-name-lag=60m", "--visibility-lag=300ms"]);
    for package in [large(&bench, "first"), large(&bench, "second")] {
        succeeds(&bench.run(&["deploy", "--local", "--yes", &package]));
    }
    let destroy = || {
        let output = bench.run(&["destroy", "--local", "--yes"]);
        succeeds(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let removed = destroy();
    assert!(removed.contains("deleted bucket `lamstream-000000000000-us-east-1-"), "{removed}");
    succeeds(&bench.run(&["deploy", "--local", "--yes", &large(&bench, "third")]));
    let removed = destroy();
    assert!(removed.contains("-2`, used for uploads of `chat`"), "{removed}");
    assert!(!destroy().contains("deleted bucket"), "nothing was left");
}
