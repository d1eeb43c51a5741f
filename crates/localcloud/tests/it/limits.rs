//! AWS's limits, if they are enabled.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Bench;

const F: &str = "/2015-03-31/functions/f";
const MB: u64 = 1024 * 1024;

/// How much arrives, and whether it ends without an error.
async fn read(bench: &Bench, url: &str) -> (u64, bool) {
    let mut body = bench.http.get(url).send().await.unwrap().bytes_stream();
    let mut got = 0;
    while let Some(bytes) = body.next().await {
        let Ok(bytes) = bytes else { return (got, false) };
        got += bytes.len() as u64;
    }
    (got, true)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_slows_down_after_its_first_six_megabytes() {
    let bench = Bench::with(|options| options.stream_rate = Some(16 * MB)).await;
    let url = bench.public("RESPONSE_STREAM", json!({})).await;
    let begun = Instant::now();
    assert_eq!(read(&bench, &format!("{url}size?bytes={}", 15 * MB)).await, (15 * MB, true));
    assert!(begun.elapsed() > Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_too_long_breaks() {
    let bench = Bench::with(|options| options.stream_size = Some(MB)).await;
    let url = bench.public("RESPONSE_STREAM", json!({})).await;
    // The prelude before the body counts, too.
    let most = MB - 200;
    assert_eq!(read(&bench, &format!("{url}size?bytes={most}")).await, (most, true));
    let (got, whole) = read(&bench, &format!("{url}size?bytes={}", MB + 1)).await;
    assert!(!whole && got <= MB, "{got}");
    bench
        .wait_for_note("its stream was cut: Response payload size exceeded maximum allowed payload size (1048576")
        .await;
    // A buffered answer has a limit of its own.
    let config = json!({"InvokeMode": "BUFFERED"});
    bench.done(Method::PUT, "/2021-10-31/functions/f/url?Qualifier=live", config).await;
    assert_eq!(read(&bench, &format!("{url}size?bytes={}", 2 * MB)).await, (2 * MB, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_refused_for_a_while() {
    let bench = Bench::with(|options| options.api_rate = Some(1)).await;
    let url = |path: &str| format!("{}{path}", bench.address);
    let ask = |path: &str| {
        let url = url(path);
        async {
            let url = url;
            bench.signed("lambda", Method::GET, &url, &[], Vec::new()).await
        }
    };
    assert_eq!(ask("/2015-03-31/functions").await.status(), 200);
    let refused = loop {
        let answer = ask("/2015-03-31/functions").await;
        if answer.status() != 200 {
            break answer;
        }
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["x-amzn-errortype"], "TooManyRequestsException");
    let body: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(body["Reason"], "CallerRateLimitExceeded");
    // GetFunction has a rate of its own, and other services are not counted.
    assert_eq!(ask(F).await.status(), 404);
    assert_eq!(bench.query("sts", "GetCallerIdentity", &[]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_groups_and_iam_have_rates_of_their_own() {
    let bench = Bench::with(|options| (options.logs_rate, options.iam_rate) = (Some(1), Some(1))).await;
    for action in ["DescribeLogGroups", "CreateLogGroup"] {
        let input = if action == "CreateLogGroup" { json!({"logGroupName": "g"}) } else { json!({}) };
        // Each operation is counted by itself.
        assert_eq!(bench.logs(action, input.clone()).await.0, 200, "{action}");
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(bench.logs(action, input.clone()).await);
        }
        let refusal = (400, json!({"__type": "ThrottlingException", "message": "Rate exceeded"}));
        assert!(answers.contains(&refusal), "{action}: {answers:?}");
    }
    // Reading events is not counted.
    let events = json!({"logGroupName": "g"});
    assert_eq!(bench.logs("FilterLogEvents", events.clone()).await.0, 200);
    assert_eq!(bench.logs("FilterLogEvents", events).await.0, 200);

    let roles = async || bench.query("iam", "ListRoles", &[]).await;
    assert_eq!(roles().await.0, 200);
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(roles().await);
    }
    let is_refusal = |(status, text): &(u16, String)| {
        *status == 400 && text.contains("<Code>Throttling</Code>") && text.contains("<Message>Rate exceeded</Message>")
    };
    assert!(answers.iter().any(is_refusal), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_takes_its_time_to_reach_the_url() {
    let bench = Bench::with(|options| options.url_permission_lag = Duration::from_millis(700)).await;
    let url = bench.public("RESPONSE_STREAM", json!({})).await;
    assert_eq!(bench.http.get(&url).send().await.unwrap().status(), 403);
    let opened = async { while bench.http.get(&url).send().await.unwrap().status() != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), opened).await.unwrap();
}
