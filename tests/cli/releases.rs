//! Versions that are tried before they have traffic, and the ways back.

use crate::strangers::aws;
use crate::support::bench::{Bench, moody_zip, said};
use crate::support::python::python;
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};

/// A function whose environment is to be filled in, and what its check is to be.
fn manifest(environment: &str, check: &str) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 2\nurl = {{ auth = \"none\" }}\n\
         environment = {{ {environment} }}\ncheck = {{ streams = true, {check} }}\n"
    )
}

/// `release` that is in this mood.
fn write(bench: &Bench, release: &str, mood: &str, more: &str) {
    bench.write("deploy.toml", &manifest(&format!("RELEASE = \"{release}\", MOOD = \"{mood}\""), more));
}

fn deploy(bench: &Bench, more: &[&str]) -> Output {
    let package = format!("--package={}", moody_zip().display());
    bench.run(&[&["deploy", "--local", "--yes", &package], more].concat())
}

/// A bench with a first release that is well.
fn deployed() -> Bench {
    let bench = Bench::new("");
    write(&bench, "one", "good", "");
    let output = deploy(&bench, &[]);
    assert!(output.status.success(), "{}", said(&output));
    bench
}

/// Deploys a release of its own, which is well.
fn another(bench: &Bench, release: &str, more: &[&str]) {
    write(bench, release, "good", "");
    let output = deploy(bench, more);
    assert!(output.status.success(), "{}", said(&output));
}

/// What the URL answers.
fn answer(bench: &Bench) -> String {
    let url = bench.good(&["url", "--local"]);
    let output = Command::new("curl").args(["-s", "-N", url.trim()]).output().expect("curl runs");
    String::from_utf8(output.stdout).expect("text")
}

fn serves(bench: &Bench, release: &str) {
    assert_eq!(answer(bench), format!("release {release}\nthe end\n"));
}

fn errors(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    assert!(output.stdout.is_empty(), "{}", said(output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_version_that_fails_its_check_gets_no_traffic() {
    let bench = deployed();
    for (mood, check, words, hint) in [
        ("lost", "", "has status 404, expected 200 to 399", "if this response is correct"),
        ("broken", "", "returned status 500: `release two`", "`lamstream logs --local chat`"),
        ("json", "", "raw `{\"statusCode\": …}`", "make it stream"),
        ("at once", "", "did not stream: 1 chunk", "at least two chunks"),
        ("error text", "whole = true", "contains a runtime error: `Boom`", "must end without an error"),
        ("cut", "whole = true", "was cut off after 2 chunks", "a panic"),
        ("late", "first_byte_within = \"300ms\"", "the first byte took 7", "`lamstream invoke --local chat -v`"),
        ("hang", "", "it does not answer in time: `Sandbox.Timedout", "check what it waits for"),
        ("crash", "", "fails before it answers: `Runtime.ExitError", "too little memory"),
        ("no start", "", "it fails to start: `Runtime.ExitError", "every variable"),
        ("glibc", "", "a newer glibc than the runtime has", "glibc 2.34"),
    ] {
        write(&bench, "two", mood, check);
        let errors = errors(&deploy(&bench, &[]));
        assert!(errors.contains(words), "{mood}: {errors}");
        let hinted = errors.lines().any(|line| line.starts_with("hint: ") && line.contains(hint));
        assert!(hinted, "{mood}: {errors}");
        assert!(errors.contains("`live` stays on version 1"), "{mood}: {errors}");
        assert!(errors.contains("done: nothing   left: release"), "{mood}: {errors}");
        serves(&bench, "one");
    }
    write(&bench, "two", "no start", "");
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &format!("--package={}", moody_zip().display())]);
    assert_eq!((code, &document["error"]["kind"]), (1, &json!("verify")));
    let log = document["error"]["log"].to_string();
    assert!(log.contains("\"KEY is not set, so I cannot start\""), "{log}");
    assert_eq!(document["error"]["caused_by"], json!([]));
    assert_eq!(document["functions"][0]["release"]["version"], "1");
}

#[test]
fn a_first_version_that_fails_its_check_does_not_become_live() {
    let bench = Bench::new("");
    write(&bench, "one", "broken", "");
    let said = errors(&deploy(&bench, &[]));
    assert!(said.contains("nothing is live yet") && said.contains("left: release, permission, URL"), "{said}");
    let status = bench.status(&["--local"]);
    assert!(status.starts_with("chat: created, but nothing is live\n"), "{status}");
    assert!(status.contains("no version has passed its checks yet"), "{status}");
    let releases = bench.run(&["releases", "--local"]);
    let note = "nothing is live: no version of `chat` has passed its checks yet";
    assert!(String::from_utf8_lossy(&releases.stderr).contains(note), "{}", crate::support::bench::said(&releases));
    let verdicts = || {
        let (document, _) = bench.json(&["releases", "--local"]);
        let releases = document["functions"][0]["releases"].as_array().expect("its releases").clone();
        releases.iter().map(|release| format!("{} {}", release["version"], release["verification"])).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(), ["\"1\" \"failed\""]);
    write(&bench, "one and a half", "broken", "");
    errors(&deploy(&bench, &[]));
    assert_eq!(verdicts(), ["\"2\" \"failed\"", "\"1\" \"failed\""]);
    assert_eq!(bench.good(&["status", "--local"]).matches("tags").count(), 0, "the mark is not compared");
    another(&bench, "two", &[]);
    serves(&bench, "two");
    // What failed before the first release was live does not count as a release, and the next deploy deletes it.
    another(&bench, "three", &[]);
    assert_eq!(verdicts(), ["\"4\" \"verified\"", "\"3\" \"verified\""]);
}

#[test]
fn a_url_that_fails_moves_live_back() {
    let bench = deployed();
    for (mood, check, words) in [
        ("broken", "", "returned status 500"),
        ("json", "", "raw `{\"statusCode\": …}`"),
        ("error text", "whole = true", "contains a runtime error"),
        ("cut", "whole = true", "was cut off"),
    ] {
        bench.write("deploy.toml", &manifest(&format!("RELEASE = \"two\", FOR = \"url\", MOOD = \"{mood}\""), check));
        let errors = errors(&deploy(&bench, &[]));
        assert!(errors.contains(words), "{mood}: {errors}");
        assert!(errors.contains("`live` was moved back to version 1"), "{mood}: {errors}");
        assert!(errors.contains("done: nothing   left: release"), "{mood}: {errors}");
        serves(&bench, "one");
        // What it remembers is as it was, too.
        let (document, _) = bench.json(&["status", "--local"]);
        assert_eq!(document["functions"][0]["release"]["previous"], Value::Null, "{mood}");
    }
}

#[test]
fn a_response_that_was_buffered_in_transit_is_reported_and_nothing_moves() {
    let bench = deployed();
    bench.write("deploy.toml", &manifest("RELEASE = \"two\", FOR = \"url\", MOOD = \"at once\"", ""));
    let errors = errors(&deploy(&bench, &[]));
    assert!(errors.contains("was buffered in transit") && errors.contains("version 2 is live"), "{errors}");
    assert_eq!(answer(&bench), "release two\nthe end\n");
}

#[test]
fn a_first_url_that_fails_has_no_back() {
    let bench = Bench::new(&manifest("RELEASE = \"one\", FOR = \"url\", MOOD = \"broken\"", ""));
    let errors = errors(&deploy(&bench, &[]));
    assert!(errors.contains("no previous release is available"), "{errors}");
    assert_eq!(answer(&bench), "release one\n");
}

#[test]
fn a_permission_that_another_tool_removes_is_named() {
    let Some(bin) = python() else { return };
    let bench = deployed();
    write(&bench, "two", "good", "");
    let proxy = bench.proxy();
    let held = "PUT /2015-03-31/functions/shop-chat/aliases/live";
    proxy.hold(held);
    let package = format!("--package={}", moody_zip().display());
    let mut command = bench.through(&proxy, &["deploy", "--yes", &package]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lamstream runs");
    proxy.wait_for(held);
    let remove = ["lambda", "remove-permission", "--function-name", "shop-chat", "--qualifier", "live"];
    aws(&bin, &bench, &[&remove[..], &["--statement-id", "lamstream-invoke-through-url"]].concat());
    proxy.let_go();
    let errors = errors(&run.wait_with_output().expect("it ends"));
    assert!(
        errors.contains("403") && errors.contains("lacks the permissions `lamstream-invoke-through-url`"),
        "{errors}"
    );
    assert!(errors.contains("`live` was moved back to version 1"), "{errors}");
}

#[test]
fn an_account_that_blocks_public_access_is_named_as_the_cause() {
    let bench = Bench::new("");
    bench.good(&["local", "start", "--block-public"]);
    write(&bench, "one", "good", "");
    let first = errors(&deploy(&bench, &[]));
    assert!(first.contains("PublicPolicyException") && first.contains("allow public function policies"), "{first}");
    // One that was public before the account said no.
    bench.good(&["local", "start", "--like-aws", "--role-propagation=0s", "--pending=0s", "--update=0s"]);
    another(&bench, "one", &[]);
    bench.good(&["local", "start", "--block-public"]);
    write(&bench, "two", "good", "");
    let second = errors(&deploy(&bench, &[]));
    assert!(second.contains("although its permissions allow it"), "{second}");
}

#[test]
fn the_version_is_tried_before_live_moves_and_the_url_after() {
    let bench = deployed();
    write(&bench, "two", "good", "");
    let proxy = bench.proxy();
    let package = format!("--package={}", moody_zip().display());
    let output = bench.through(&proxy, &["deploy", "--yes", &package]).output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    let calls = proxy.take_calls();
    let at = |call: &str| calls.iter().position(|made| made.starts_with(call)).unwrap_or_else(|| panic!("no {call}"));
    let publish = at("POST /2015-03-31/functions/shop-chat/versions");
    let tried = at("POST /2021-11-15/functions/shop-chat/response-streaming-invocations");
    assert!(publish < tried && tried < at("PUT /2015-03-31/functions/shop-chat/aliases/live"), "{calls:?}");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("Verified version 2 of chat") && text.contains("Verified the URL of chat"), "{text}");
}

#[test]
fn nothing_is_checked_with_no_verify() {
    let bench = deployed();
    write(&bench, "two", "broken", "");
    let output = deploy(&bench, &["--no-verify"]);
    assert!(output.status.success() && !said(&output).contains("erified"), "{}", said(&output));
    assert_eq!(answer(&bench), "release two\n");
}

#[test]
fn every_check_of_a_list_has_to_pass() {
    let bench = Bench::new("");
    let text = manifest("RELEASE = \"one\"", "").replace("check = { streams = true,  }", "");
    let list = |last: &str| format!("{text}check = [{{ streams = true }}, {{ path = \"/other\"{last} }}]\n");
    bench.write("deploy.toml", &list(", expect_status = 404"));
    let errors = errors(&deploy(&bench, &[]));
    assert!(errors.contains("has status 200, expected 404"), "{errors}");
    bench.write("deploy.toml", &list(""));
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &format!("--package={}", moody_zip().display())]);
    assert_eq!((code, &document["functions"][0]["verified"]["streamed"]), (0, &json!(true)), "{document:#}");
}

#[test]
fn rollback_goes_to_what_was_live_before_and_back_again() {
    let bench = deployed();
    another(&bench, "two", &[]);
    another(&bench, "three", &[]);
    let back = |more: &[&str]| bench.run(&[&["rollback", "--local", "--yes"], more].concat());
    let output = back(&["--to", "1"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("only code and configuration were rolled back"));
    serves(&bench, "one");
    // Not to the next lower number: to what was live before.
    assert!(back(&[]).status.success());
    serves(&bench, "three");
    assert!(back(&[]).status.success());
    serves(&bench, "one");
    let unknown = back(&["--to", "9"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("has no version 9; available versions: 3, 2, 1"),
        "{}",
        said(&unknown)
    );
    assert!(unknown.stdout.is_empty(), "{}", said(&unknown));
    let (document, code) = bench.json(&["rollback", "--local", "--yes", "--to", "9"]);
    let function = &document["functions"][0];
    assert_eq!((code, &function["state"], &function["release"]["version"]), (1, &json!("deployed"), &json!("1")));
    assert_eq!(function["function_arn"], "arn:aws:lambda:us-east-1:000000000000:function:shop-chat");
    assert_eq!(document["error"], function["error"]);
    let same = back(&["--to", "1"]);
    assert!(
        same.status.success() && String::from_utf8_lossy(&same.stderr).contains("nothing to do"),
        "{}",
        said(&same)
    );
    let releases = bench.good(&["releases", "--local"]);
    let shares: Vec<&str> = releases.lines().map(|line| line.rsplit("  ").next().unwrap_or_default().trim()).collect();
    assert!(shares[0] == "previous" && shares[2].starts_with("live since "), "{releases}");
}

#[test]
fn rollback_is_verified_and_asks() {
    let bench = deployed();
    write(&bench, "two", "broken", "");
    assert!(deploy(&bench, &["--no-verify"]).status.success());
    another(&bench, "three", &[]);
    let output = bench.run(&["rollback", "--local", "--yes"]);
    assert!(errors(&output).contains("`live` stays on version 3"), "{}", said(&output));
    serves(&bench, "three");
    let unasked = bench.run(&["rollback"]);
    assert_eq!(unasked.status.code(), Some(2), "{}", said(&unasked));
    let first = Bench::new(&manifest("RELEASE = \"one\"", ""));
    assert!(errors(&first.run(&["rollback", "--local", "--yes"])).contains("it is not deployed"));
    assert!(deploy(&first, &[]).status.success());
    let none = errors(&first.run(&["rollback", "--local", "--yes"]));
    assert!(none.contains("has no previous release to roll back to"), "{none}");
    let commands = ["`lamstream releases --local chat`", "`lamstream rollback --local --yes chat --to VERSION`"];
    assert!(commands.iter().all(|command| none.contains(command)), "{none}");
}

#[test]
fn a_shift_is_shown_and_promoted() {
    let bench = deployed();
    write(&bench, "two", "good", "");
    let shifted = deploy(&bench, &["--shift", "10", "--output", "json"]);
    let document: Value = serde_json::from_slice(&shifted.stdout).unwrap();
    assert_eq!(
        document["functions"][0]["release"]["shift"],
        json!({"version": "2", "percent": 10.0, "steps": null, "step_ms": null})
    );
    let status = bench.status(&["--local"]);
    assert!(status.starts_with("chat: deployed, version 1\n"), "{status}");
    assert!(status.contains("shift: 10% of the traffic goes to version 2"), "{status}");
    assert!(!status.contains('~'), "a shift is no drift: {status}");
    let (document, _) = bench.json(&["status", "--local"]);
    assert_eq!(
        document["functions"][0]["release"]["shift"],
        json!({"version": "2", "percent": 10.0, "steps": null, "step_ms": null})
    );
    let releases = bench.good(&["releases", "--local"]);
    assert!(releases.contains("shift (10%)") && releases.contains("live (90%)"), "{releases}");
    assert!(errors(&bench.run(&["rollback", "--local", "--yes"])).contains("a shift of `chat` is in progress"));
    // The same again is nothing to do.
    let again = deploy(&bench, &["--shift", "10"]);
    let told = said(&again).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("`lamstream promote --local chat`"), "{told}");
    assert!(told.contains("10% of the traffic") && told.contains("`lamstream abort --local chat`"), "{told}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("Unchanged"), "{}", said(&again));
    bench.good(&["promote", "--local"]);
    serves(&bench, "two");
    let status = bench.status(&["--local"]);
    assert!(status.starts_with("chat: deployed, version 2 (previous: 1)\n") && !status.contains("shift"), "{status}");
    let nothing = bench.run(&["promote", "--local"]);
    assert!(nothing.status.success() && said(&nothing).contains("no shift is in progress"), "{}", said(&nothing));
}

#[test]
fn a_shift_is_aborted_or_completed_by_the_next_deploy() {
    let bench = deployed();
    another(&bench, "two", &["--shift", "50"]);
    bench.good(&["abort", "--local"]);
    serves(&bench, "one");
    let status = bench.status(&["--local"]);
    assert!(status.starts_with("chat: deployed, version 1\n") && !status.contains("shift"), "{status}");
    another(&bench, "two", &["--shift", "50"]);
    another(&bench, "two", &[]);
    serves(&bench, "two");
    // A shift to a release that fails is never begun.
    write(&bench, "three", "broken", "");
    assert!(errors(&deploy(&bench, &["--shift", "50"])).contains("`live` stays on version 2"));
    serves(&bench, "two");
}

#[test]
fn old_versions_are_pruned_but_none_in_use() {
    let Some(bin) = python() else { return };
    let bench = deployed();
    let alias = ["lambda", "create-alias", "--function-name", "shop-chat", "--name", "theirs"];
    aws(&bin, &bench, &[&alias[..], &["--function-version", "1"]].concat());
    for release in ["two", "three", "four", "five", "six"] {
        let text =
            manifest(&format!("RELEASE = \"{release}\""), "").replace("timeout = 2", "timeout = 2\nkeep_releases = 2");
        bench.write("deploy.toml", &text);
        let output = deploy(&bench, &[]);
        assert!(output.status.success(), "{}", said(&output));
    }
    let (document, _) = bench.json(&["releases", "--local"]);
    let releases = document["functions"][0]["releases"].as_array().expect("releases");
    let versions: Vec<&str> = releases.iter().filter_map(|release| release["version"].as_str()).collect();
    assert_eq!(versions, ["6", "5", "1"]);
    bench.good(&["rollback", "--local", "--yes", "--to", "1"]);
    serves(&bench, "one");
}

#[test]
fn the_way_back_is_never_pruned() {
    let bench = deployed();
    for release in ["two", "three"] {
        let text =
            manifest(&format!("RELEASE = \"{release}\""), "").replace("timeout = 2", "timeout = 2\nkeep_releases = 1");
        bench.write("deploy.toml", &text);
        let output = deploy(&bench, &[]);
        assert!(output.status.success() && !said(&output).contains("could not delete"), "{}", said(&output));
    }
    let (document, _) = bench.json(&["releases", "--local"]);
    let releases = document["functions"][0]["releases"].as_array().expect("releases");
    let versions: Vec<&str> = releases.iter().filter_map(|release| release["version"].as_str()).collect();
    assert_eq!(versions, ["3", "2"]);
    bench.good(&["rollback", "--local", "--yes"]);
    serves(&bench, "two");
}

#[test]
fn a_release_says_which_commit_it_comes_from() {
    let bench = Bench::new("");
    let git = |arguments: &[&str]| {
        let fixed = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];
        let mut command = Command::new("git");
        let output =
            command.args(fixed).args(arguments).current_dir(bench.directory.path()).output().expect("git runs");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    bench.write(".gitignore", "cloud\nhome\n");
    write(&bench, "one", "good", "");
    let text = std::fs::read_to_string(bench.path("deploy.toml")).expect("it was just written");
    bench.write("deploy.toml", &text.replace("timeout", "description = \"Answers chats.\"\ntimeout"));
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    assert!(deploy(&bench, &[]).status.success());
    // The first version is published with the function, whose description it has, and says so nevertheless.
    let (document, _) = bench.json(&["status", "--local"]);
    assert_eq!(document["functions"][0]["live"]["origin"], format!("commit {commit}"));
    assert_eq!(bench.good(&["plan", "--local", &format!("--package={}", moody_zip().display())]).trim(), "no changes");
    another(&bench, "two", &[]);
    let (document, _) = bench.json(&["releases", "--local"]);
    let releases = &document["functions"][0]["releases"];
    assert_eq!(releases[1]["origin"], format!("commit {commit}"));
    assert_eq!(releases[0]["origin"], format!("commit {commit} dirty"));
    assert!(releases[0]["published_at"].as_str().is_some_and(|at| at.contains('T')));
}

#[test]
fn what_the_first_version_adds_leaves_room_for_every_tag_of_the_manifest() {
    let bench = Bench::new("");
    for (release, count) in [("one", 45), ("two", 47)] {
        write(&bench, release, "good", "");
        let text = std::fs::read_to_string(bench.path("deploy.toml")).expect("it was just written");
        let tags: Vec<String> = (0..count).map(|number| format!("t{number} = \"\"")).collect();
        bench.write("deploy.toml", &text.replace("timeout", &format!("tags = {{ {} }}\ntimeout", tags.join(", "))));
        let output = deploy(&bench, &[]);
        assert!(output.status.success(), "{count} tags: {}", said(&output));
    }
    assert_eq!(bench.good(&["plan", "--local", &format!("--package={}", moody_zip().display())]).trim(), "no changes");
}
