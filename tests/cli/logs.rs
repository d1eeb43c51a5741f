//! What functions write, read while they write it: every line, and each once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use crate::talker::{Running, TALKER, leave_after_a_line, talker};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// Has `instances` instances write `count` lines each, all at once.
fn write_at_once(bench: &Bench, round: &str, instances: usize, count: usize) {
    let gate = bench.path(&format!("gate-{round}"));
    let here = |number: usize| bench.path(&format!("here-{round}-{number}"));
    let runs: Vec<_> = (0..instances)
        .map(|number| {
            let (gate, here) = (gate.display(), here(number));
            let path = format!("/log?tag={round}-{number}&count={count}&gate={gate}&here={}", here.display());
            bench.command(&["invoke", "--local", "talker", &path, "--quiet"]).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    while !(0..instances).all(|number| here(number).exists()) {
        std::thread::yield_now();
    }
    std::fs::write(&gate, "").unwrap();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
}

fn write_one(bench: &Bench, tag: &str) {
    bench.good(&["invoke", "--local", "talker", &format!("/log?tag={tag}&count=1")]);
}

/// How often each line that begins so is there.
fn counted<'a>(lines: impl IntoIterator<Item = &'a String>, begin: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for line in lines.into_iter().filter(|line| line.starts_with(begin)) {
        *counts.entry(line.as_str()).or_default() += 1;
    }
    counts
}

/// All of them are there, and each is there once.
fn assert_exactly<'a>(lines: impl IntoIterator<Item = &'a String>, round: &str, instances: usize, count: usize) {
    let counts = counted(lines, round);
    for instance in 0..instances {
        for number in 0..count {
            let line = format!("{round}-{instance} {number}");
            assert_eq!(counts.get(line.as_str()), Some(&1), "{line}");
        }
    }
    assert_eq!(counts.len(), instances * count);
}

#[test]
fn following_misses_nothing_and_repeats_nothing_over_many_pages_and_instances() {
    let bench = talker("none");
    let follow = ["logs", "--local", "talker", "--follow"];
    let text = Running::start(&bench, &follow);
    let documents = Running::start(&bench, &[&follow[..], &["--output", "json"]].concat());
    // FilterLogEvents gives at most 10,000 events a page.
    write_at_once(&bench, "first", 5, 2500);
    write_at_once(&bench, "second", 5, 100);
    let mut left = 13_000;
    let mut lines = text.until(|line| {
        left -= usize::from(line.starts_with("first-") || line.starts_with("second-"));
        left == 0
    });
    // Whatever would come twice comes before this.
    write_one(&bench, "end");
    lines.extend(text.until(|line| line == "end 0"));
    assert_exactly(&lines, "first", 5, 2500);
    assert_exactly(&lines, "second", 5, 100);
    text.interrupt();
    let (rest, output) = text.end();
    assert_eq!((output.status.code(), counted(&rest, "first").len()), (Some(130), 0), "{}", said(&output));

    let events = documents.until(|line| line.contains("\"end 0\""));
    let events: Vec<Value> = events.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<String> = events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect();
    assert_exactly(&messages, "first", 5, 2500);
    documents.interrupt();
    let (rest, output) = documents.end();
    let last: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    assert_eq!((output.status.code(), &last["error"]["kind"]), (Some(130), &json!("interrupted")));
    assert_eq!((&last["command"], &last["events"]), (&json!("logs"), &Value::Null));

    // Without --follow the same, and it ends.
    let all = bench.good(&["logs", "--local", "talker"]);
    let all: Vec<String> = all.lines().map(str::to_owned).collect();
    assert_exactly(&all, "first", 5, 2500);
    let (document, code) = bench.json(&["logs", "--local", "talker"]);
    let events = document["events"].as_array().unwrap();
    assert_eq!((code, events.len()), (0, all.len()));
    let ends: Vec<&Value> = events.iter().filter(|event| event["message"] == "end 0").collect();
    assert_eq!(ends.len(), 1);
    assert!(ends[0]["timestamp"].as_i64().unwrap() > 0 && !ends[0]["stream"].as_str().unwrap().is_empty());
    let request = ends[0]["request_id"].as_str().unwrap();
    assert_eq!(ends[0]["version"], "1");
    // One function, which need not be named.
    let lines = |more: &[&str]| -> Vec<String> {
        bench.good(&[&["logs", "--local"], more].concat()).lines().map(str::to_owned).collect()
    };
    let of_request = lines(&["--request", &request[..13]]);
    let starts = ["START RequestId: ", "end 0", "END RequestId: ", "REPORT RequestId: "];
    assert_eq!(of_request.len(), starts.len(), "{of_request:?}");
    assert!(of_request.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{of_request:?}");
    assert_eq!(lines(&["--no-platform", "-n", "1"]), ["end 0"]);
    assert_eq!(lines(&["--filter", "first-0 ", "-n", "2"]), ["first-0 2498", "first-0 2499"]);
    assert_eq!((lines(&["--version", "2"]).len(), lines(&["--version", "1"]).len()), (0, all.len()));
    assert_eq!(lines(&["--request", request, "--timestamps"])[1].split_once('Z').unwrap().1, " end 0");
    assert!(bench.good(&["logs", "--local", "talker", "--since", "0s"]).is_empty());
}

#[test]
fn a_reader_that_leaves_ends_it_though_nothing_more_comes() {
    let bench = talker("none");
    write_one(&bench, "only");
    let (line, output) =
        leave_after_a_line(&mut bench.command(&["logs", "--local", "talker", "--follow", "--quiet"]), || {});
    assert!(line.starts_with("INIT_START"), "{line}");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{}", said(&output));
}

#[test]
fn what_is_not_there_is_said_with_a_way_out() {
    let bench = Bench::new(&TALKER.replace("AUTH", "none"));
    let output = bench.run(&["logs", "--local", "talker", "--follow"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("`talker` has no log group `/aws/lambda/shop-talker`: it is not deployed"), "{errors}");
    assert!(errors.contains("hint: run `lamstream deploy --local`"), "{errors}");
    assert_eq!(bench.run(&["logs", "--local", "unknown"]).status.code(), Some(2));
    for wrong in ["", "10", "m", "1w", "-1s", "99999999999999999999d"] {
        assert_eq!(bench.run(&["logs", "talker", &format!("--since={wrong}")]).status.code(), Some(2), "{wrong}");
    }
}

/// CloudWatch Logs by a script: each answer is a status and a body.
struct Script {
    address: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Script {
    /// Empty pages come when it is over.
    fn of(answers: Vec<(u16, Value)>) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script = Script { address, requests: requests.clone() };
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut length, mut line) = (0, String::new());
                while stream.read_line(&mut line).unwrap() > 2 {
                    let header = line.to_lowercase();
                    length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                requests.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                let (status, answer) = answers.next().unwrap_or((200, json!({ "events": [] })));
                let answer = answer.to_string();
                let head =
                    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
                stream.get_mut().write_all((head + &answer).as_bytes()).unwrap();
            }
        });
        script
    }

    fn logs(&self, bench: &Bench, more: &[&str]) -> Command {
        let mut command = bench.command(&[&["logs", "talker", "--quiet"], more].concat());
        command.env("AWS_ENDPOINT_URL", &self.address).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "example");
        command
    }

    fn asked(&self, number: usize, key: &str) -> Value {
        self.requests.lock().unwrap()[number][key].clone()
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn event(id: &str, timestamp: i64) -> Value {
    json!({ "eventId": id, "timestamp": timestamp, "logStreamName": "s", "message": format!("{id}\n") })
}

fn page(events: &[Value], next: Option<&str>) -> (u16, Value) {
    (200, json!({ "events": events, "nextToken": next }))
}

#[test]
fn late_events_equal_timestamps_and_empty_pages_are_no_trouble() {
    let bench = Bench::new(&TALKER.replace("AUTH", "none"));
    let at = now() - 100_000;
    let [a, b, twin] = [event("a", at), event("b", at + 5), event("twin-of-b", at + 5)];
    let (late, last) = (event("late", at - 59_000), event("last", at + 6));
    let script = Script::of(vec![
        page(std::slice::from_ref(&a), Some("one")),
        page(&[], Some("two")),
        page(std::slice::from_ref(&b), None),
        page(&[late.clone(), a.clone(), b.clone(), twin.clone()], None),
        page(&[late, a, b, twin, last], None),
    ]);
    let run = Running::spawn(&mut script.logs(&bench, &["--follow"]));
    assert_eq!(run.until(|line| line == "last"), ["a", "b", "late", "twin-of-b", "last"]);
    run.interrupt();
    assert_eq!(run.end().1.status.code(), Some(130));
    let tokens: Vec<Value> = (0..4).map(|number| script.asked(number, "nextToken")).collect();
    assert_eq!(tokens, [Value::Null, json!("one"), json!("two"), Value::Null]);
    // A minute before the newest event, and not before the first round is over.
    assert_eq!(script.asked(2, "startTime"), script.asked(0, "startTime"));
    assert_eq!(script.asked(3, "startTime"), json!(at + 5 - 60_000));
    assert_eq!(script.asked(0, "logGroupName"), "/aws/lambda/shop-talker");
}

#[test]
fn reading_goes_on_after_it_was_throttled() {
    let bench = Bench::new(&TALKER.replace("AUTH", "none"));
    // More often than the SDK tries.
    let throttled = (400, json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }));
    let mut answers = vec![page(&[event("before", now())], None)];
    answers.extend(std::iter::repeat_n(throttled, 5));
    answers.push(page(&[event("after", now())], None));
    let run = Running::spawn(&mut Script::of(answers.clone()).logs(&bench, &["--follow"]));
    assert_eq!(run.until(|line| line == "after"), ["before", "after"]);
    run.interrupt();
    assert_eq!(run.end().1.status.code(), Some(130));

    answers.remove(0);
    let output = Script::of(answers).logs(&bench, &[]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), ["after"], "{}", said(&output));
}

#[test]
fn since_says_how_far_back_to_begin() {
    let bench = Bench::new(&TALKER.replace("AUTH", "none"));
    let table: [(&[&str], i64); 5] = [
        (&[], 600),
        (&["--since", "30s"], 30),
        (&["--since", "5m"], 300),
        (&["--since", "2h"], 7200),
        (&["--since=1d"], 86_400),
    ];
    let script = Script::of(Vec::new());
    let at = script.logs(&bench, &["--since", "2026-11-30T09:00:00.25+01:00"]).output().unwrap();
    assert!(at.status.success(), "{}", said(&at));
    assert_eq!(script.asked(0, "startTime"), json!(1_796_025_600_250_i64));
    for (arguments, seconds) in table {
        let script = Script::of(Vec::new());
        let before = now();
        let output = script.logs(&bench, arguments).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{}", said(&output));
        let start = script.asked(0, "startTime").as_i64().unwrap() + seconds * 1000;
        assert!((before..=now()).contains(&start), "{arguments:?}");
    }
}

/// Two instances at once, of two versions.
const STREAMS: [(&str, &str); 9] = [
    ("2026/11/30/[2]a", "START RequestId: one-1 Version: 2"),
    ("2026/11/30/[3]b", "START RequestId: two-2 Version: 3"),
    ("2026/11/30/[3]b", "Traceback (most recent call last):"),
    ("2026/11/30/[2]a", "all is well"),
    ("2026/11/30/[3]b", "  File \"/var/task/main.py\", line 3, in root"),
    ("2026/11/30/[3]b", "ValueError: no"),
    ("2026/11/30/[3]b", "after it"),
    ("2026/11/30/[2]a", "2026-11-30T08:00:00.000Z one-1 Task timed out after 3.00 seconds"),
    ("2026/11/30/[3]b", "REPORT RequestId: two-2\tDuration: 1.00 ms"),
];

#[test]
fn only_the_events_that_are_wanted_are_printed() {
    let bench = Bench::new(&TALKER.replace("AUTH", "none"));
    let at = now() - 1000;
    let event = |number: usize| {
        let (stream, message) = STREAMS[number];
        json!({ "eventId": number.to_string(), "timestamp": at + number as i64, "logStreamName": stream, "message": message })
    };
    let table: [(&[&str], &[usize]); 8] = [
        (&[], &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (&["--errors"], &[2, 4, 5, 7]),
        (&["--request", "one-1"], &[0, 3, 7]),
        (&["--version", "3", "--no-platform"], &[2, 4, 5, 6]),
        (&["--filter", "after"], &[6, 7]),
        (&["--errors", "--version", "2"], &[7]),
        (&["-n", "2"], &[7, 8]),
        (&["-n", "0"], &[]),
    ];
    for (arguments, expected) in table {
        // What belongs together may be on different pages.
        let events: Vec<Value> = (0..STREAMS.len()).map(event).collect();
        let script = Script::of(vec![page(&events[..4], Some("more")), page(&events[4..], None)]);
        let output = script.logs(&bench, arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let expected: Vec<&str> = expected.iter().map(|number| STREAMS[*number].1).collect();
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), expected, "{arguments:?}");
    }
    // The last ones first, then all that follow.
    let events: Vec<Value> = (0..STREAMS.len()).map(event).collect();
    let script = Script::of(vec![page(&events[..4], None), page(&events[4..], None)]);
    let run = Running::spawn(&mut script.logs(&bench, &["-n", "1", "--follow", "--no-platform"]));
    assert_eq!(run.until(|line| line == "after it").len(), 4);
    run.interrupt();
    assert_eq!(run.end().1.status.code(), Some(130));
}
