//! What is made of each kind of answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use lamstream::manifest::{Check, Expect};
use lamstream::verify::{Delay, Fault, Instances, Obstacle, Refusal, Seen, Target, verify};
use tokio::sync::oneshot;

use super::server::{Connection, Server};

const FORBIDDEN: &str = r#"{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: …"}"#;

fn streaming() -> Check {
    Check {
        method: "POST".into(),
        path: "/stream/chat".into(),
        query: vec![("query".into(), "hello you".into())],
        body: Some("the body".into()),
        expect: Expect::Success,
        streams: true,
        ends_within: None,
        ..Check::default()
    }
}

fn target<'a>(url: &'a str, check: &'a Check) -> Target<'a> {
    Target {
        url,
        check,
        sign: None,
        streams: false,
        instances: Instances::OnRequest,
        forbidden_for: Duration::ZERO,
        timeout: Duration::from_secs(20),
    }
}

async fn ask(server: &Server, check: &Check) -> Result<Seen, Fault> {
    verify(&target(&server.url, check), &|_, _| {}).await
}

/// Sends two chunks 60 ms apart, and tells when the client has left.
async fn stream_forever(mut connection: Connection, left: oneshot::Sender<()>) {
    connection.head(200).await;
    connection.chunk("[START]").await;
    connection.pause(60).await;
    connection.chunk("h").await;
    connection.hang().await;
    left.send(()).unwrap_or_default();
}

#[tokio::test]
async fn a_stream_is_proven_before_it_ends() {
    let (left, has_left) = oneshot::channel();
    let left = Mutex::new(Some(left));
    let server = Server::start(move |_, connection| {
        stream_forever(connection, left.lock().unwrap().take().expect("one request"))
    })
    .await;
    let seen = ask(&server, &streaming()).await.unwrap();
    assert_eq!((seen.status, seen.chunks, seen.bytes), (200, 2, 8));
    assert_eq!(seen.streamed, Some(true));
    assert!(seen.duration - seen.first_byte >= Duration::from_millis(50), "{seen:?}");
    has_left.await.expect("the client leaves once it has seen enough");
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /stream/chat?query=hello%20you HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nthe body"), "{request}");
}

#[tokio::test]
async fn the_whole_of_a_stream_is_read_where_that_is_demanded() {
    let server = Server::start(async |_, mut connection: Connection| {
        connection.head(200).await;
        for (pause, text) in [(0, "one"), (60, "two"), (0, "three")] {
            connection.pause(pause).await;
            connection.chunk(text).await;
        }
        connection.pause(60).await;
        connection.last_chunk().await;
    })
    .await;
    let seen = ask(&server, &Check { whole: true, ..streaming() }).await.unwrap();
    assert_eq!((seen.bytes, seen.streamed), (11, Some(true)));
    assert!(seen.duration - seen.first_byte >= Duration::from_millis(120), "{seen:?}");
}

#[tokio::test]
async fn an_answer_that_was_collected_on_the_way_does_not_stream() {
    let server = Server::start(async |_, mut connection: Connection| {
        connection.pause(80).await;
        connection.head(200).await;
        connection.chunk("onetwothree").await;
        connection.last_chunk().await;
    })
    .await;
    let fault = ask(&server, &streaming()).await.unwrap_err();
    assert!(matches!(&fault, Fault::Buffered { on_the_way: false, seen } if seen.streamed == Some(false)), "{fault:?}");
    assert!(!fault.calls_for_moving_back());
    assert!(fault.to_string().starts_with("the response did not stream: 1 chunk, 11 bytes within "), "{fault}");
}

#[tokio::test]
async fn a_403_is_tried_again_until_the_permissions_have_spread() {
    let server = Server::start(async |number, mut connection: Connection| match number {
        0 | 1 => connection.whole(403, FORBIDDEN).await,
        _ => connection.whole(200, "hello").await,
    })
    .await;
    let (check, waits) = (Check::default(), Mutex::new(Vec::new()));
    let target = Target { forbidden_for: Duration::from_secs(20), ..target(&server.url, &check) };
    let on_wait = |delay, elapsed| waits.lock().unwrap().push((delay, elapsed));
    let seen = verify(&target, &on_wait).await.unwrap();
    assert_eq!((seen.status, seen.bytes), (200, 5));
    assert_eq!(server.requests().len(), 3);
    let waits = waits.into_inner().unwrap();
    assert!(!waits.is_empty() && waits.iter().all(|(delay, _)| *delay == Delay::Permissions), "{waits:?}");
    assert!(waits.iter().map(|(_, elapsed)| elapsed).is_sorted(), "{waits:?}");
}

/// The time of a slow response is the function's own. A wait says what else the URL lacks.
#[tokio::test]
async fn a_wait_is_reported_only_for_what_was_seen() {
    async fn answer(number: usize, mut connection: Connection) {
        if number == 0 {
            return connection.whole(429, "busy").await;
        }
        connection.pause(700).await;
        connection.whole(200, "hello").await;
    }
    for (skipped, expected) in [(0, Some(Delay::Concurrency)), (1, None)] {
        let server = Server::start(move |number, connection| answer(number + skipped, connection)).await;
        let waits = Mutex::new(Vec::new());
        let check = Check { expect: Expect::Status(200), ..Check::default() };
        let on_wait = |delay, _| waits.lock().unwrap().push(delay);
        assert_eq!(verify(&target(&server.url, &check), &on_wait).await.unwrap().status, 200);
        assert_eq!(waits.into_inner().unwrap().first().copied(), expected);
    }
}

#[tokio::test]
async fn a_403_that_stays_is_forbidden_and_not_tried_for_longer_than_allowed() {
    let server = Server::start(async |_, mut connection: Connection| connection.whole(403, FORBIDDEN).await).await;
    let check = Check::default();
    let target = Target { forbidden_for: Duration::from_millis(300), ..target(&server.url, &check) };
    let fault = verify(&target, &|_, _| {}).await.unwrap_err();
    let Fault::Forbidden { words, signed: false, tried_for, refusal: Refusal::Unknown, seen } = &fault else {
        panic!("{fault:?}")
    };
    assert!(words.contains("troubleshooting"), "{words}");
    assert!(*tried_for >= Duration::from_millis(300) && seen.status == 403, "{fault:?}");
    // At once, after 250 ms, and when the time is over.
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn without_a_written_check_a_functions_own_403_passes_at_once() {
    let server = Server::start(async |_, mut connection: Connection| connection.whole(403, "log in").await).await;
    assert_eq!(ask(&server, &Check::default()).await.unwrap().status, 403);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_cut() {
    let server = Server::start(async |_, mut connection: Connection| {
        connection.head(200).await;
        connection.chunk("one").await;
        connection.pause(60).await;
        connection.raw("5\r\ntw").await;
    })
    .await;
    let fault = ask(&server, &Check { whole: true, ..streaming() }).await.unwrap_err();
    assert!(matches!(&fault, Fault::Cut { seen, .. } if seen.status == 200), "{fault:?}");
    assert!(fault.calls_for_moving_back());
}

#[tokio::test]
async fn a_server_that_says_nothing_runs_into_the_timeout() {
    let server = Server::start(async |_, connection: Connection| connection.hang().await).await;
    let check = Check::default();
    let target = Target { timeout: Duration::from_millis(200), ..target(&server.url, &check) };
    let fault = verify(&target, &|_, _| {}).await.unwrap_err();
    assert!(matches!(fault, Fault::Timeout { seen: None, after } if after >= Duration::from_millis(200)), "{fault:?}");
}

#[tokio::test]
async fn a_stream_that_falls_silent_runs_into_the_timeout_with_what_was_seen() {
    let server = Server::start(async |_, mut connection: Connection| {
        connection.head(200).await;
        connection.chunk("one").await;
        connection.hang().await;
    })
    .await;
    let check = streaming();
    let target = Target { timeout: Duration::from_millis(300), ..target(&server.url, &check) };
    let fault = verify(&target, &|_, _| {}).await.unwrap_err();
    assert!(matches!(&fault, Fault::Timeout { seen: Some(seen), .. } if seen.bytes == 3), "{fault:?}");
}

#[tokio::test]
async fn without_a_written_check_an_endless_stream_is_an_answer() {
    let (left, has_left) = oneshot::channel();
    let left = Mutex::new(Some(left));
    let server = Server::start(move |_, connection| {
        stream_forever(connection, left.lock().unwrap().take().expect("one request"))
    })
    .await;
    let seen = ask(&server, &Check::default()).await.unwrap();
    assert_eq!(seen.bytes, 8);
    has_left.await.expect("the client leaves");
    assert!(seen.duration < Duration::from_secs(10), "{seen:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_end_fails_whether_it_has_a_body_or_not() {
    let server = Server::start(async |number, mut connection: Connection| {
        connection.head(if number == 0 { 302 } else { 200 }).await;
        if number > 0 {
            connection.chunk(": ping\n\n").await;
        }
        connection.hang().await;
    })
    .await;
    let check = Check { ends_within: Some(Duration::from_millis(300)), ..Check::default() };
    for words in ["the response has no body and does not end", "the response does not end: 1 chunk, 8 bytes"] {
        let fault = ask(&server, &check).await.unwrap_err();
        assert!(fault.to_string().starts_with(words) && fault.calls_for_moving_back(), "{fault}");
    }
    // A fault that a cold start cannot explain is not asked again.
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_slow_end_or_beginning_is_retried_once() {
    let server = Server::start(async |number, mut connection: Connection| {
        if number % 2 == 0 {
            connection.pause(400).await;
        }
        connection.whole(200, "hello").await;
    })
    .await;
    let limit = Some(Duration::from_millis(300));
    for check in [
        Check { ends_within: limit, ..Check::default() },
        Check { max_gap: limit, ..Check::default() },
        Check { first_byte_within: limit, ..Check::default() },
    ] {
        ask(&server, &check).await.unwrap();
    }
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_compressed_stream_is_asked_for_and_judged_when_it_can_be_decoded() {
    // `hello ` flushed, and `world`, in Brotli.
    let server = Server::start(async |_, mut connection: Connection| {
        connection
            .raw("HTTP/1.1 200 X\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nContent-Encoding: br\r\n\r\n")
            .await;
        connection.bytes(b"9\r\n\x8b\x02\x80hello \r\n").await;
        connection.pause(60).await;
        connection.bytes(b"9\r\n \x00\x08world\x03\r\n").await;
        connection.last_chunk().await;
    })
    .await;
    let check = Check { contains: Some("lo wor".into()), ..streaming() };
    let seen = ask(&server, &check).await.unwrap();
    assert_eq!((seen.chunks, seen.streamed), (2, Some(true)));
    assert!(server.requests()[0].contains("accept-encoding: gzip, br\r\n"), "{:?}", server.requests());
}

#[tokio::test]
async fn answers_that_are_none_each_have_their_fault() {
    let error_text = "hi Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n";
    let bodies =
        [(200, r#"{"statusCode":200,"body":"hi"}"#), (200, error_text), (502, "Internal Server Error"), (404, "no")];
    let server = Server::start(move |number, mut connection: Connection| async move {
        let (status, body) = bodies[number];
        connection.whole(status, body).await;
    })
    .await;
    assert!(matches!(ask(&server, &streaming()).await, Err(Fault::RawJson { .. })));
    assert!(matches!(ask(&server, &streaming()).await, Err(Fault::RuntimeErrorText { .. })));
    assert!(matches!(ask(&server, &Check::default()).await, Err(Fault::ServerError { .. })));
    let fault = ask(&server, &streaming()).await.unwrap_err();
    assert_eq!(fault.to_string(), "the response has status 404, expected 200 to 399: `no`");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::start(async |_, mut connection: Connection| {
        connection
            .raw("HTTP/1.1 302 X\r\nConnection: close\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            .await;
    })
    .await;
    let seen = ask(&server, &Check::default()).await.unwrap();
    assert_eq!((seen.status, seen.chunks, server.requests().len()), (302, 0, 1));
}

#[tokio::test]
async fn each_request_is_signed_and_a_signer_that_cannot_is_believed() {
    let server = Server::start(async |number, mut connection: Connection| match number {
        0 => connection.whole(403, FORBIDDEN).await,
        _ => connection.whole(200, "hello").await,
    })
    .await;
    let check = Check { headers: vec![("x-own".into(), "1".into())], ..streaming() };
    let check = Check { streams: false, ..check };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let sign = |method: &Method, url: &str, headers: &[(String, String)], body: &[u8]| {
        let mut asked = asked.lock().unwrap();
        asked.push(format!("{method} {url} {headers:?} {}", String::from_utf8_lossy(body)));
        Ok(vec![("authorization".into(), format!("signature {}", asked.len()))])
    };
    let forbidden_for = Duration::from_secs(20);
    let signed = Target { sign: Some(&sign), forbidden_for, ..target(&server.url, &check) };
    verify(&signed, &|_, _| {}).await.unwrap();
    let expected = format!("POST {}stream/chat?query=hello%20you [(\"x-own\", \"1\")] the body", server.url);
    assert_eq!(*asked.lock().unwrap(), [expected.clone(), expected]);
    let last = server.requests()[1].clone();
    assert!(last.contains("authorization: signature 2\r\n") && last.contains("x-own: 1\r\n"), "{last}");
    let cannot = |_: &Method, _: &str, _: &[(String, String)], _: &[u8]| Err("expired".to_string());
    let unsigned = Target { sign: Some(&cannot), ..target(&server.url, &check) };
    assert_eq!(verify(&unsigned, &|_, _| {}).await.unwrap_err(), Fault::NotSigned("expired".into()));
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_unreachable_and_not_the_functions_fault() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let check = Check::default();
    let fault = verify(&target(&url, &check), &|_, _| {}).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { obstacle: Obstacle::Connection, .. }), "{fault:?}");
    assert!(!fault.calls_for_moving_back());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_said_to_be_unknown() {
    let check = Check::default();
    let fault = verify(&target("https://lamstream.invalid/", &check), &|_, _| {}).await.unwrap_err();
    // Behind a proxy it is the proxy that does not know it.
    assert!(matches!(fault, Fault::Unreachable { obstacle: Obstacle::Name | Obstacle::Proxy, .. }), "{fault:?}");
}
