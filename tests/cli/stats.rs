//! The figures of releases, from the records that the local cloud writes as AWS does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, moody_zip, said};
use crate::talker::Running;
use serde_json::{Value, json};

/// A function in this mood.
fn manifest(mood: &str, log: &str) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 2\nurl = {{ auth = \"none\" }}\n{log}\n\
         environment = {{ RELEASE = \"{mood}\", MOOD = \"{mood}\" }}\n"
    )
}

const DEBUG: &str = "log = { format = \"json\", system_level = \"debug\" }";
const INFO: &str = "log = { format = \"json\" }";
const TEXT: &str = "";

fn deploy(bench: &Bench, mood: &str, log: &str) {
    bench.write("deploy.toml", &manifest(mood, log));
    let package = format!("--package={}", moody_zip().display());
    // A deploy that checks the function sends requests of its own.
    bench.good(&["deploy", "--local", "--yes", "--no-verify", &package]);
}

/// Sends a request, and reads the log until its report.
fn request(bench: &Bench, log: &Running) {
    // Its exit code is the test's business elsewhere.
    bench.run(&["invoke", "--local", "chat", "--quiet"]);
    log.until(|line| line.contains("platform.report") || line.starts_with("REPORT RequestId"));
}

fn releases(bench: &Bench) -> Vec<Value> {
    let (document, code) = bench.json(&["stats", "--local"]);
    assert_eq!(code, 0, "{document:#}");
    document["functions"][0]["stats"]["releases"].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn each_release_has_figures_of_what_happened_to_its_requests() {
    let bench = Bench::new(&manifest("good", DEBUG));
    deploy(&bench, "good", DEBUG);
    let log = Running::start(&bench, &["logs", "--local", "chat", "--follow"]);
    request(&bench, &log);
    request(&bench, &log);
    for (mood, form) in [("cut", DEBUG), ("crash", DEBUG), ("hang", INFO), ("no start", DEBUG), ("at once", TEXT)] {
        deploy(&bench, mood, form);
        request(&bench, &log);
    }
    log.interrupt();
    log.end();
    let releases = releases(&bench);
    let versions: Vec<&str> = releases.iter().map(|release| release["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["6", "5", "4", "3", "2", "1"]);
    let [text, unstarted, hung, crashed, cut, good] = &releases[..] else { panic!("{releases:?}") };

    assert_eq!((&good["requests"], &good["cold_starts"]), (&json!(2), &json!(1)));
    // It answers at once, and takes half a second for the rest.
    assert!(number(&good["first_byte_ms"]["p99"]) < 450.0, "{good}");
    assert!((450.0..2000.0).contains(&number(&good["duration_ms"]["p50"])), "{good}");
    assert!(number(&good["cold_start_ms"]["p50"]) > 1.0, "{good}");
    let body = "release good\nthe end\n".len() as u64;
    let bytes = good["bytes"].as_u64().unwrap();
    assert!(bytes % 2 == 0 && bytes / 2 > body && bytes / 2 < body + 100, "{good}");
    let failures = |release: &Value| ["errors", "timeouts", "cut_streams"].map(|key| release[key].clone());
    assert_eq!(failures(good), [json!(0), json!(0), json!(0)]);
    assert_eq!(failures(cut), [json!(1), json!(0), json!(1)]);
    assert!(number(&cut["first_byte_ms"]["p50"]) < number(&cut["duration_ms"]["p50"]), "{cut}");
    assert_eq!(failures(crashed), [json!(1), json!(0), json!(0)]);
    assert_eq!((&crashed["first_byte_ms"], &crashed["bytes"]), (&Value::Null, &json!(0)));
    assert_eq!(failures(hung), [json!(0), json!(1), json!(0)]);
    assert!(number(&hung["duration_ms"]["p50"]) >= 2000.0, "{hung}");
    assert_eq!((failures(unstarted), &unstarted["cold_starts"]), ([json!(1), json!(0), json!(0)], &json!(0)));
    assert_eq!((&text["requests"], &text["cold_starts"], &text["errors"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!([&text["first_byte_ms"], &text["bytes"], &text["cut_streams"]], [&Value::Null; 3]);
    assert!(releases.iter().all(|release| release["throttles"] == Value::Null));

    let output = bench.run(&["stats", "--local", "chat", "--svg", "chart.svg"]);
    let (shown, noted) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", said(&output));
    assert!(shown.contains("  version 1: 2 requests\n    first byte  p50 "), "{shown}");
    assert!(shown.contains("  version 6: 1 request\n    first byte  not in the log\n"), "{shown}");
    assert!(shown.contains("    errors      1, timeouts 0, cut streams 1, throttles not in the log\n"), "{shown}");
    assert!(noted.contains("`chat`: the log has no first byte and no bytes") && noted.contains(DEBUG), "{noted}");
    let drawn = texts(&std::fs::read_to_string(bench.path("chart.svg")).unwrap());
    for version in 1..=6 {
        assert!(drawn.contains(&format!("version {version}")), "{drawn:?}");
    }
}

/// The texts of an XML document.
fn texts(document: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    let mut texts = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Text(text) => texts.push(text.trim().to_owned()),
            quick_xml::events::Event::Eof => return texts,
            _ => {}
        }
    }
}

#[test]
fn functions_that_share_a_log_have_figures_of_their_own() {
    let function = |name: &str| {
        format!(
            "[functions.{name}]\ncrate = \"unused\"\nurl = {{ auth = \"none\" }}\n\
             log = {{ format = \"json\", system_level = \"debug\", group = \"/shop\" }}\n"
        )
    };
    let bench = Bench::new(&format!("app = \"shop\"\n{}{}", function("one"), function("two")));
    let zip = moody_zip().display();
    let packages = [format!("--package=one={zip}"), format!("--package=two={zip}")];
    bench.good(&["deploy", "--local", "--yes", "--no-verify", &packages[0], &packages[1]]);
    let log = Running::start(&bench, &["logs", "--local", "two", "--follow"]);
    bench.good(&["invoke", "--local", "two"]);
    log.until(|line| line.contains("platform.report"));
    log.interrupt();
    log.end();
    let (document, code) = bench.json(&["stats", "--local"]);
    assert_eq!(code, 0, "{document:#}");
    let requests = |nth: usize| document["functions"][nth]["stats"]["releases"].as_array().unwrap().len();
    assert_eq!((requests(0), requests(1)), (0, 1), "{document:#}");
    let text = bench.good(&["stats", "--local", "one", "--since", "5m"]);
    assert!(text.starts_with("one from ") && text.ends_with(": no request ended\n"), "{text}");
}

#[test]
fn failures_name_what_is_missing() {
    let bench = Bench::new(&manifest("good", DEBUG));
    let (document, code) = bench.json(&["stats", "--local"]);
    assert_eq!((code, &document["functions"][0]["stats"]), (1, &Value::Null), "{document:#}");
    assert!(document["error"]["message"].as_str().unwrap().contains("it is not deployed"), "{document:#}");
    deploy(&bench, "good", DEBUG);
    let output = bench.run(&["stats", "--local", "--svg", "nowhere/chart.svg"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("cannot write `nowhere/chart.svg`"), "{}", said(&output));
    bench.write("deploy.toml", &manifest("good", &DEBUG.replace("debug", "warn")));
    let output = bench.run(&["stats", "--local"]);
    assert!(said(&output).contains("the log has failed requests only"), "{}", said(&output));
}
