//! A release is live, and the run that made it so could not see whether its URL passes: what is said, what is
//! remembered, and what the next run makes of it.

use crate::strangers::aws;
use crate::support::bench::{Bench, moody_zip, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use crate::support::proxy::Proxy;
use crate::support::python::python;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

const MOVE: &str = "PUT /2015-03-31/functions/shop-chat/aliases/live";

fn manifest(environment: &str, check: &str) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 2\nurl = {{ auth = \"none\" }}\n\
         environment = {{ {environment} }}\ncheck = {{ {check} }}\n"
    )
}

fn package() -> String {
    format!("--package={}", moody_zip().display())
}

/// A first release that is well, and a manifest with a second one that fails behind its URL.
fn before_a_bad_release() -> Bench {
    let bench = Bench::new(&manifest("RELEASE = \"one\"", "streams = true"));
    bench.good(&["deploy", "--local", "--yes", &package()]);
    bad(&bench);
    bench
}

fn bad(bench: &Bench) {
    let environment = "RELEASE = \"two\", FOR = \"url\", MOOD = \"broken\"";
    bench.write("deploy.toml", &manifest(environment, "streams = true"));
}

fn start(bench: &Bench, proxy: &Proxy) -> Child {
    let mut command = bench.through(proxy, &["deploy", "--yes", &package()]);
    command.env("LAMSTREAM_ATTEMPT_TIMEOUT", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("lamstream runs")
}

/// A deploy whose move of `live` meets this.
fn disturbed(bench: &Bench, fault: Fault, lasting: Lasting) -> Output {
    disturbed_at(bench, 1, fault, lasting)
}

/// A deploy whose move of `live` meets this; the second is the one back.
fn disturbed_at(bench: &Bench, occurrence: usize, fault: Fault, lasting: Lasting) -> Output {
    let proxy = bench.proxy();
    proxy.set(Trap { call: MOVE.to_owned(), occurrence, fault, lasting });
    let run = start(bench, &proxy);
    proxy.aim(run.id());
    let output = run.wait_with_output().expect("it ends");
    assert!(proxy.sprung(), "{}", said(&output));
    output
}

fn deploy(bench: &Bench, more: &[&str]) -> Output {
    bench.run(&[&["deploy", "--local", "--yes", &package()], more].concat())
}

fn errors(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn serves(bench: &Bench, release: &str) {
    let url = bench.good(&["url", "--local"]);
    let output = Command::new("curl").args(["-s", "-N", url.trim()]).output().expect("curl runs");
    let answer = String::from_utf8(output.stdout).expect("text");
    assert!(answer.starts_with(&format!("release {release}\n")), "{answer}");
}

/// `version` and `verification` as `status` has them.
fn status(bench: &Bench) -> (Value, Value) {
    let (document, code) = bench.json(&["status", "--local"]);
    assert_eq!(code, 0, "{document:#}");
    let release = &document["functions"][0]["release"];
    (release["version"].clone(), release["verification"].clone())
}

/// `version verification` as `releases` has them, the newest first.
fn verdicts(bench: &Bench) -> Vec<String> {
    let (document, _) = bench.json(&["releases", "--local"]);
    let releases = document["functions"][0]["releases"].as_array().cloned().expect("releases");
    let verdict = |release: &Value| format!("{} {}", release["version"], release["verification"]).replace('"', "");
    releases.iter().map(verdict).collect()
}

/// The next deploy asks, and moves back to what served before.
fn the_next_deploy_moves_back(bench: &Bench) {
    let text = bench.status(&["--local"]);
    assert!(text.contains("unverified: the URL of version 2 has not passed its checks yet"), "{text}");
    assert_eq!(status(bench), (json!("2"), json!("unverified")));
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &package()]);
    let message = document["error"]["message"].as_str().expect("a message");
    assert!(code == 1 && message.contains("returned status 500"), "{document:#}");
    assert!(message.contains("`live` was moved back to version 1"), "{document:#}");
    assert_eq!(status(bench), (json!("1"), json!("verified")));
    serves(bench, "one");
    assert_eq!(verdicts(bench), ["2 failed", "1 verified"]);
    // The run says which code is live again, although it never observed that release.
    let (releases, _) = bench.json(&["releases", "--local"]);
    let live = &releases["functions"][0]["releases"][1];
    assert!(live["code_sha256"].is_string(), "{releases:#}");
    assert_eq!(document["functions"][0]["release"]["code_sha256"], live["code_sha256"], "{document:#}");
}

#[test]
fn replies_that_are_lost_leave_no_bad_release_unasked() {
    let bench = before_a_bad_release();
    let errors = errors(&disturbed(&bench, Fault::DropReply, Lasting::Ever), 1);
    assert!(errors.contains("returned status 500"), "{errors}");
    assert!(errors.contains("`live` was moved back to version 1"), "{errors}");
    serves(&bench, "one");
    assert_eq!(status(&bench).0, "1");
}

#[test]
fn credentials_that_expire_after_the_move_do_not_hide_where_live_is() {
    for answer in [Answer::Expired, Answer::Broken] {
        let bench = before_a_bad_release();
        let errors = errors(&disturbed(&bench, Fault::Answer(answer), Lasting::AllAfter), 1);
        assert!(errors.contains("returned status 500"), "{errors}");
        assert!(errors.contains("`live` may be on version 2") || errors.contains("version 2 is live"), "{errors}");
        assert!(errors.contains("could not be moved back"), "{errors}");
        serves(&bench, "two");
        the_next_deploy_moves_back(&bench);
    }
}

/// Of two moves whose replies are lost, either may have taken effect. What is not known is said as such.
#[test]
fn a_lost_reply_to_a_move_is_not_taken_for_a_move_that_failed() {
    let is_unknown = |output: &Output, code: i32| {
        let errors = errors(output, code);
        assert!(errors.contains("returned status 500"), "{errors}");
        let said = "`live` may be on version 2: it could not be moved back, or the reply was lost";
        assert!(errors.contains(said) && !errors.contains("is live"), "{errors}");
    };
    for then in [Lasting::OnceThen("", Answer::Expired), Lasting::OnceThen("GET ", Answer::Expired)] {
        let bench = before_a_bad_release();
        is_unknown(&disturbed(&bench, Fault::DropReply, then), 2);
        serves(&bench, "two");
        the_next_deploy_moves_back(&bench);
    }
    let bench = before_a_bad_release();
    is_unknown(&disturbed_at(&bench, 2, Fault::DropReply, Lasting::OnceThen("", Answer::Expired)), 1);
    serves(&bench, "one");
}

/// Its JSON names no release as live.
#[test]
fn a_rollback_whose_reply_is_lost_says_that_it_does_not_know() {
    let bench = Bench::new(&manifest("RELEASE = \"one\", FOR = \"url\", MOOD = \"broken\"", "streams = true"));
    bench.good(&["deploy", "--local", "--yes", "--no-verify", &package()]);
    bench.write("deploy.toml", &manifest("RELEASE = \"two\"", "streams = true"));
    bench.good(&["deploy", "--local", "--yes", &package()]);
    let proxy = bench.proxy();
    let lasting = Lasting::OnceThen("", Answer::Expired);
    proxy.set(Trap { call: MOVE.to_owned(), occurrence: 1, fault: Fault::DropReply, lasting });
    let mut command = bench.through(&proxy, &["rollback", "--yes", "--output", "json"]);
    let output = command.env("LAMSTREAM_ATTEMPT_TIMEOUT", "1").output().expect("lamstream runs");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let message = document["error"]["message"].as_str().expect("a message");
    assert!(message.contains("`live` may be on version 1: it could not be moved back, or"), "{document:#}");
    assert_eq!(document["functions"][0]["release"], Value::Null, "{document:#}");
    assert_eq!(document["functions"][0]["verification"], Value::Null, "{document:#}");
    serves(&bench, "one");
}

#[test]
fn a_run_that_is_killed_after_the_move_leaves_an_unverified_release() {
    let bench = before_a_bad_release();
    disturbed(&bench, Fault::KillAfter, Lasting::Once);
    the_next_deploy_moves_back(&bench);
}

/// The way back leads past the release that was not seen to pass.
#[test]
fn another_bad_release_after_a_killed_run_goes_back_to_the_good_one() {
    let bench = before_a_bad_release();
    disturbed(&bench, Fault::KillAfter, Lasting::Once);
    let environment = "RELEASE = \"three\", FOR = \"url\", MOOD = \"broken\"";
    bench.write("deploy.toml", &manifest(environment, "streams = true"));
    let errors = errors(&deploy(&bench, &[]), 1);
    assert!(errors.contains("`live` was moved back to version 1"), "{errors}");
    serves(&bench, "one");
    assert_eq!(verdicts(&bench), ["3 failed", "2 failed", "1 verified"]);
}

/// Whether the killed run's release is one to come back to is found out before another takes its place.
#[test]
fn a_bad_release_after_a_killed_run_goes_back_to_that_ones_release_where_it_is_good() {
    let bench = before_a_bad_release();
    bench.write("deploy.toml", &manifest("RELEASE = \"two\"", "streams = true"));
    disturbed(&bench, Fault::KillAfter, Lasting::Once);
    let environment = "RELEASE = \"three\", FOR = \"url\", MOOD = \"broken\"";
    bench.write("deploy.toml", &manifest(environment, "streams = true"));
    let errors = errors(&deploy(&bench, &[]), 1);
    assert!(errors.contains("`live` was moved back to version 2"), "{errors}");
    serves(&bench, "two");
    assert_eq!(status(&bench), (json!("2"), json!("verified")));
}

/// What a killed run left is asked even by a run that gives it no successor.
#[test]
fn a_version_that_fails_its_trial_after_a_killed_run_leaves_no_bad_release_live() {
    let bench = before_a_bad_release();
    disturbed(&bench, Fault::KillAfter, Lasting::Once);
    bench.write("deploy.toml", &manifest("RELEASE = \"three\", MOOD = \"broken\"", "streams = true"));
    let errors = errors(&deploy(&bench, &[]), 1);
    assert!(errors.contains("cannot verify version 3") && errors.contains("moved back to version 1"), "{errors}");
    serves(&bench, "one");
}

#[test]
fn a_rollback_without_checks_is_not_undone() {
    let bench = Bench::new("");
    for release in ["one", "two", "three"] {
        bench.write("deploy.toml", &manifest(&format!("RELEASE = \"{release}\""), "streams = true"));
        assert!(deploy(&bench, &[]).status.success());
    }
    bench.good(&["rollback", "--local", "--yes", "--to", "1", "--no-verify"]);
    bad(&bench);
    assert!(errors(&deploy(&bench, &[]), 1).contains("`live` was moved back to version 1"));
    serves(&bench, "one");
}

/// An alias that an older lamstream wrote, or that was moved by hand, is no reason to suspect what is live.
#[test]
fn nothing_is_suspected_of_an_alias_that_lamstream_did_not_write() {
    let Some(bin) = python() else { return };
    for (version, description) in
        [("2", "lamstream previous=1"), ("2", "by hand"), ("1", "lamstream previous=1 verified=2:0a1b2c3d4e5f")]
    {
        let bench = Bench::new("");
        for release in ["one", "two"] {
            bench.write("deploy.toml", &manifest(&format!("RELEASE = \"{release}\""), "streams = true"));
            assert!(deploy(&bench, &[]).status.success());
        }
        let point = ["lambda", "update-alias", "--function-name", "shop-chat", "--name", "live"];
        aws(&bin, &bench, &[&point[..], &["--function-version", version, "--description", description]].concat());
        let served = if version == "1" { "one" } else { "two" };
        for release in ["three", "four"] {
            let environment = format!("RELEASE = \"{release}\", FOR = \"url\", MOOD = \"broken\"");
            bench.write("deploy.toml", &manifest(&environment, "streams = true"));
            let errors = errors(&deploy(&bench, &[]), 1);
            assert!(errors.contains(&format!("`live` was moved back to version {version}")), "{description}: {errors}");
            serves(&bench, served);
        }
    }
}

#[test]
fn a_good_release_of_a_killed_run_is_asked_and_stays() {
    let bench = before_a_bad_release();
    bench.write("deploy.toml", &manifest("RELEASE = \"two\"", "streams = true"));
    disturbed(&bench, Fault::KillAfter, Lasting::Once);
    assert_eq!(status(&bench), (json!("2"), json!("unverified")));
    let again = deploy(&bench, &[]);
    assert!(again.status.success() && said(&again).contains("Verified the URL"), "{}", said(&again));
    assert_eq!(status(&bench), (json!("2"), json!("verified")));
    let third = deploy(&bench, &[]);
    assert!(third.status.success() && !said(&third).contains("Verified"), "{}", said(&third));
}

#[test]
fn a_rollback_that_was_killed_is_asked_by_the_next_one() {
    let bench = before_a_bad_release();
    assert!(deploy(&bench, &["--no-verify"]).status.success());
    bench.write("deploy.toml", &manifest("RELEASE = \"three\"", "streams = true"));
    assert!(deploy(&bench, &[]).status.success());
    let proxy = bench.proxy();
    proxy.set(Trap { call: MOVE.to_owned(), occurrence: 1, fault: Fault::KillAfter, lasting: Lasting::Once });
    let mut command = bench.through(&proxy, &["rollback", "--to", "2", "--yes"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lamstream runs");
    proxy.aim(run.id());
    run.wait_with_output().expect("it ends");
    assert_eq!(status(&bench), (json!("2"), json!("unverified")));
    let again = bench.run(&["rollback", "--local", "--to", "2", "--yes"]);
    assert!(errors(&again, 1).contains("`live` was moved back to version 3"), "{}", said(&again));
    serves(&bench, "three");
}

/// Signals `run` once `live` is about to move.
fn signalled(bench: &Bench, signals: &[Signal], goes_on: bool) -> Output {
    let proxy = bench.proxy();
    proxy.hold(MOVE);
    let run = start(bench, &proxy);
    proxy.wait_for(MOVE);
    let pid = Pid::from_raw(run.id() as i32).expect("a process id");
    for signal in signals {
        kill_process(pid, *signal).expect("it is signalled");
    }
    if goes_on {
        proxy.let_go();
    }
    let output = run.wait_with_output().expect("it ends");
    proxy.let_go();
    output
}

#[test]
fn a_signal_while_live_moves_does_not_keep_the_url_from_being_asked() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let bench = before_a_bad_release();
        let errors = errors(&signalled(&bench, &[signal], true), code);
        assert!(errors.contains("`live` was moved back to version 1"), "{errors}");
        serves(&bench, "one");
    }
}

#[test]
fn a_second_signal_says_what_is_not_known() {
    let bench = before_a_bad_release();
    let proxy = bench.proxy();
    proxy.hold(MOVE);
    let mut run = start(&bench, &proxy);
    proxy.wait_for(MOVE);
    let pid = Pid::from_raw(run.id() as i32).expect("a process id");
    let mut said = String::new();
    let mut stderr = BufReader::new(run.stderr.take().expect("a pipe"));
    kill_process(pid, Signal::INT).expect("it is signalled");
    read_until(&mut stderr, &mut said, "again to stop now");
    kill_process(pid, Signal::INT).expect("it is signalled");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(run.wait().expect("it ends").code(), Some(130), "{said}");
    assert!(said.contains("`live` may be on version 2"), "{said}");
    proxy.let_go();
}

/// Reads lines until they say `text`.
fn read_until(stderr: &mut impl BufRead, said: &mut String, text: &str) {
    while !said.contains(text) {
        assert_ne!(stderr.read_line(said).expect("text"), 0, "no {text:?} in {said}");
    }
}

#[test]
fn a_signal_while_the_url_is_asked_says_so_and_waits_for_it() {
    let bench = before_a_bad_release();
    bench.write("deploy.toml", &manifest("RELEASE = \"two\", FOR = \"url\", MOOD = \"hang\"", "streams = true"));
    let mut run = start(&bench, &bench.proxy());
    let (mut said, mut stderr) = (String::new(), BufReader::new(run.stderr.take().expect("a pipe")));
    read_until(&mut stderr, &mut said, "Updated release");
    kill_process(Pid::from_raw(run.id() as i32).expect("a process id"), Signal::TERM).expect("it is signalled");
    read_until(
        &mut stderr,
        &mut said,
        "finishing what is in progress: verify the URL of `chat`; send the signal again",
    );
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(run.wait().expect("it ends").code(), Some(143), "{said}");
    assert!(said.contains("`live` was moved back to version 1"), "{said}");
    serves(&bench, "one");
}

/// While Lambda moves warm instances, the version before answers, and its weight is no shift.
#[test]
fn a_killed_run_of_a_function_that_is_kept_warm_is_asked_when_its_traffic_has_arrived() {
    let bench = Bench::new("");
    bench.good(&["local", "start", "--update", "2s"]);
    let warm = |environment: &str| {
        let text = manifest(environment, "streams = true");
        bench.write("deploy.toml", &text.replace("timeout = 2", "timeout = 2\nprovisioned_concurrency = 1"));
    };
    warm("RELEASE = \"one\"");
    assert!(deploy(&bench, &[]).status.success());
    warm("RELEASE = \"two\", FOR = \"url\", MOOD = \"broken\"");
    disturbed(&bench, Fault::KillAfter, Lasting::Once);
    let text = bench.status(&["--local"]);
    assert!(text.contains("unverified") && !text.contains("shift"), "{text}");
    let errors = errors(&deploy(&bench, &[]), 1);
    assert!(errors.contains("`live` was moved back to version 1"), "{errors}");
    assert_eq!(status(&bench), (json!("1"), json!("verified")));
    serves(&bench, "one");
}

#[test]
fn a_check_that_changed_is_asked_by_the_next_deploy() {
    let good = "RELEASE = \"one\"";
    let bench = Bench::new(&manifest(good, "streams = true"));
    assert!(deploy(&bench, &[]).status.success());
    bench.write("deploy.toml", &manifest(good, "expect_status = 404"));
    for _ in 0..2 {
        let errors = errors(&deploy(&bench, &[]), 1);
        assert!(errors.contains("has status 200, expected 404") && errors.contains("version 1 is live"), "{errors}");
    }
    bench.write("deploy.toml", &manifest(good, "streams = true, headers = { x-new = \"1\" }"));
    let asked = deploy(&bench, &[]);
    assert!(asked.status.success() && said(&asked).contains("Verified the URL"), "{}", said(&asked));
    let proxy = bench.proxy();
    let same = bench.through(&proxy, &["deploy", "--yes", &package()]).output().expect("it runs");
    assert!(same.status.success() && !said(&same).contains("Verified"), "{}", said(&same));
    assert_eq!(Proxy::writes(&proxy.take_calls()), ["GetCallerIdentity"; 0]);
}

/// A user accepted it as it is, so lamstream does not move it.
#[test]
fn a_release_without_checks_is_checked_by_the_next_deploy_and_stays() {
    let bench = before_a_bad_release();
    assert!(deploy(&bench, &["--no-verify"]).status.success());
    assert_eq!(status(&bench), (json!("2"), json!("unverified")));
    let errors = errors(&deploy(&bench, &[]), 1);
    assert!(errors.contains("version 2 is live") && !errors.contains("moved back"), "{errors}");
    serves(&bench, "two");
    assert_eq!(verdicts(&bench), ["2 failed", "1 verified"]);
    assert_eq!(status(&bench), (json!("2"), json!("failed")));
    assert!(deploy(&bench, &["--no-verify"]).status.success());
}

#[test]
fn versions_that_fail_push_out_no_good_ones() {
    let bench = Bench::new("");
    let release = |name: &str, mood: &str| {
        let environment = format!("RELEASE = \"{name}\", MOOD = \"{mood}\"");
        let text = manifest(&environment, "streams = true").replace("timeout = 2", "timeout = 2\nkeep_releases = 3");
        bench.write("deploy.toml", &text);
        deploy(&bench, &[])
    };
    for name in ["one", "two"] {
        let output = release(name, "good");
        assert!(output.status.success(), "{}", said(&output));
    }
    for name in ["three", "four", "five", "six"] {
        errors(&release(name, "broken"), 1);
    }
    assert_eq!(verdicts(&bench), ["6 failed", "5 failed", "4 failed", "3 failed", "2 verified", "1 verified"]);
    let output = release("seven", "good");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(verdicts(&bench), ["7 verified", "2 verified", "1 verified"]);
    bench.good(&["rollback", "--local", "--yes", "--to", "1"]);
    serves(&bench, "one");
}

/// What a rollback saw is said; what passed once is kept.
#[test]
fn a_verified_release_that_fails_in_a_rollback_has_failed() {
    let bench = Bench::new("");
    for name in ["one", "two"] {
        let check = format!("streams = true, contains = \"{name}\"");
        bench.write("deploy.toml", &manifest(&format!("RELEASE = \"{name}\""), &check));
        bench.good(&["deploy", "--local", "--yes", &package()]);
    }
    assert_eq!(verdicts(&bench), ["2 verified", "1 verified"]);
    errors(&bench.run(&["rollback", "--local", "--yes", "--to", "1"]), 1);
    assert_eq!(verdicts(&bench), ["2 verified", "1 failed"]);
    // With its own check, it passes again.
    bench.write("deploy.toml", &manifest("RELEASE = \"one\"", "streams = true"));
    bench.good(&["rollback", "--local", "--yes", "--to", "1"]);
    assert_eq!(verdicts(&bench), ["2 verified", "1 verified"]);
}

#[test]
fn ways_back_need_no_value_of_the_environment() {
    let bench = Bench::new("");
    let text = |release: &str| {
        manifest(
            &format!("RELEASE = \"{release}\", KEY = {{ env = \"OUTER\" }}, FAR = {{ ssm = \"/none\" }}"),
            "streams = true",
        )
        .replace(", FAR = { ssm = \"/none\" }", if release == "status" { ", FAR = { ssm = \"/none\" }" } else { "" })
    };
    for release in ["one", "two"] {
        bench.write("deploy.toml", &text(release));
        let mut command = bench.command(&["deploy", "--local", "--yes", &package()]);
        let output = command.env("OUTER", "a value").output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
    }
    bench.good(&["rollback", "--local", "--yes"]);
    serves(&bench, "one");
    bench.write("deploy.toml", &text("two"));
    let mut command = bench.command(&["deploy", "--local", "--yes", "--shift", "50", &package()]);
    assert!(command.env("OUTER", "a value").output().expect("it runs").status.success());
    bench.good(&["promote", "--local"]);
    bench.good(&["abort", "--local"]);
    bench.good(&["releases", "--local"]);
    bench.good(&["logs", "--local", "chat"]);
    bench.write("deploy.toml", &text("status"));
    let text = bench.status(&["--local"]);
    let said = "environment.KEY not compared: `KEY` comes from the environment variable `OUTER`, which is not set";
    assert!(text.contains(said), "{text}");
    assert!(text.contains("environment.FAR not compared") && text.contains("environment.FAR changed"), "{text}");
    assert!(!text.contains("environment.KEY changed") && text.contains("environment.RELEASE changed"), "{text}");
    let (document, _) = bench.json(&["status", "--local"]);
    assert_eq!(document["functions"][0]["not_compared"][0]["field"], "environment.KEY", "{document:#}");
}

#[test]
fn a_check_whose_header_has_no_value_is_left_out_of_a_rollback_and_named() {
    let bench = Bench::new("");
    let check = "streams = true, headers = { authorization = { env = \"OUTER\" } }";
    for release in ["one", "two"] {
        bench.write("deploy.toml", &manifest(&format!("RELEASE = \"{release}\""), check));
        let mut command = bench.command(&["deploy", "--local", "--yes", &package()]);
        let output = command.env("OUTER", "a value").output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
    }
    let back = bench.run(&["rollback", "--local", "--yes"]);
    let errors = errors(&back, 0);
    assert!(errors.contains("the check of `/` is left out: `authorization` comes from"), "{errors}");
    serves(&bench, "one");
    // It was seen to pass these checks when it was live before.
    assert_eq!(status(&bench), (json!("1"), json!("verified")));
}

#[test]
fn a_second_rollback_says_that_it_goes_forward() {
    let bench = Bench::new("");
    for release in ["one", "two"] {
        bench.write("deploy.toml", &manifest(&format!("RELEASE = \"{release}\""), "streams = true"));
        assert!(deploy(&bench, &[]).status.success());
    }
    let back = errors(&bench.run(&["rollback", "--local", "--yes"]), 0);
    assert!(!back.contains("rolls it forward"), "{back}");
    let forward = errors(&bench.run(&["rollback", "--local", "--yes"]), 0);
    let said = forward.find("this rolls it forward to version 2").expect("it says so");
    assert!(said < forward.find("Verified").expect("it is verified"), "{forward}");
}
