//! Shifts that end themselves: held step by step, judged meanwhile, and ended by what is seen, by you or by others.

use crate::support::bench::{Bench, moody_zip, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// A step with one look, at its end.
const BRIEF: [&str; 4] = ["--shift", "10,50", "--for", "300ms"];

/// A release with this environment, and these keys of its function.
fn write(bench: &Bench, release: &str, environment: &str, keys: &str) {
    let text = format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 5\nurl = {{ auth = \"none\" }}\ncheck = {{}}\n{keys}\n\
         environment = {{ RELEASE = \"{release}\", {environment} }}\n"
    );
    bench.write("deploy.toml", &text);
}

fn command(bench: &Bench, more: &[&str]) -> Command {
    let package = format!("--package={}", moody_zip().display());
    bench.command(&[&["deploy", "--local", "--yes", &package], more].concat())
}

fn deploy(bench: &Bench, more: &[&str]) -> Output {
    command(bench, more).output().expect("lamstream runs")
}

/// A bench with a first release, and a manifest with a second one.
fn deployed(environment: &str, keys: &str) -> Bench {
    let bench = Bench::new("crate = 'unused'");
    write(&bench, "one", "", "");
    let output = deploy(&bench, &[]);
    assert!(output.status.success(), "{}", said(&output));
    write(&bench, "two", environment, keys);
    bench
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("a document: {}", said(output)))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn answer(bench: &Bench) -> String {
    let url = bench.good(&["url", "--local"]);
    let output = Command::new("curl").args(["-s", "-N", url.trim()]).output().expect("curl runs");
    String::from_utf8(output.stdout).expect("text")
}

/// This version alone is live.
fn is_live(bench: &Bench, version: &str) {
    let (status, _) = bench.json(&["status", "--local"]);
    let release = &status["functions"][0]["release"];
    assert_eq!((&release["version"], &release["shift"]), (&json!(version), &Value::Null), "{status:#}");
}

/// Whether the version has passed or failed, as `releases` says.
fn verdict(bench: &Bench, version: &str) -> Value {
    let (document, _) = bench.json(&["releases", "--local"]);
    let releases = document["functions"][0]["releases"].as_array().expect("releases").clone();
    releases.iter().find(|release| release["version"] == version).expect("the version")["verification"].clone()
}

/// The run failed, all of the traffic is back at the first release, and the second counts as failed.
fn went_back(bench: &Bench, output: &Output, words: &str) {
    let errors = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    assert!(errors.contains(words) && errors.contains("`live` was moved back to version 1"), "{}", said(output));
    is_live(bench, "1");
    assert_eq!(verdict(bench, "2"), "failed");
    assert_eq!(answer(bench), "release one\nthe end\n");
}

/// A run whose lines are read as they come.
struct Running {
    child: Child,
    lines: BufReader<ChildStderr>,
    errors: String,
}

impl Running {
    fn start(bench: &Bench, more: &[&str]) -> Running {
        let mut child = command(bench, more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let lines = BufReader::new(child.stderr.take().expect("a pipe"));
        Running { child, lines, errors: String::new() }
    }

    /// Reads on until a line has this text.
    fn until(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.lines.read_line(&mut line).expect("a line") > 0, "no `{text}` in: {}", self.errors);
            self.errors += &line;
        }
    }

    /// Reads on until this step, counted from 1, is held.
    fn until_step(&mut self, step: usize) {
        self.until("Verified the URL");
        (1..step).for_each(|_| {
            self.until("Held ");
            self.until("Verified the URL");
        });
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).expect("a pid"), signal).expect("it runs still");
    }

    fn rest(mut self) -> Output {
        let mut stdout = Vec::new();
        self.child.stdout.take().expect("a pipe").read_to_end(&mut stdout).expect("its output");
        self.lines.read_to_string(&mut self.errors).expect("its errors");
        Output { status: self.child.wait().expect("its end"), stdout, stderr: self.errors.into_bytes() }
    }
}

/// Lets requests come in, several at once, while `run` runs.
fn under_traffic<T>(bench: &Bench, clients: usize, run: impl FnOnce() -> T) -> T {
    let url = bench.good(&["url", "--local"]).trim().to_owned();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    Command::new("curl").args(["-s", "-o", "/dev/null", &url]).output().expect("curl runs");
                }
            });
        }
        let result = run();
        is_over.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn a_good_release_gets_all_of_the_traffic_step_by_step() {
    let bench = deployed("", "");
    let output = deploy(&bench, &[&BRIEF[..], &["--output", "json"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let document = document(&output);
    let function = &document["functions"][0];
    let steps = function["rollout"]["steps"].as_array().expect("steps");
    let shares: Vec<&Value> = steps.iter().map(|step| &step["percent"]).collect();
    assert_eq!(shares, [&json!(10.0), &json!(50.0)], "{function:#}");
    for step in steps {
        assert_eq!((&step["verdict"], &step["checks"], &step["errors"]), (&json!("passed"), &json!(1), &json!(0)));
        assert!(step["held_ms"].as_f64().is_some_and(|held| held >= 300.0), "{step}");
        assert_eq!(step["enough_requests"], false, "{step}");
    }
    let release = &function["release"];
    assert_eq!((&release["version"], &release["previous"]), (&json!("2"), &json!("1")), "{release}");
    assert_eq!((&release["verification"], &function["changed"]), (&json!("verified"), &json!(true)), "{function:#}");
    let errors = stderr(&output);
    assert!(errors.contains("gets 10%, then 50% of the traffic, 300ms each, then all of it"), "{errors}");
    assert!(errors.contains("Held 10% of the traffic on version 2 of chat"), "{errors}");
    assert!(errors.contains("fewer than 100 requests in a step: its checks decide alone"), "{errors}");
    is_live(&bench, "2");
    assert_eq!(answer(&bench), "release two\nthe end\n");
    let again = deploy(&bench, &BRIEF);
    assert!(again.status.success() && stderr(&again).contains("Unchanged chat"), "{}", said(&again));
}

#[test]
fn a_version_that_turns_bad_is_caught_by_its_checks() {
    let bench = deployed("MOOD = \"broken\", AFTER = \"3\"", "");
    let output = deploy(&bench, &["--shift", "10,50", "--for", "30s", "--output", "json"]);
    went_back(&bench, &output, "cannot verify version 2 of `chat`: the function returned status 500");
    let document = document(&output);
    let function = &document["functions"][0];
    assert_eq!((&document["error"]["kind"], &function["state"]), (&json!("verify"), &json!("failed")));
    assert_eq!(function["rollout"]["steps"][0]["verdict"], "failed", "{function:#}");
    assert_eq!((&function["release"]["version"], &function["release"]["shift"]), (&json!("1"), &Value::Null));
    assert_eq!((&function["done"], &function["left"]), (&json!([]), &json!(["release"])), "{function:#}");
    // The next deploy tries it again, before it gets any traffic.
    let again = deploy(&bench, &["--shift", "10", "--for", "300ms"]);
    let errors = stderr(&again);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert!(errors.contains("`live` stays on version 1") && !errors.contains("Moved back"), "{errors}");
}

#[test]
fn a_version_that_fails_for_others_alone_is_caught_by_its_requests() {
    let turn = tempfile::tempdir().expect("a directory");
    let file = turn.path().join("turned");
    let mood = format!("MOOD = \"crash\", FOR = \"url\", TURN = \"{}\"", file.display());
    let bench = deployed(&mood, "");
    let mut run = Running::start(&bench, &["--shift", "50", "--for", "60s"]);
    run.until_step(1);
    std::fs::write(&file, "").expect("it is written");
    let output = under_traffic(&bench, 3, || run.rest());
    went_back(&bench, &output, "failed; `max_errors` is 1%");
    assert!(stderr(&output).contains("hint: see why: `lamstream logs --local chat --version 2 --errors`"));
}

#[test]
fn as_many_requests_may_fail_as_the_manifest_allows() {
    let rollout = "rollout = { steps = [50], for = \"1h\", max_errors = \"100%\" }";
    let turn = tempfile::tempdir().expect("a directory");
    let file = turn.path().join("turned");
    let bench = deployed(&format!("MOOD = \"crash\", FOR = \"url\", TURN = \"{}\"", file.display()), rollout);
    let mut run = Running::start(&bench, &["--for", "8s", "--output", "json"]);
    run.until_step(1);
    std::fs::write(&file, "").expect("it is written");
    let output = under_traffic(&bench, 3, || {
        run.until("Held ");
        // Whole again, for the URL's check.
        std::fs::remove_file(&file).expect("it is removed");
        run.rest()
    });
    let step = document(&output)["functions"][0]["rollout"]["steps"][0].clone();
    assert!(output.status.success() && step["verdict"] == "passed", "{}", said(&output));
    assert!(step["errors"].as_u64() > Some(1), "{step}");
}

#[test]
fn a_late_first_byte_is_caught_by_checks_and_by_requests() {
    let rollout = "rollout = { steps = [50], for = \"1h\", max_first_byte = \"300ms\" }";
    let bench = deployed("MOOD = \"late\"", rollout);
    went_back(&bench, &deploy(&bench, &["--for", "20s"]), "the first byte took 7");

    let keys = format!("{rollout}\nlog = {{ format = \"json\", system_level = \"debug\" }}");
    write(&bench, "three", "MOOD = \"late start\", FOR = \"url\"", &keys);
    let output = under_traffic(&bench, 6, || deploy(&bench, &["--for", "20s"]));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        stderr(&output).contains("requests took longer than 0.3 s, which is `max_first_byte`"),
        "{}",
        said(&output)
    );
    is_live(&bench, "1");
}

#[test]
fn without_the_log_the_checks_decide_alone() {
    let bench = deployed("", "");
    let proxy = bench.proxy();
    let fault = Fault::Answer(Answer::Broken);
    proxy.set(Trap { call: "FilterLogEvents".to_owned(), occurrence: 1, fault, lasting: Lasting::Ever });
    let package = format!("--package={}", moody_zip().display());
    let more = [&["deploy", "--yes", &package, "--output", "json"], &BRIEF[..]].concat();
    let output = bench.through(&proxy, &more).env("LAMSTREAM_ATTEMPT_TIMEOUT", "1").output().expect("it runs");
    assert!(output.status.success() && proxy.sprung(), "{}", said(&output));
    assert_eq!(stderr(&output).matches("without the log, its checks decide alone").count(), 1, "{}", said(&output));
    let step = document(&output)["functions"][0]["rollout"]["steps"][0].clone();
    assert_eq!((&step["requests"], &step["verdict"]), (&Value::Null, &json!("passed")), "{step}");
}

/// Nothing can judge the version any more.
#[test]
fn without_aws_the_traffic_goes_back_and_the_version_is_not_to_blame() {
    const INVOKE: &str = "POST /2021-11-15/functions/shop-chat/response-streaming-invocations*";
    let bench = deployed("", "");
    let proxy = bench.proxy();
    // The first is its trial, before it gets traffic.
    let fault = Fault::Answer(Answer::Broken);
    proxy.set(Trap { call: INVOKE.to_owned(), occurrence: 2, fault, lasting: Lasting::Ever });
    let package = format!("--package={}", moody_zip().display());
    let more = [&["deploy", "--yes", &package], &BRIEF[..]].concat();
    let output = bench.through(&proxy, &more).env("LAMSTREAM_ATTEMPT_TIMEOUT", "1").output().expect("it runs");
    assert_eq!((output.status.code(), proxy.sprung()), (Some(1), true), "{}", said(&output));
    let errors = stderr(&output);
    assert!(
        errors.contains("error: cannot invoke version 2") && errors.contains("moved back to version 1"),
        "{errors}"
    );
    is_live(&bench, "1");
    assert_eq!(verdict(&bench, "2"), "unverified");
}

#[test]
fn a_signal_leaves_the_shift_to_you() {
    for (signal, code, step, percent) in [(Signal::INT, 130, 1, 10), (Signal::TERM, 143, 2, 50)] {
        let bench = deployed("", "");
        let mut run = Running::start(&bench, &["--shift", "10,50", "--for", "4s", "--output", "json"]);
        run.until_step(step);
        run.send(signal);
        let output = run.rest();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let errors = stderr(&output);
        let stays = format!("the shift stays: version 2 gets {percent}% of the traffic");
        assert!(errors.contains(&stays) && errors.contains("`lamstream abort --local chat`"), "{errors}");
        let document = document(&output);
        assert_eq!((&document["error"]["kind"], document["ok"].as_bool()), (&json!("interrupted"), Some(false)));
        let status = bench.good(&["status", "--local"]);
        assert!(status.contains(&format!("at step {step} of 2, 4s each")), "{status}");
        let (status, _) = bench.json(&["status", "--local"]);
        let shift = &status["functions"][0]["release"]["shift"];
        assert_eq!((&shift["steps"], &shift["step_ms"]), (&json!([10, 50]), &json!(4000.0)), "{shift}");
        let (end, live) = if step == 1 { ("abort", "1") } else { ("promote", "2") };
        bench.good(&[end, "--local"]);
        is_live(&bench, live);
    }
}

#[test]
fn a_killed_run_leaves_a_shift_that_every_command_knows() {
    for (step, end) in [(1, "promote"), (2, "abort"), (1, "deploy"), (2, "deploy")] {
        let bench = deployed("", "");
        let mut run = Running::start(&bench, &["--shift", "10,50", "--for", "4s"]);
        run.until_step(step);
        run.send(Signal::KILL);
        run.rest();
        let status = bench.good(&["status", "--local"]);
        assert!(status.contains(&format!("at step {step} of 2")), "{status}");
        match end {
            "deploy" => {
                // Without flags, with the steps that `live` remembers.
                let output = deploy(&bench, if step == 1 { &BRIEF } else { &[] });
                assert!(output.status.success(), "{}", said(&output));
                let held = stderr(&output).matches("Held ").count();
                assert_eq!(held, 3 - step, "it goes on where it is: {}", said(&output));
            }
            end => drop(bench.good(&[end, "--local"])),
        }
        is_live(&bench, if end == "abort" { "1" } else { "2" });
    }
}

#[test]
fn a_move_by_another_process_ends_the_run_and_is_never_undone() {
    for (end, live) in [("abort", "1"), ("promote", "2"), ("deploy", "3")] {
        let bench = deployed("", "");
        let mut run = Running::start(&bench, &["--shift", "10,50", "--for", "20s"]);
        run.until_step(1);
        match end {
            "deploy" => {
                write(&bench, "three", "", "");
                let output = deploy(&bench, &["--shift", "20", "--for", "300ms"]);
                assert!(output.status.success(), "{}", said(&output));
            }
            end => drop(bench.good(&[end, "--local"])),
        }
        let output = run.rest();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let words = format!("another process moved `live`; version {live} gets ");
        assert!(stderr(&output).contains(&words), "{}", said(&output));
        is_live(&bench, live);
    }
}

#[test]
fn of_two_shifts_at_once_one_loses_and_nothing_is_mixed() {
    let bench = deployed("", "");
    let first = Running::start(&bench, &BRIEF);
    let other = Bench::new("crate = 'unused'");
    write(&other, "three", "", "");
    let package = format!("--package={}", moody_zip().display());
    let mut command = other.command(&[&["deploy", "--local", "--yes", &package], &BRIEF[..]].concat());
    let second = command.env("LAMSTREAM_LOCAL_DIR", bench.data()).output().expect("lamstream runs");
    let first = first.rest();
    let told = format!("{}\n{}", said(&first), said(&second));
    let (status, _) = bench.json(&["status", "--local"]);
    let release = &status["functions"][0]["release"];
    for output in [&first, &second].into_iter().filter(|output| !output.status.success()) {
        assert!(output.status.code() == Some(1) && stderr(output).contains("another process"), "{told}");
    }
    let answer = answer(&bench);
    match (first.status.success(), second.status.success()) {
        (false, false) => panic!("both lost: {told}"),
        (true, false) => assert_eq!(answer, "release two\nthe end\n", "{told}"),
        (false, true) => assert_eq!(answer, "release three\nthe end\n", "{told}"),
        // One after the other.
        (true, true) => assert!(["2", "3"].iter().any(|number| release["version"] == *number), "{told}"),
    }
    assert_eq!(release["shift"], Value::Null, "{told}");
}

#[test]
fn the_manifest_has_the_steps_and_flags_come_first() {
    let bench = deployed("", "rollout = { steps = [20], for = \"300ms\" }");
    let proxy = bench.proxy();
    let package = format!("--package={}", moody_zip().display());
    let output = bench.through(&proxy, &["deploy", "--yes", &package]).output().expect("it runs");
    assert!(output.status.success() && stderr(&output).contains("Held 20%"), "{}", said(&output));
    is_live(&bench, "2");
    write(&bench, "three", "", "rollout = { steps = [20], for = \"300ms\" }");
    let output = deploy(&bench, &["--shift", "5"]);
    assert!(output.status.success() && !stderr(&output).contains("Held "), "{}", said(&output));
    let status = bench.good(&["status", "--local"]);
    assert!(status.contains("shift: 5% of the traffic") && !status.contains("ends itself"), "{status}");
    // A shift that is open goes on as one that ends itself.
    let output = deploy(&bench, &["--for", "400ms"]);
    assert!(output.status.success() && stderr(&output).contains("20% of the traffic, 400ms each"), "{}", said(&output));
    is_live(&bench, "3");
}

#[test]
fn the_manifest_holds_up_nothing_that_is_urgent_or_tried_out() {
    let bench = deployed("", "");
    for (release, keys, flags, why) in [
        ("three", "", &[][..], "with `--local` and without `--for`"),
        ("four", "", &["--no-verify"], "with `--no-verify`"),
        ("five", "concurrency = 0", &[], "with `concurrency = 0`"),
    ] {
        write(&bench, release, "", &format!("rollout = {{ steps = [20], for = \"1h\" }}\n{keys}"));
        let output = deploy(&bench, flags);
        let words = format!("`rollout` does not apply {why}; the new release gets all of the traffic at once");
        assert!(output.status.success() && stderr(&output).contains(&words), "{}", said(&output));
    }
}

#[test]
fn a_first_release_has_none_to_share_with() {
    let bench = Bench::new("crate = 'unused'");
    write(&bench, "one", "", "");
    let output = deploy(&bench, &["--shift", "10", "--for", "1h"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(stderr(&output).contains("`chat` has no previous release to share the traffic with: no shift"));
    assert_eq!(document(&deploy(&bench, &["--output", "json"]))["functions"][0]["rollout"], Value::Null);
}

#[test]
fn what_cannot_be_judged_is_refused_before_anything_is_read() {
    for (keys, flags, words) in [
        ("", &["--shift", "10,50"][..], "`--shift 10,50` has several percentages, but no time"),
        ("", &["--for", "10m"], "`--for` has no percentages to hold"),
        ("", &["--shift", "50,10", "--for", "1m"], "that rise, such as `--shift 10,50`"),
        ("", &["--shift", "10", "--for", "1m", "--no-verify"], "with `--no-verify`, its checks are not asked"),
        ("concurrency = 0", &["--shift", "10", "--for", "1m"], "with `concurrency = 0`, it cannot answer"),
        ("provisioned_concurrency = 1", &["--shift", "10", "--for", "1m"], "cannot split the traffic"),
        ("url", &["--shift", "10", "--for", "1m"], "it has no URL, and therefore no checks"),
    ] {
        let bench = Bench::new("crate = 'unused'");
        write(&bench, "one", "", keys);
        if keys == "url" {
            bench.write("deploy.toml", "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\n");
        }
        let output = deploy(&bench, flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", said(&output));
        assert!(stderr(&output).contains(words), "{flags:?}: {}", said(&output));
        assert!(!bench.data().exists(), "the local cloud was started: {flags:?}");
    }
}
