//! Answers through a URL: byte by byte, and how they end.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Bench, signature, wait_until};

const STREAM: &str = "RESPONSE_STREAM";
const URL: &str = "/2021-10-31/functions/f/url?Qualifier=live";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_bytes_arrive_before_the_last_are_made() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let gate = bench.sign_post("gate");
    let answer = bench.http.get(format!("{url}gated?gate={}", gate.display())).send().await.unwrap();
    let mut body = answer.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "first");
    // Only now may the function continue: a cloud that buffers would hang here.
    std::fs::write(gate, "").unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), "second");
    assert!(body.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prelude_in_pieces_is_put_together() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let answer = bench.http.get(format!("{url}split")).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let headers = answer.headers();
    assert_eq!(headers["x-own"], "yes");
    // A function cannot set the length of a stream.
    assert_eq!(
        (headers.get("content-length"), &headers["x-amzn-remapped-content-length"]),
        (None, &"7".parse().unwrap())
    );
    let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=b", "c=d"]);
    assert!(headers.contains_key("x-amzn-requestid") && headers.contains_key("x-amzn-trace-id"));
    assert_eq!(answer.text().await.unwrap(), "1234567");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodyless_answers_end() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for status in [204, 302, 304] {
        let answer = client.get(format!("{url}empty?status={status}")).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    let head = client.head(format!("{url}split")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (201, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodyless_answers_stay_open_until_the_function_ends_its_stream() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let moment = Duration::from_millis(300);
    // The head of a redirect arrives, its end does not.
    let gate = bench.sign_post("redirect");
    let answer = client.get(format!("{url}open?status=302&gate={}", gate.display())).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let body = answer.text();
    tokio::pin!(body);
    assert!(tokio::time::timeout(moment, &mut body).await.is_err(), "the answer has ended before its function did");
    std::fs::write(gate, "").unwrap();
    assert_eq!(body.await.unwrap(), "");
    // For HTTP these end with their head, which therefore is late.
    for (method, status) in [(Method::GET, 204), (Method::GET, 304), (Method::HEAD, 200)] {
        let gate = bench.sign_post(&format!("{method}{status}"));
        let answer = client.request(method, format!("{url}open?status={status}&gate={}", gate.display())).send();
        tokio::pin!(answer);
        assert!(tokio::time::timeout(moment, &mut answer).await.is_err(), "{status} has ended before its function did");
        std::fs::write(gate, "").unwrap();
        assert_eq!(answer.await.unwrap().status(), status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_headers_of_a_function_are_renamed() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let headers = json!({"www-authenticate": "Basic", "Date": "yesterday", "content-length": "10", "x-own": "yes"});
    for mode in [STREAM, "BUFFERED"] {
        bench.done(Method::PUT, "/2021-10-31/functions/f/url?Qualifier=live", json!({"InvokeMode": mode})).await;
        let ask = async |headers: &Value| {
            let (path, name, value) = match mode {
                STREAM => ("headers", "headers", headers.clone()),
                _ => ("json", "value", json!({"statusCode": 200, "headers": headers, "body": "some words"})),
            };
            let query: String = form_urlencoded::byte_serialize(value.to_string().as_bytes()).collect();
            bench.http.get(format!("{url}{path}?{name}={query}")).send().await.unwrap()
        };
        let answer = ask(&headers).await;
        let seen = answer.headers();
        assert_eq!(seen["x-amzn-remapped-www-authenticate"], "Basic", "{mode}");
        assert_eq!(seen["x-amzn-remapped-date"], "yesterday", "{mode}");
        assert_eq!(seen["x-own"], "yes", "{mode}");
        assert!(!seen.contains_key("www-authenticate") && seen["date"] != "yesterday", "{mode}: {seen:?}");
        assert_eq!(answer.text().await.unwrap(), "some words");

        // Only the URL itself may send such names.
        let refused = ask(&json!({"X-Amzn-Remapped-Date": "yesterday"})).await;
        assert_eq!(refused.status(), 500, "{mode}");
        assert!(refused.text().await.unwrap().contains("Internal Server Error"), "{mode}");
        bench.wait_for_note("the answer has a header `X-Amzn-Remapped-Date`").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_breaks_the_stream() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let gate = bench.sign_post("gate");
    let answer = bench.http.get(format!("{url}die?gate={}", gate.display())).send().await.unwrap();
    let mut body = answer.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "some words");
    std::fs::write(gate, "").unwrap();
    assert!(body.next().await.unwrap().is_err());
    bench.wait_for_note("the answer was cut in mid-stream").await;
    // The next request gets another process.
    let answer = bench.http.get(format!("{url}split")).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_reported_even_if_the_stream_is_complete() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    // A panic that unwinds ends the answer as if it were complete, so the client cannot notice.
    let answer = bench.http.get(format!("{url}panic?how=unwind")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "some words");
    bench.wait_for_note("the function panicked: thread 'main' panicked at src/main.rs:1:1:").await;
    // A panic that aborts breaks it.
    let answer = bench.http.get(format!("{url}panic?how=abort")).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await;
    assert!(text.is_err(), "{status} {text:?} {}", bench.notes());
    bench.wait_for_note("signal: 6").await;
    let panics = || bench.notes().matches("the function panicked").count();
    wait_until("a second panic is reported", || panics() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn error_trailers_break_the_stream() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let gate = bench.sign_post("gate");
    let answer = bench.http.get(format!("{url}trailers?gate={}", gate.display())).send().await.unwrap();
    let mut body = answer.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "some words");
    std::fs::write(gate, "").unwrap();
    assert!(body.next().await.unwrap().is_err());
    bench
        .wait_for_note("the function failed in mid-stream: Late {\"errorType\":\"Late\",\"errorMessage\":\"as asked\"}")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_errors_text_in_the_body_is_reported_loudly() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let answer = bench.http.get(format!("{url}text")).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("Lambda-Runtime-Function-Error-Type"));
    bench.wait_for_note("the client got an error as text in the body").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_breaks_a_stream_that_hangs() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({"Timeout": 1})).await;
    let answer = bench.http.get(format!("{url}stuck")).send().await.unwrap();
    let mut body = answer.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "some words");
    assert!(body.next().await.unwrap().is_err());
    bench.wait_for_note("Task timed out after 1.00 seconds").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_goes_on_when_its_client_has_left() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let (gate, done) = (bench.sign_post("gate"), bench.sign_post("done"));
    let request = format!("{url}after?gate={}&done={}", gate.display(), done.display());
    let answer = bench.http.get(request).send().await.unwrap();
    let mut body = answer.bytes_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    std::fs::write(gate, "").unwrap();
    wait_until("the function is done", || std::fs::read_to_string(&done).is_ok_and(|status| status == "202")).await;
    bench.wait_for_note("the client left before the end").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_learns_how_a_stream_broke() {
    let bench = Bench::start().await;
    bench.function(json!({"Timeout": 1})).await;
    let gate = bench.sign_post("gate");
    std::fs::write(&gate, "").unwrap();
    for (path, words) in [
        ("/trailers", r#"{"errorType":"Late","errorMessage":"as asked"}"#),
        ("/stuck", "Task timed out after 1.00 seconds"),
        ("/die", "Runtime exited"),
    ] {
        let event = json!({"path": path, "gate": gate});
        let url = format!("{}/2021-11-15/functions/f:live/response-streaming-invocations", bench.address);
        let answer = bench.signed("lambda", Method::POST, &url, &[], event.to_string().into_bytes()).await;
        let frames = frames(&answer.bytes().await.unwrap());
        let (kind, complete) = frames.last().unwrap();
        let complete: Value = serde_json::from_str(complete).unwrap();
        assert_eq!((kind.as_str(), &complete["ErrorCode"]), ("InvokeComplete", &json!("Unhandled")));
        assert!(complete["ErrorDetails"].as_str().unwrap().contains(words), "{path}: {complete}");

        let answer = bench.invoke("live", event).await;
        assert_eq!(answer.headers()["x-amz-function-error"], "Unhandled");
        let text = answer.text().await.unwrap();
        assert!(text.contains(words), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_runs_nothing() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let dry = [("x-amz-invocation-type", "DryRun")];
    for path in ["2021-11-15/functions/f/response-streaming-invocations", "2015-03-31/functions/f/invocations"] {
        let url = format!("{}/{path}", bench.address);
        let answer = bench.signed("lambda", Method::POST, &url, &dry, br#"{"path":"/exit"}"#.to_vec()).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (204, String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_reaches_the_function_as_it_was_written() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let event = async |path: &str| -> Value {
        let answer = bench.http.get(format!("{url}{path}")).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    };
    let encoded = event("echo%2Fa%3Fb%20c?x=1%2B2+3&y=").await;
    assert_eq!(encoded["rawPath"], "/echo%2Fa%3Fb%20c");
    assert_eq!(encoded["requestContext"]["http"]["path"], "/echo/a?b c");
    assert_eq!(encoded["rawQueryString"], "x=1%2B2+3&y=");
    assert_eq!(encoded["queryStringParameters"], json!({"x": "1+2 3", "y": ""}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_of_the_url_decides_what_is_sent() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let value =
        r#"{"statusCode":418,"headers":{"x-own":"yes"},"cookies":["a=b"],"body":"aGk=","isBase64Encoded":true}"#;
    let ask = |value: &str| bench.http.get(format!("{url}json")).query_string(value).send();
    // A streaming URL over a buffered handler: the raw JSON, with 200.
    let answer = ask(value).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()["statusCode"], 418);
    bench.wait_for_note("RESPONSE_STREAM url over a buffered handler").await;

    bench.done(Method::PUT, URL, json!({"InvokeMode": "BUFFERED"})).await;
    let answer = ask(value).await.unwrap();
    assert_eq!((answer.status(), &answer.headers()["x-own"]), (StatusCode::IM_A_TEAPOT, &"yes".parse().unwrap()));
    assert_eq!(answer.headers()["set-cookie"], "a=b");
    assert_eq!(answer.text().await.unwrap(), "hi");
    let answer = ask(r#"{"any":"json"}"#).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    // As recorded on AWS: a string is sent as its text, not as JSON.
    for (value, sent) in [
        (r#""hello""#, "hello"),
        (r#"["hello", 3, true]"#, r#"["hello",3,true]"#),
        ("3.1", "3.1"),
        (r#"{"statusCode": 200, "body": "body123"}"#, "body123"),
    ] {
        let answer = ask(value).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.text().await.unwrap(), sent);
    }
    assert_eq!(ask(r#"{"statusCode":1000}"#).await.unwrap().status(), 502);
    // The length that a streaming handler sets is ignored.
    let answer = bench.http.get(format!("{url}split")).send().await.unwrap();
    assert_eq!((answer.content_length(), answer.text().await.unwrap()), (Some(7), "1234567".to_owned()));
    bench.wait_for_note("BUFFERED url over a streaming handler").await;
    // A streaming handler's answer is collected: it has a length and no chunks, and fails beyond 6 MB.
    let answer = bench.http.get(format!("{url}size?bytes=1000000")).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(1_000_000));
    let answer = bench.http.get(format!("{url}size?bytes=7000000")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    bench.wait_for_note("Function.ResponseSizeTooLarge").await;
}

trait QueryString {
    fn query_string(self, value: &str) -> Self;
}

impl QueryString for reqwest::RequestBuilder {
    fn query_string(self, value: &str) -> Self {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("value", value).finish();
        let (client, request) = self.build_split();
        let mut request = request.unwrap();
        request.url_mut().set_query(Some(&query));
        Self::from_parts(client, request)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_has_the_form_of_payload_2() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let request = bench.http.post(format!("{url}echo?a=1&a=2&b=x%20y")).header("cookie", "k=v; l=w");
    let event: Value = serde_json::from_slice(
        &request
            .header("content-type", "application/json")
            .body(r#"{"x":1}"#)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
    )
    .unwrap();
    assert_eq!(
        (&event["version"], &event["rawPath"], &event["rawQueryString"]),
        (&json!("2.0"), &json!("/echo"), &json!("a=1&a=2&b=x%20y"))
    );
    assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": "x y"}));
    assert_eq!(
        (&event["cookies"], &event["body"], &event["isBase64Encoded"]),
        (&json!(["k=v", "l=w"]), &json!(r#"{"x":1}"#), &json!(false))
    );
    let context = &event["requestContext"];
    assert_eq!((&context["accountId"], &context["http"]["method"]), (&json!("anonymous"), &json!("POST")));
    assert_eq!((&context["stage"], &context["http"]["protocol"]), (&json!("$default"), &json!("HTTP/1.1")));
    // Binary bodies are passed in base64; without a body there is no member.
    let bytes =
        bench.http.post(format!("{url}echo")).body(vec![0xff, 0x00]).send().await.unwrap().bytes().await.unwrap();
    let event: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    let bytes = bench.http.get(format!("{url}echo")).send().await.unwrap().bytes().await.unwrap();
    let event: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(event.get("body").is_none() && event.get("cookies").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_url_needs_both_statements() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let ask = || async { bench.http.get(format!("{url}split")).send().await.unwrap() };
    assert_eq!(ask().await.status(), 201);
    let policy = "/2015-03-31/functions/f/policy";
    bench.done(Method::DELETE, &format!("{policy}/invoke?Qualifier=live"), Value::Null).await;
    let refused = ask().await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("urls-auth.html"));
    // A statement on the function does not apply to the alias.
    let statement = json!({"StatementId": "invoke", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true});
    bench.done(Method::POST, policy, statement.clone()).await;
    assert_eq!(ask().await.status(), 403);
    bench.done(Method::POST, &format!("{policy}?Qualifier=live"), statement).await;
    assert_eq!(ask().await.status(), 201);
    // A deleted alias leaves its URL, which refuses every request.
    bench.done(Method::DELETE, "/2015-03-31/functions/f/aliases/live", Value::Null).await;
    assert_eq!(ask().await.status(), 403);
    bench.done(Method::GET, URL, Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_url_wants_a_signature() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    bench.done(Method::PUT, URL, json!({"AuthType": "AWS_IAM"})).await;
    let url = format!("{url}echo");
    assert_eq!(bench.http.get(&url).send().await.unwrap().status(), 403);
    let answer = bench.signed("lambda", Method::GET, &url, &[], vec![]).await;
    assert_eq!(answer.status(), 200);
    let event: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(event["requestContext"]["authorizer"]["iam"]["accessKey"], json!(bench.credentials.access_key_id));
    assert_eq!(bench.signed("execute-api", Method::GET, &url, &[], vec![]).await.status(), 403);
    let mut tampered = bench.http.post(&url).body("other");
    for (name, value) in signature(&bench.credentials, "lambda", SystemTime::now(), &Method::POST, &url, &[], b"body") {
        tampered = tampered.header(name, value);
    }
    assert_eq!(tampered.send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_is_applied() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let cors = json!({"AllowOrigins": ["https://a.example"], "AllowMethods": ["POST"], "AllowHeaders": ["x-key"], "MaxAge": 60});
    bench.done(Method::PUT, URL, json!({"Cors": cors})).await;
    let preflight = |origin: &str| {
        bench
            .http
            .request(Method::OPTIONS, &url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-key,x-other")
            .send()
    };
    let answer = preflight("https://a.example").await.unwrap();
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], "https://a.example");
    assert_eq!(
        (&headers["access-control-allow-methods"], &headers["access-control-max-age"]),
        (&"POST".parse().unwrap(), &"60".parse().unwrap())
    );
    assert_eq!(headers["access-control-allow-headers"], "x-key");
    assert!(!preflight("https://b.example").await.unwrap().headers().contains_key("access-control-allow-origin"));
    let answer = bench.http.get(format!("{url}split")).header("origin", "https://a.example").send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://a.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_are_refused() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let answer = bench.http.post(format!("{url}split")).body(vec![b'x'; 6 * 1024 * 1024 + 1]).send().await.unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_clients_are_served() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let answer = client.get(format!("{url}split")).send().await.unwrap();
    assert_eq!((answer.version(), answer.status()), (reqwest::Version::HTTP_2, StatusCode::CREATED));
    assert_eq!(answer.text().await.unwrap(), "1234567");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_the_function_back() {
    let bench = Bench::start().await;
    let url = bench.public(STREAM, json!({})).await;
    let answer = bench.http.get(format!("{url}size?bytes=200000000")).send().await.unwrap();
    let mut body = answer.bytes_stream();
    body.next().await.unwrap().unwrap();
    // The client does not read: what is in transit fits into the sockets' buffers, so the whole never gets through.
    tokio::time::timeout(Duration::from_secs(1), wait_for_report(&bench)).await.unwrap_err();
    let mut rest = 0;
    while let Some(bytes) = body.next().await {
        rest += bytes.unwrap().len();
    }
    assert!(rest > 100_000_000);
    wait_for_report(&bench).await;
}

async fn wait_for_report(bench: &Bench) {
    let asked = json!({"logGroupName": "/aws/lambda/f", "filterPattern": "REPORT"});
    while bench.logs("FilterLogEvents", asked.clone()).await.1["events"].as_array().is_none_or(Vec::is_empty) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_invoke_is_framed() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let ask = |event: Value| {
        let url = format!("{}/2021-11-15/functions/f:live/response-streaming-invocations", bench.address);
        let (bench, body) = (&bench, event.to_string().into_bytes());
        async move { bench.signed("lambda", Method::POST, &url, &[], body).await.bytes().await.unwrap() }
    };
    let frames = frames(&ask(json!({"path": "/stream"})).await);
    let kinds: Vec<&str> = frames.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.last(), Some(&"InvokeComplete"));
    assert!(kinds[..kinds.len() - 1].iter().all(|kind| *kind == "PayloadChunk"));
    assert!(frames[0].1.contains("statusCode"));
    let failed = self::frames(&ask(json!({"path": "/fail"})).await);
    assert_eq!(failed.len(), 1);
    let complete: Value = serde_json::from_str(&failed[0].1).unwrap();
    assert_eq!(complete["ErrorCode"], "Unhandled");
    assert!(complete["ErrorDetails"].as_str().unwrap().contains("as asked"));
}

fn frames(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let message = aws_smithy_eventstream::frame::read_message_from(&mut bytes).unwrap();
        let kind = message.headers().iter().find(|header| header.name().as_str() == ":event-type").unwrap();
        let kind = kind.value().as_string().unwrap().as_str().to_owned();
        frames.push((kind, String::from_utf8_lossy(message.payload()).into_owned()));
    }
    frames
}
