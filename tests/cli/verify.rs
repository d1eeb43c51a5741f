//! `verify`: the checks, asked at any time, without a change to anything.

use crate::support::bench::{Bench, function_zip, said};
use crate::{TWO, deploy};

fn manifest(check: &str) -> String {
    format!("app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\nurl = {{ auth = \"none\" }}\n{check}\n")
}

const STREAMS: &str =
    "check = { method = \"POST\", path = \"/stream/chat\", query = { query = \"hello\" }, streams = true }";

#[test]
fn what_is_live_is_asked_and_nothing_changes() {
    let bench = Bench::new(&manifest(STREAMS));
    let (document, code) = bench.json(&["verify", "--local"]);
    assert_eq!(code, 1, "{document:#}");
    assert_eq!(document["error"]["message"], "function `chat` has no release: it is not deployed");
    deploy(&bench, &[]);
    let output = bench.run(&["verify", "--local"]);
    let told = said(&output);
    assert!(output.status.success() && output.stdout.is_empty(), "{told}");
    assert!(told.contains("Verified the URL of chat") && told.contains(": it streams"), "{told}");
    let (before, _) = bench.json(&["releases", "--local"]);

    // Another check is asked at once, and its failure is not held against the release.
    bench.write("deploy.toml", &manifest("check = { path = \"/nowhere\" }"));
    for asked in [&["verify", "--local"][..], &["verify", "chat", "--local", "--version", "1"]] {
        let (document, code) = bench.json(asked);
        let message = document["error"]["message"].as_str().expect("a message");
        assert!(code == 1 && message.contains("the response has status 404, expected 200 to 399"), "{document:#}");
        let function = &document["functions"][0];
        assert_eq!((&function["changed"], &function["error"]["kind"]), (&false.into(), &"verify".into()));
    }
    let (after, _) = bench.json(&["releases", "--local"]);
    assert_eq!(before["functions"], after["functions"]);

    let (document, code) = bench.json(&["verify", "chat", "--local", "--version", "7"]);
    assert_eq!(code, 1, "{document:#}");
    assert_eq!(document["error"]["message"], "function `chat` has no version 7; available versions: 1");
}

#[test]
fn a_status_that_is_no_success_is_named() {
    let bench = Bench::new(&manifest("check = { path = \"/nowhere\", expect_status = 404 }"));
    deploy(&bench, &[]);
    for asked in [&["verify", "--local"][..], &["verify", "--local", "--version", "1"]] {
        let output = bench.run(asked);
        let told = said(&output);
        assert!(output.status.success() && told.contains("status 404, first byte after "), "{told}");
    }
    let (document, _) = bench.json(&["verify", "--local"]);
    assert_eq!(document["functions"][0]["verified"]["status"], 404, "{document:#}");
}

#[test]
fn several_functions_are_asked_and_a_missing_check_is_said() {
    let bench = Bench::new(TWO);
    let told = said(&bench.run(&["verify", "--local", "--version", "1"]));
    assert!(told.starts_with("exit Some(2)") && told.contains("the manifest has several functions"), "{told}");
    let package = |name: &str| format!("--package={name}={}", function_zip().display());
    bench.good(&["deploy", "--local", "--yes", &package("zebra"), &package("ant")]);
    let output = bench.run(&["verify", "--local"]);
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    for name in ["zebra", "ant"] {
        assert!(told.contains(&format!("Verified the URL of {name}")), "{told}");
        assert!(told.contains(&format!("`{name}` has no `check` in the manifest")), "{told}");
    }
    // One that fails does not hide the other.
    bench.write("deploy.toml", &format!("{TWO}check = {{ path = \"/nowhere\" }}\n"));
    let (document, code) = bench.json(&["verify", "--local"]);
    let functions = &document["functions"];
    assert_eq!(
        (code, functions[0]["state"].as_str(), functions[1]["state"].as_str()),
        (1, Some("deployed"), Some("failed"))
    );
    assert!(functions[0]["verified"].is_object() && functions[1]["verified"].is_null(), "{document:#}");
}

#[test]
fn a_check_that_cannot_be_asked_here_is_no_success() {
    let checks = "check = [{ path = \"/nowhere\", expect_status = 404 }, \
                  { path = \"/more\", headers = { x-key = { env = \"NOT_THERE\" } } }]";
    let bench = Bench::new(&manifest("check = { path = \"/nowhere\", expect_status = 404 }"));
    deploy(&bench, &[]);
    bench.write("deploy.toml", &manifest(checks));
    let told = said(&bench.run(&["verify", "--local"]));
    assert!(told.starts_with("exit Some(1)") && told.contains("the check of `/more` is left out"), "{told}");
    assert!(told.contains("cannot verify all of `chat`: a value of a check is missing here"), "{told}");
}
