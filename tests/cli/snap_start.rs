//! Functions whose instances start from a snapshot, which Lambda makes when it publishes a version.

use crate::consent::on_terminal;
use crate::support::aws::Keys;
use crate::support::bench::{Bench, moody_zip, said};
use crate::support::proxy::Proxy;
use serde_json::{Value, json};

/// A function in a language that the local cloud has no runtime for: a wrapper is started instead.
fn manifest(bench: &Bench, keys: &str) {
    let wrapper = bench.path("wrapper.py");
    bench.write(
        "deploy.toml",
        &format!(
            "app = \"shop\"\n[functions.chat]\npackage = \"code.zip\"\nruntime = \"dotnet10\"\nhandler = \"Chat\"\n\
             timeout = 5\nurl = {{ auth = \"none\" }}\nenvironment = {{ AWS_LAMBDA_EXEC_WRAPPER = {wrapper:?} }}\n\
             check = {{ streams = true }}\n{keys}\n"
        ),
    );
}

fn bench(keys: &str, cloud: &[&str]) -> Bench {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new("");
    bench.write("wrapper.py", include_str!("../fixtures/moody.py"));
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("wrapper.py"), executable).expect("its mode is set");
    std::fs::copy(moody_zip(), bench.path("code.zip")).expect("it is copied");
    manifest(&bench, keys);
    bench.good(&[&["local", "start", "--role-propagation=0s"], cloud].concat());
    bench
}

fn run(bench: &Bench, proxy: &Proxy, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench.through(proxy, arguments).output().expect("lamstream runs");
    (output.status.code(), said(&output))
}

const DEPLOY: &[&str] = &["deploy", "--local", "--yes"];
const GET_FUNCTION: &str = "GET /2015-03-31/functions/shop-chat";

#[test]
fn a_deploy_waits_for_the_snapshot_and_says_what_it_costs() {
    let bench = bench("snap_start = true", &["--snapshot=2s"]);
    let output = on_terminal(&bench, &bench.command(DEPLOY), &json!([])).output().expect("python3 runs");
    let text = anstream::adapter::strip_bytes(&output.stdout).into_vec();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success() && text.contains("Verified version 1"), "{text}");
    assert!(text.contains("Waiting for Lambda to make the snapshot of version 1: Pending"), "{text}");
    for words in ["`keep_releases = 5`", "for at least 3 hours"] {
        assert!(text.contains(words), "{text}");
    }
    let plan = bench.run(&["plan", "--local"]);
    assert_eq!(String::from_utf8_lossy(&plan.stdout), "no changes\n", "{}", said(&plan));
    assert!(!said(&plan).contains("SnapStart"), "nothing is published: {}", said(&plan));
    manifest(&bench, "memory = 256\nsnap_start = true");
    let plan = said(&bench.run(&["plan", "--local"]));
    assert!(plan.contains("uses SnapStart: AWS bills"), "{plan}");

    // Without the key it is off, for versions to come.
    manifest(&bench, "");
    for command in ["plan", "status"] {
        let text = bench.good(&[command, "--local"]);
        assert!(text.contains("snap_start true -> false") && !text.contains("set outside"), "{text}");
    }
    let text = said(&bench.run(DEPLOY));
    assert!(text.contains("Verified version 2") && !text.contains("SnapStart"), "{text}");
    // The way back leads to a version with its snapshot.
    bench.good(&["rollback", "--local", "--yes"]);
    let text = bench.status(&["--local"]);
    assert!(text.contains("version 1") && text.contains("snap_start true -> false"), "{text}");
}

#[test]
fn a_version_whose_snapshot_fails_is_deleted_and_gets_no_traffic() {
    let bench = bench("", &[]);
    bench.good(DEPLOY);
    manifest(&bench, "snap_start = true");
    let proxy = bench.proxy();
    proxy.rewrite(GET_FUNCTION, |answer| {
        let configuration = &mut answer["Configuration"];
        if configuration["Version"] == "2" {
            configuration["State"] = "Failed".into();
            configuration["StateReason"] = "The function exited while it was initialised".into();
            configuration["StateReasonCode"] = "FunctionError".into();
        }
    });
    let (code, text) = run(&bench, &proxy, &["deploy", "--yes"]);
    assert_eq!(code, Some(1), "{text}");
    let words = "cannot make the snapshot of version 2 of function `shop-chat`: The function exited while it was \
                 initialised (FunctionError)";
    assert!(text.contains(words) && text.contains("hint: Lambda starts the function once"), "{text}");
    assert!(!text.contains("rerun"), "the same function would fail again: {text}");
    let calls = proxy.take_calls();
    let deleted = calls.iter().any(|call| call == "DELETE /2015-03-31/functions/shop-chat?Qualifier=2");
    assert!(deleted, "{calls:?}");
    let (status, _) = bench.json(&["status", "--local"]);
    assert_eq!(status["functions"][0]["release"]["version"], "1", "{status:#}");
    // Lambda would not publish the same again, were the version still there.
    bench.good(DEPLOY);
    let (status, _) = bench.json(&["status", "--local"]);
    assert_eq!(status["functions"][0]["release"]["version"], "3", "{status:#}");
}

#[test]
fn snapstart_that_was_switched_on_elsewhere_is_reported_and_does_not_travel() {
    let bench = bench("", &[]);
    bench.good(DEPLOY);
    Keys::of(&bench).configure("shop-chat", &json!({ "SnapStart": { "ApplyOn": "PublishedVersions" } }));
    let words = "set outside lamstream: SnapStart";
    let text = bench.status(&["--local"]);
    assert!(text.contains(words) && !text.contains("update release"), "{text}");
    let text = bench.good(&["plan", "--local"]);
    assert_eq!(text, format!("no changes\nchat: {words}\n"));
    // No version has it, so that a deploy has nothing to do; and it is no news to a manifest that wants it.
    manifest(&bench, "snap_start = true");
    let text = bench.good(&["plan", "--local"]);
    assert!(text.contains("snap_start false -> true") && !text.contains("outside"), "{text}");

    manifest(&bench, "memory = 256");
    let proxy = bench.proxy();
    let (code, text) = run(&bench, &proxy, &["deploy", "--yes"]);
    let note = "`chat`: SnapStart was switched on outside lamstream; the new version will not have it";
    assert!(code == Some(0) && text.contains(note), "{text}");
    assert_eq!(bench.good(&["plan", "--local"]), "no changes\n");
    let (status, _) = bench.json(&["status", "--local"]);
    assert_eq!(status["functions"][0]["set_outside"], json!([]), "{status:#}");
}

#[test]
fn a_region_without_snapstart_is_named_with_what_to_do() {
    let bench = bench("snap_start = true", &["--url-regions=aws"]);
    // Such regions have no URLs either.
    let text = std::fs::read_to_string(bench.path("deploy.toml")).expect("the manifest");
    let without = |line: &&str| !line.starts_with("url") && !line.starts_with("check");
    bench.write("deploy.toml", &text.lines().filter(without).collect::<Vec<_>>().join("\n"));
    let output = bench.run(&[DEPLOY, &["--region", "ap-southeast-6"]].concat());
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("dotnet10 is not supported for SnapStart enabled functions."), "{text}");
    assert!(text.contains("hint: AWS does not make snapshots in every region: remove `snap_start`"), "{text}");
    assert!(!text.contains("rerun"), "{text}");
}

#[test]
fn warm_instances_have_to_go_before_snapshots_come() {
    let bench = bench("provisioned_concurrency = 1", &[]);
    bench.good(DEPLOY);
    manifest(&bench, "snap_start = true");
    let proxy = bench.proxy();
    for command in [&["plan"][..], &["deploy", "--yes"]] {
        let (code, text) = run(&bench, &proxy, command);
        assert!(code == Some(1) && text.contains("`chat` has provisioned concurrency, with which"), "{text}");
    }
    let calls = proxy.take_calls();
    let writes = Proxy::writes(&calls);
    assert!(writes.is_empty(), "{writes:?}");
    manifest(&bench, "");
    bench.good(DEPLOY);
    manifest(&bench, "snap_start = true");
    bench.good(DEPLOY);
    // Nor do they come back while the release that has snapshots is wanted.
    let (status, _) = bench.json(&["status", "--local"]);
    assert_eq!(status["functions"][0]["changes"], Value::Array(Vec::new()), "{status:#}");
}
