//! Logs of any size are read in memory that does not grow, and do not block other requests.

use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::processes::start;
use crate::support::Bench;

/// The size of the log, in megabytes; 500 must be read within 5 s, in a debug build, too.
fn megabytes() -> u64 {
    std::env::var("LOCALCLOUD_LOG_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(64)
}

/// A number of `/proc/PID/status`, in megabytes.
fn memory(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// The CPU time of a process, in seconds.
fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let numbers: Vec<i64> = stat.rsplit(") ").next().unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
    // Without the state, which is a letter.
    (numbers[10] + numbers[11]) as f64 / 100.0
}

/// Fills a stream with an event each millisecond; returns the time of the last one.
fn fill(file: &std::path::Path) -> u64 {
    let mut file = BufWriter::new(std::fs::OpenOptions::new().append(true).open(file).unwrap());
    let (mut size, mut number) = (0, 0);
    let first = 1_700_000_000_000_u64;
    while size < megabytes() * 1024 * 1024 {
        let word = if number % 1_000_000 == 500_000 { "needle" } else { "nothing" };
        let at = first + number;
        let line = format!(
            "{{\"t\":{at},\"m\":\"2026-01-01T00:00:00Z INFO request {number:08} \\\"GET /page\\\" 200 {word} in 12.5 ms\\n\"}}\n"
        );
        size += line.len() as u64;
        file.write_all(line.as_bytes()).unwrap();
        number += 1;
    }
    file.flush().unwrap();
    first + number - 1
}

/// Sends other requests while a log is read: how many were answered, and the longest wait.
async fn others(bench: &Bench, until: impl Future<Output = (u16, Value)>) -> ((u16, Value), usize, Duration) {
    let mut until = std::pin::pin!(until);
    let (mut count, mut longest) = (0, Duration::ZERO);
    loop {
        let event = json!([{"timestamp": now(), "message": "meanwhile"}]);
        let put = json!({"logGroupName": "other", "logStreamName": "stream", "logEvents": event});
        let since = Instant::now();
        tokio::select! {
            biased;
            answer = &mut until => return (answer, count, longest),
            (status, answer) = bench.logs("PutLogEvents", put) => {
                assert_eq!(status, 200, "{answer}");
                count += 1;
                longest = longest.max(since.elapsed());
            }
        }
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_is_read_in_little_memory_beside_other_requests() {
    // Memory and time are those that `/proc` shows.
    if !cfg!(target_os = "linux") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (cloud, address) = start(&data);
    let bench = Bench::attach(&address, data).await;
    for group in ["large", "other"] {
        bench.logs("CreateLogGroup", json!({"logGroupName": group})).await;
        bench.logs("CreateLogStream", json!({"logGroupName": group, "logStreamName": "stream"})).await;
    }
    let last = fill(&bench.data.path().join("logs/us%2Deast%2D1/large/stream"));
    let before = memory(cloud.0.id(), "VmRSS");
    let stream = json!({"logGroupName": "large", "logStreamName": "stream"});
    let all = |more: Value| {
        let mut input = json!({"logGroupName": "large"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let queries = [
        ("FilterLogEvents", "a word, at first", all(json!({"filterPattern": "needle"})), None),
        ("FilterLogEvents", "a word", all(json!({"filterPattern": "needle"})), None),
        ("FilterLogEvents", "two words, in no line", all(json!({"filterPattern": "\"GET /page\" absent"})), Some(0)),
        ("FilterLogEvents", "either word", all(json!({"filterPattern": "?needle ?absent"})), None),
        ("FilterLogEvents", "the last 100 ms", all(json!({"startTime": last - 99})), Some(100)),
        ("FilterLogEvents", "the first page", all(json!({})), None),
        ("GetLogEvents", "the last page", stream.clone(), None),
        ("DescribeLogStreams", "", all(json!({})), None),
    ];
    for (action, what, input, wanted) in queries {
        let (since, used) = (Instant::now(), cpu(cloud.0.id()));
        let ((status, answer), count, longest) = others(&bench, bench.logs(action, input)).await;
        let took = since.elapsed();
        let used = cpu(cloud.0.id()) - used;
        assert_eq!(status, 200, "{answer}");
        let events = answer["events"].as_array().map_or(0, Vec::len);
        let peak = memory(cloud.0.id(), "VmHWM");
        eprintln!(
            "{} MB: {action} {what}: {:.2} s ({used:.2} s of CPU, all requests), {events} events, {} MB more at most; meanwhile {count} puts, the longest {longest:.1?}",
            megabytes(),
            took.as_secs_f64(),
            peak.saturating_sub(before),
        );
        assert!(wanted.is_none_or(|wanted| events == wanted), "{action} {what}: {events}");
        assert!(peak < before + 50, "{action} {what}: {before} MB became {peak} MB");
    }
    drop(cloud);
}

/// Pages follow one another without a gap, forwards and backwards, from events that were put in any order.
#[tokio::test(flavor = "multi_thread")]
async fn pages_have_every_event_once_and_in_order() {
    let bench = Bench::start().await;
    bench.logs("CreateLogGroup", json!({"logGroupName": "group"})).await;
    let begin = now() - 100_000;
    for (stream, offset) in [("b", 0_u64), ("a", 1), ("c", 0)] {
        let named = json!({"logGroupName": "group", "logStreamName": stream});
        bench.logs("CreateLogStream", named.clone()).await;
        // The later half comes first.
        for half in [50_u64, 0] {
            let event = |number: u64| json!({"timestamp": begin + number * 10 + offset, "message": format!("{stream} {number}")});
            let mut put = named.clone();
            put["logEvents"] = (half..half + 50).map(event).collect::<Vec<_>>().into();
            assert_eq!(bench.logs("PutLogEvents", put).await.0, 200);
        }
    }
    let ask = |action: &'static str, input: Value, token: Value| {
        let mut input = input;
        input["nextToken"] = token;
        bench.logs(action, input)
    };
    let times = |page: &Value| -> Vec<u64> {
        page["events"].as_array().unwrap().iter().map(|event| event["timestamp"].as_u64().unwrap()).collect()
    };
    let (mut token, mut all, mut ids) = (Value::Null, Vec::new(), std::collections::BTreeSet::new());
    loop {
        let (_, page) = ask("FilterLogEvents", json!({"logGroupName": "group", "limit": 7}), token).await;
        all.extend(times(&page));
        ids.extend(page["events"].as_array().unwrap().iter().map(|event| event["eventId"].to_string()));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert!(all.is_sorted() && all.len() == 300 && ids.len() == 300, "{} {}", all.len(), ids.len());
    let of_one = json!({"logGroupName": "group", "logStreamName": "b", "limit": 30, "startTime": begin + 10});
    for (way, head) in [("nextBackwardToken", false), ("nextForwardToken", true)] {
        let mut input = of_one.clone();
        input["startFromHead"] = json!(head);
        let (mut token, mut pages) = (Value::Null, Vec::new());
        loop {
            let (_, page) = ask("GetLogEvents", input.clone(), token.clone()).await;
            if page[way] == token {
                break;
            }
            token = page[way].clone();
            pages.push(times(&page));
        }
        if !head {
            pages.reverse();
        }
        let all: Vec<u64> = pages.concat();
        assert!(all.is_sorted() && all.len() == 99, "{way}: {all:?}");
    }
    let (status, _) = ask("GetLogEvents", of_one, json!("x/1")).await;
    assert_eq!(status, 400);
}
