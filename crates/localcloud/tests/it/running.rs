//! Instances: how many, for how long, what they see and what they leave in the log.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, is_alive, package, wait_until, zip};

const F: &str = "/2015-03-31/functions/f";

async fn log_lines(bench: &Bench, group: &str, pattern: &str) -> Vec<String> {
    let (status, found) = bench.logs("FilterLogEvents", json!({"logGroupName": group, "filterPattern": pattern})).await;
    assert_eq!(status, 200, "{found}");
    found["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_used_again_and_keeps_to_its_version() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let first = bench.invoked("live", json!({"path": "/whoami"})).await;
    let second = bench.invoked("live", json!({"path": "/whoami"})).await;
    assert_eq!((&second["pid"], &second["count"]), (&first["pid"], &json!(2)));
    let latest = bench.invoked("$LATEST", json!({"path": "/whoami"})).await;
    assert_ne!(latest["pid"], first["pid"]);
    assert_eq!((&latest["version"], &first["version"]), (&json!("$LATEST"), &json!("1")));
    // A changed configuration is another build, so the old process ends.
    bench.done(Method::PUT, &format!("{F}/configuration"), json!({"Environment": {"Variables": {"NEW": "1"}}})).await;
    let pid = latest["pid"].as_u64().unwrap();
    wait_until("the old instance has ended", || !is_alive(pid)).await;
    let changed = bench.invoked("$LATEST", json!({"path": "/environment"})).await;
    assert_eq!(changed["NEW"], "1");
    assert!(is_alive(first["pid"].as_u64().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_api_tells_what_clients_need() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let seen = bench.invoked("live", json!({"path": "/whoami"})).await;
    let headers: std::collections::HashMap<String, Value> = seen["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], "arn:aws:lambda:us-east-1:000000000000:function:f:live");
    let deadline: u128 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!((now + 20_000..=now + 30_000).contains(&deadline), "the deadline is now and the timeout");
    for name in ["lambda-runtime-aws-request-id", "lambda-runtime-trace-id", "lambda-runtime-invocation-id"] {
        assert!(headers.contains_key(name), "{name}");
    }
    let refused = bench.invoked("live", json!({"path": "/stale"})).await;
    assert_eq!(refused, json!({"stale": 410, "unknown": 400}));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_function_are_reported_as_on_aws() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({"Timeout": 1})).await;
    for (path, kind, note) in [
        ("/fail", "Boom", "the function failed"),
        ("/exit", "Runtime.ExitError", "exit status 3"),
        ("/hang", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ] {
        let answer = bench.invoke("live", json!({"path": path})).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-amz-function-error"]),
            (200, &"Unhandled".parse().unwrap())
        );
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(error["errorType"], kind);
        bench.wait_for_note(note).await;
        let answer = bench.http.get(format!("{url}{}", &path[1..])).send().await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(answer.headers()["content-type"], "text/plain");
        assert!(answer.headers()["x-localcloud-reason"].to_str().unwrap().contains(kind), "{answer:?}");
        assert_eq!(answer.text().await.unwrap(), "Internal Server Error");
    }
    assert!(!log_lines(&bench, "/aws/lambda/f", "\"Task timed out after 1.00 seconds\"").await.is_empty());
    assert!(
        log_lines(&bench, "/aws/lambda/f", "REPORT timeout").await.iter().any(|line| line.contains("Status: timeout"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_at_the_start_are_distinguished() {
    let bench = Bench::with(|options| options.init_timeout = Duration::from_millis(1500)).await;
    bench.function(json!({"Timeout": 2})).await;
    for (how, kind, note) in [
        ("exit", "Runtime.ExitError", "exit status 7"),
        ("error", "Bad.Start", "the function failed to start"),
        ("hang", "Sandbox.Timedout", "it did not ask for a request within 1.5 seconds"),
    ] {
        let environment = json!({"Environment": {"Variables": {"START": how}}});
        bench.done(Method::PUT, &format!("{F}/configuration"), environment).await;
        let answer = bench.invoke("$LATEST", json!({})).await;
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(error["errorType"], kind, "{how}: {error}");
        bench.wait_for_note(note).await;
    }
    bench.done(Method::PUT, &format!("{F}/code"), json!({"ZipFile": zip("other", b"x")})).await;
    let error: Value = serde_json::from_str(&bench.invoke("$LATEST", json!({})).await.text().await.unwrap()).unwrap();
    assert_eq!(error["errorType"], "Runtime.InvalidEntrypoint");
    // A binary for another machine.
    bench.done(Method::PUT, &format!("{F}/code"), json!({"ZipFile": zip("bootstrap", b"\x7fELF\x02\x01\x01")})).await;
    let error: Value = serde_json::from_str(&bench.invoke("$LATEST", json!({})).await.text().await.unwrap()).unwrap();
    assert!(error["errorMessage"].as_str().is_some_and(|words| words.ends_with("exec format error")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_lines_of_a_start_that_failed_are_in_the_tail() {
    let bench = Bench::start().await;
    bench.function(json!({"Environment": {"Variables": {"START": "exit"}}})).await;
    let answer = bench.invoke("$LATEST", json!({})).await;
    let tail = String::from_utf8(STANDARD.decode(&answer.headers()["x-amz-log-result"]).unwrap()).unwrap();
    let report = "Phase: init\tStatus: error\tError Type: Runtime.ExitError";
    assert!(tail.contains("INIT_START") && tail.contains(report), "{tail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_is_real_and_limited() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    bench.done(Method::PUT, "/2017-10-31/functions/f/concurrency", json!({"ReservedConcurrentExecutions": 2})).await;
    let gate = bench.sign_post("gate");
    let ask = |here: &str| {
        let here = bench.sign_post(here);
        tokio::spawn(bench.http.get(format!("{url}gate?here={}&gate={}", here.display(), gate.display())).send())
    };
    // Both run at the same time, so there are two processes.
    let (one, two) = (ask("one"), ask("two"));
    wait_until("both are running", || bench.sign_post("one").exists() && bench.sign_post("two").exists()).await;
    let third = bench.http.get(format!("{url}gate")).send().await.unwrap();
    assert_eq!(
        (third.status().as_u16(), &third.headers()["x-amzn-errortype"]),
        (429, &"TooManyRequestsException".parse().unwrap())
    );
    let body: Value = serde_json::from_str(&third.text().await.unwrap()).unwrap();
    assert_eq!(body["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    let (status, error) = bench.lambda(Method::POST, &format!("{F}/invocations?Qualifier=live"), json!({})).await;
    assert_eq!((status, &error["code"]), (429, &json!("TooManyRequestsException")));
    std::fs::write(gate, "").unwrap();
    for answer in [one, two] {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    // Requests one after the other never need more than one permit.
    bench.done(Method::PUT, "/2017-10-31/functions/f/concurrency", json!({"ReservedConcurrentExecutions": 1})).await;
    for _ in 0..20 {
        bench.invoked("live", json!({"path": "/whoami"})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_reserve_is_not_left_for_the_rest() {
    let bench = Bench::with(|options| options.concurrency = 102).await;
    let url = bench.public("BUFFERED", json!({})).await;
    let input = json!({
        "FunctionName": "g", "Role": "arn:aws:iam::000000000000:role/role", "Runtime": "provided.al2023",
        "Handler": "bootstrap", "Code": {"ZipFile": package()},
    });
    bench.done(Method::POST, "/2015-03-31/functions", input).await;
    let reserve = |count: u32| json!({"ReservedConcurrentExecutions": count});
    let path = "/2017-10-31/functions/g/concurrency";
    // A hundred must remain unreserved.
    let (status, error) = bench.lambda(Method::PUT, path, reserve(3)).await;
    assert_eq!((status, &error["code"]), (400, &json!("InvalidParameterValueException")));
    bench.done(Method::PUT, path, reserve(2)).await;
    let settings = bench.done(Method::GET, "/2016-08-19/account-settings", Value::Null).await;
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 100);
    let (data, mut options) = bench.stop().await;
    options.concurrency = 3;
    let bench = Bench::again(data, options).await;
    // Once it answers, its URLs are open.
    bench.done(Method::GET, path, Value::Null).await;
    let (here, gate) = (bench.sign_post("here"), bench.sign_post("gate"));
    let asked = format!("{url}gate?here={}&gate={}", here.display(), gate.display());
    let one = tokio::spawn(bench.http.get(asked).send());
    wait_until("one is running", || here.exists()).await;
    // Two of three are reserved by another function.
    let second = bench.http.get(format!("{url}whoami")).send().await.unwrap();
    assert_eq!(second.status(), 429);
    let body: Value = serde_json::from_str(&second.text().await.unwrap()).unwrap();
    assert_eq!(body["Reason"], "ConcurrentInvocationLimitExceeded");
    let path = "/2015-03-31/functions/g/invocations";
    bench.done(Method::POST, path, json!({"path": "/whoami"})).await;
    bench.done(Method::DELETE, "/2017-10-31/functions/g/concurrency", Value::Null).await;
    assert_eq!(bench.http.get(format!("{url}whoami")).send().await.unwrap().status(), 200);
    std::fs::write(gate, "").unwrap();
    assert_eq!(one.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_instances_are_ended() {
    let bench = Bench::with(|options| options.idle = Duration::from_millis(200)).await;
    bench.function(json!({})).await;
    let pid = bench.invoked("live", json!({"path": "/whoami"})).await["pid"].as_u64().unwrap();
    wait_until("the idle instance has ended", || !is_alive(pid)).await;
    assert_ne!(bench.invoked("live", json!({"path": "/whoami"})).await["pid"], json!(pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_share_the_requests_out() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    bench.done(Method::PUT, &format!("{F}/configuration"), json!({"Timeout": 9})).await;
    bench.done(Method::POST, &format!("{F}/versions"), json!({})).await;
    let version = || async {
        let text = bench.http.get(format!("{url}whoami")).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["version"].as_str().unwrap().to_owned()
    };
    for (weights, wanted) in [(json!({"2": 1.0}), "2"), (json!({"2": 0.0}), "1"), (json!({}), "1")] {
        let routing = json!({"RoutingConfig": {"AdditionalVersionWeights": weights}});
        bench.done(Method::PUT, &format!("{F}/aliases/live"), routing).await;
        for _ in 0..10 {
            assert_eq!(version().await, wanted);
        }
    }
    bench
        .done(
            Method::PUT,
            &format!("{F}/aliases/live"),
            json!({"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}),
        )
        .await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..64 {
        seen.insert(version().await);
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_as_aws_writes_it() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let answer = bench.invoke("live", json!({"path": "/log", "text": "two\nlines"})).await;
    let tail = String::from_utf8(STANDARD.decode(&answer.headers()["x-amz-log-result"]).unwrap()).unwrap();
    let id = answer.headers()["x-amzn-requestid"].to_str().unwrap();
    assert!(
        tail.starts_with(&format!(
            "START RequestId: {id} Version: 1\ntwo\nlines\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: "
        )),
        "{tail}"
    );
    assert!(tail.contains("Memory Size: 128 MB\tMax Memory Used: ") && tail.contains("Init Duration: "), "{tail}");
    let lines = log_lines(&bench, "/aws/lambda/f", "").await;
    assert!(lines[0].starts_with("INIT_START"));
    assert_eq!(lines.iter().filter(|line| ["two\n", "lines\n"].contains(&line.as_str())).count(), 2);
    let (_, streams) = bench.logs("DescribeLogStreams", json!({"logGroupName": "/aws/lambda/f"})).await;
    let name = streams["logStreams"][0]["logStreamName"].as_str().unwrap();
    assert!(name.contains("/[1]"), "{name}");
    let asked = json!({"logGroupName": "/aws/lambda/f", "logStreamName": name, "limit": 2, "startFromHead": true});
    let (_, first) = bench.logs("GetLogEvents", asked).await;
    assert_eq!(first["events"].as_array().unwrap().len(), 2);
    let asked = json!({"logGroupName": "/aws/lambda/f", "logStreamName": name, "nextToken": first["nextForwardToken"]});
    let (_, rest) = bench.logs("GetLogEvents", asked).await;
    assert_eq!(rest["events"].as_array().unwrap().len(), lines.len() - 2);
    let asked = json!({"logGroupName": "/aws/lambda/f", "limit": 3});
    let (_, page) = bench.logs("FilterLogEvents", asked).await;
    assert!(page["events"].as_array().unwrap().len() == 3 && page["nextToken"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_may_be_json_in_a_group_of_its_own() {
    let bench = Bench::start().await;
    bench.function(json!({"LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/own"}})).await;
    bench.invoke("live", json!({"path": "/whoami"})).await;
    let lines = log_lines(&bench, "/own", "platform.report").await;
    let report: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(report["record"]["status"], "success");
    assert_eq!(bench.invoked("live", json!({"path": "/environment"})).await["AWS_LAMBDA_LOG_FORMAT"], "JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_never_answered_fails() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    assert_eq!(bench.invoked("live", json!({"path": "/skip"})).await["errorType"], "Runtime.Unknown");
    bench.wait_for_note("it asked for the next request without answering the last").await;
    // Only an answer with the log's tail comes after its REPORT line.
    let answered = bench.invoke("live", json!({"path": "/whoami"})).await;
    let answered: Value = serde_json::from_str(&answered.text().await.unwrap()).unwrap();
    assert_eq!(answered["count"], 2);
    let reports = log_lines(&bench, "/aws/lambda/f", "\"REPORT RequestId\"").await;
    let is_failed = |line: &String| line.contains("\tStatus: error\tError Type: Runtime.Unknown\t");
    assert_eq!(reports.iter().map(is_failed).collect::<Vec<_>>(), [true, false]);
}

/// The records of a log, by their types.
async fn records(bench: &Bench) -> Vec<(String, Value)> {
    let lines = log_lines(bench, "/aws/lambda/f", "\"platform.\"").await;
    let record = |line: &String| serde_json::from_str::<Value>(line).ok();
    let named =
        |event: Value| Some((event["type"].as_str()?.strip_prefix("platform.")?.to_owned(), event["record"].clone()));
    lines.iter().filter_map(record).filter_map(named).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_depend_on_their_level() {
    for (level, expected) in [
        ("DEBUG", &["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"][..]),
        ("INFO", &["initStart", "start", "report"]),
        ("WARN", &[]),
    ] {
        let bench = Bench::start().await;
        bench.function(json!({"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": level}})).await;
        bench.invoke("live", json!({"path": "/whoami"})).await;
        let found = records(&bench).await;
        let kinds: Vec<&str> = found.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, expected, "{level}");
        // Failures have the level WARN.
        bench.invoke("live", json!({"path": "/exit"})).await;
        let failed = records(&bench).await[found.len()..].to_vec();
        let [.., (done, record), (report, reported)] = &failed[..] else { panic!("{failed:?}") };
        assert_eq!((done.as_str(), report.as_str()), ("runtimeDone", "report"), "{level}");
        for record in [record, reported] {
            assert_eq!((&record["status"], &record["errorType"]), (&json!("error"), &json!("Runtime.ExitError")));
        }
        assert_eq!((&record["spans"], &record["metrics"]["producedBytes"]), (&Value::Null, &json!(0)), "{level}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_when_the_response_began_and_how_large_it_was() {
    let bench = Bench::start().await;
    bench.function(json!({"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "DEBUG"}})).await;
    let answer = bench.invoke("live", json!({"path": "/whoami"})).await;
    let id = answer.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();
    let size = answer.text().await.unwrap().len();
    let found = records(&bench).await;
    let record = |kind: &str| found.iter().find(|(found, _)| found == kind).unwrap().1.clone();
    let (start, done, report) = (record("start"), record("runtimeDone"), record("report"));
    assert_eq!((&start["requestId"], &start["version"]), (&json!(id), &json!("1")));
    assert!(start["functionArn"].as_str().unwrap().contains(":function:f"), "{start}");
    assert_eq!(
        (&done["requestId"], &done["status"], &done["errorType"]),
        (&json!(id), &json!("success"), &Value::Null)
    );
    assert_eq!(done["metrics"]["producedBytes"], json!(size), "{done}");
    let spans: Vec<&str> =
        done["spans"].as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(spans, ["responseLatency", "responseDuration", "runtimeOverhead"]);
    let times = done["spans"].as_array().unwrap().iter().map(|span| span["durationMs"].as_f64().unwrap());
    let (all, whole) = (times.sum::<f64>(), done["metrics"]["durationMs"].as_f64().unwrap());
    assert!((all - whole).abs() < 0.1, "{done}");
    assert!(report["metrics"]["initDurationMs"].as_f64().unwrap() > 0.0, "{report}");
    assert_eq!(record("initReport")["metrics"]["durationMs"], report["metrics"]["initDurationMs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_failed_has_the_report_of_its_request() {
    let bench = Bench::start().await;
    bench.function(json!({"Environment": {"Variables": {"START": "exit"}}})).await;
    let answer = bench.invoke("$LATEST", json!({})).await;
    let id = answer.headers()["x-amzn-requestid"].to_str().unwrap();
    let lines = log_lines(&bench, "/aws/lambda/f", "").await;
    let starts = [
        "INIT_REPORT ".to_owned(),
        format!("START RequestId: {id}"),
        format!("END RequestId: {id}"),
        format!("REPORT RequestId: {id}"),
    ];
    let last = &lines[lines.len() - starts.len()..];
    assert!(last.iter().zip(&starts).all(|(line, start)| line.starts_with(start)), "{lines:?}");
    assert!(last[3].contains("\tStatus: error\tError Type: Runtime.ExitError\t\n"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_client_left_is_skipped() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    let here = bench.sign_post("here");
    let request = bench.http.get(format!("{url}gate?here={}&gate={}", here.display(), here.display())).send();
    // The client leaves while the process is still starting.
    let started = async {
        wait_until("an instance", || std::fs::read_dir(bench.sign_post("")).is_ok_and(|all| all.count() > 0)).await
    };
    tokio::select! {
        _ = request => panic!("the function answered before it could start"),
        () = started => {}
    }
    let next = bench.http.get(format!("{url}whoami")).send().await.unwrap();
    let seen: Value = serde_json::from_str(&next.text().await.unwrap()).unwrap();
    assert_eq!(seen["count"], 1);
    assert!(!here.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_all_answered() {
    let bench = Bench::start().await;
    let url = bench.public("RESPONSE_STREAM", json!({})).await;
    let all = (0..40).map(|_| tokio::spawn(bench.http.get(format!("{url}stream")).send()));
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.unwrap().unwrap().text().await.unwrap(), "0 1 2 3 4 ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_code_is_seen_at_once() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let before = bench.invoked("$LATEST", json!({"path": "/environment"})).await;
    let code = STANDARD.decode(package()).unwrap();
    let mut text = String::new();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(code)).unwrap();
    std::io::Read::read_to_string(&mut archive.by_index(0).unwrap(), &mut text).unwrap();
    let other = zip("bootstrap", format!("{text}\n# another one\n").as_bytes());
    bench.done(Method::PUT, &format!("{F}/code"), json!({"ZipFile": other, "Publish": true})).await;
    let after = bench.invoked("$LATEST", json!({"path": "/environment"})).await;
    assert_ne!(after["cwd"], before["cwd"]);
    assert_eq!(bench.invoked("2", json!({"path": "/environment"})).await["cwd"], after["cwd"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_past_its_deadline_is_killed() {
    let bench = Bench::start().await;
    bench.function(json!({"Timeout": 1})).await;
    let pid = bench.invoked("live", json!({"path": "/whoami"})).await["pid"].as_u64().unwrap();
    assert_eq!(bench.invoked("live", json!({"path": "/hang"})).await["errorType"], "Sandbox.Timedout");
    wait_until("the process is gone", || !is_alive(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_can_ask_for_a_new_instance() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    let asked = async |new: bool| -> (Value, bool) {
        let request = bench.http.get(format!("{url}whoami"));
        let request = if new { request.header("x-localcloud-instance", "new") } else { request };
        let answer = request.send().await.unwrap();
        let is_new = answer.headers().get("x-localcloud-instance").is_some_and(|value| value == "new");
        (serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(), is_new)
    };
    let (first, said) = asked(false).await;
    assert!(!said);
    let (second, said) = asked(true).await;
    assert!(said && second["pid"] != first["pid"], "{second}");
    assert_eq!(second["count"], json!(1));
    // Both are there from now on.
    let (third, said) = asked(false).await;
    assert!(!said && [&first["pid"], &second["pid"]].contains(&&third["pid"]), "{third}");
    // The same through the API.
    let path = format!("{}{F}/invocations?Qualifier=live", bench.address);
    let event = json!({"path": "/whoami"}).to_string().into_bytes();
    let answer = bench.signed("lambda", Method::POST, &path, &[("x-localcloud-instance", "new")], event).await;
    let invoked: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(![&first["pid"], &second["pid"]].contains(&&invoked["pid"]), "{invoked}");
}
