//! The ports of a cloud, and what other processes and pages can do with them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, package, signature, wait_until};

const F: &str = "/2015-03-31/functions/f";
const NEXT: &str = "/2018-06-01/runtime/invocation/next";

/// Sends some bytes, and reads everything up to the end of the connection.
fn exchange(address: &str, bytes: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    // A connection that is reset has ended as well.
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn get(path: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")
}

/// The address of an instance's Runtime API.
async fn runtime_of(bench: &Bench) -> String {
    let seen = bench.invoked("live", json!({"path": "/environment"})).await;
    seen["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_no_event_and_gives_no_answer() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let runtime = runtime_of(&bench).await;
    // The instance waits for its next event; this process asks for one, too, and is refused at once.
    for path in [NEXT, "/2020-01-01/extension/event/next"] {
        let answer = exchange(&runtime, &get(path, &[("Host", &runtime)]));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{path}: {answer}");
    }
    let forged = |path: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {runtime}\r\nConnection: close\r\n");
        exchange(&runtime, &format!("{head}Lambda-Extension-Name: mine\r\nContent-Length: 2\r\n\r\n{{}}"))
    };
    for path in [
        "/2018-06-01/runtime/init/error",
        "/2018-06-01/runtime/invocation/any/response",
        "/2018-06-01/runtime/invocation/any/error",
        "/2020-01-01/extension/register",
    ] {
        let answer = forged(path);
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("of its own instance"), "{path}: {answer}");
    }
    // The next event is still the instance's.
    assert_eq!(bench.invoked("live", json!({"path": "/whoami"})).await["count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_no_event_of_another() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let runtime = runtime_of(&bench).await;
    let other = json!({"FunctionName": "other", "Role": "arn:aws:iam::000000000000:role/role", "Timeout": 30,
        "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": package()}});
    bench.done(Method::POST, "/2015-03-31/functions", other).await;
    let stolen = bench.done(
        Method::POST,
        "/2015-03-31/functions/other/invocations",
        json!({"path": "/steal", "address": runtime}),
    );
    assert_eq!(stolen.await, json!({"got": "403"}));
    assert_eq!(bench.invoked("live", json!({"path": "/whoami"})).await["count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_instance_has_started_may_speak_for_it() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    assert_eq!(bench.invoked("live", json!({"path": "/delegate"})).await, "by another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_api_answers_under_its_own_address_and_no_browser() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let runtime = runtime_of(&bench).await;
    let (_, port) = runtime.split_once(':').unwrap();
    let localhost = format!("localhost:{port}");
    // Sent by the instance itself, which may use the Runtime API.
    let ask = async |method: &str, of: &str, headers: Value| {
        let event = json!({"path": "/ask", "method": method, "of": of, "headers": headers});
        bench.invoked("live", event).await
    };
    for (headers, word) in [
        (json!({"Host": "rebound.example"}), "the host `rebound.example` is not"),
        (json!({"Host": localhost}), "is not the address"),
        (json!({"Host": "127.0.0.1"}), "is not the address"),
        (json!({"Origin": "http://rebound.example"}), "does not answer browsers"),
        (json!({"Origin": "null"}), "does not answer browsers"),
        (json!({"Sec-Fetch-Site": "cross-site"}), "does not answer browsers"),
        (json!({"Sec-Fetch-Site": "same-origin"}), "does not answer browsers"),
        (json!({"Sec-Fetch-Site": "none"}), "does not answer browsers"),
    ] {
        for (method, of) in [("GET", "invocation/next"), ("POST", "invocation/any/response"), ("POST", "init/error")] {
            let seen = ask(method, of, headers.clone()).await;
            let said = seen["body"].as_str().unwrap();
            assert!(seen["status"] == 403 && said.contains(word), "{method} {of} {headers}: {seen}");
        }
    }
    let seen = ask("POST", "invocation/any/response", json!({"Sec-Fetch-Mode": "cors"})).await;
    assert_eq!(seen["status"], 400, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_answers_under_the_names_of_this_machine_alone() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    for host in ["127.0.0.1", "localhost", "LocalHost", "shop.localhost", "[::1]", "127.0.0.2"] {
        let answer = exchange(&url, &get("/echo", &[("Host", &format!("{host}:{port}"))]));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
    }
    let own = format!("127.0.0.1:{port}");
    for (path, hosts) in [
        ("/echo", vec!["rebound.example"]),
        ("/echo", vec!["localhost.rebound.example"]),
        ("/echo", vec!["192.0.2.1"]),
        ("/echo", vec!["0.0.0.0"]),
        ("/echo", vec![own.as_str(), "rebound.example"]),
        ("/echo", vec![]),
        ("http://rebound.example/echo", vec![own.as_str()]),
    ] {
        let headers: Vec<(&str, &str)> = hosts.iter().map(|host| ("Host", *host)).collect();
        let answer = exchange(&url, &get(path, &headers));
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("--public-hosts"), "{path} {hosts:?}: {answer}");
        assert!(!answer.contains("rawPath"), "{answer}");
    }
    // HTTP/2 has no `Host`.
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
    let http2 = http2.resolve("rebound.example", own.parse().unwrap()).build().unwrap();
    assert_eq!(http2.get(format!("{url}echo")).send().await.unwrap().status(), 200);
    let rebound = http2.get(format!("http://rebound.example:{port}/echo")).send().await.unwrap();
    assert_eq!(rebound.status(), 403);
    // A page of another site may ask a URL.
    let answer = exchange(&url, &get("/echo", &[("Host", &own), ("Origin", "https://shop.example")]));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_door_is_let_in_where_it_is_asked_for() {
    let bench = Bench::with(|options| options.public_hosts = true).await;
    let url = bench.public("BUFFERED", json!({})).await;
    let answer = exchange(&url, &get("/echo", &[("Host", "shop.example")]));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // That is for URLs.
    let answer = exchange(&bench.address, &get("/2015-03-31/functions", &[("Host", "shop.example")]));
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("is not a loopback name"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_refuses_what_pages_of_other_sites_send() {
    let bench = Bench::start().await;
    let own = bench.address.trim_start_matches("http://").to_owned();
    for headers in [
        vec![("Host", own.as_str()), ("Sec-Fetch-Site", "cross-site")],
        vec![("Host", own.as_str()), ("Sec-Fetch-Site", "same-site")],
        vec![("Host", own.as_str()), ("Origin", "null")],
        vec![("Host", own.as_str()), ("Host", "rebound.example")],
        vec![],
    ] {
        let answer = exchange(&own, &get("/2015-03-31/functions", &headers));
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("AccessDenied"), "{headers:?}: {answer}");
    }
    let answer = exchange(&own, &get("http://rebound.example/2015-03-31/functions", &[("Host", &own)]));
    assert!(answer.contains("AccessDenied"), "{answer}");
}

/// The head of a request whose body follows.
fn head(address: &str, path: &str, length: usize, headers: &[(String, String)]) -> String {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_request_is_refused_before_its_body_is_read() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let url = bench.url(json!({"AuthType": "AWS_IAM"})).await;
    let stranger = localcloud::Credentials { access_key_id: "AKIAOTHER".into(), ..bench.credentials.clone() };
    let guessed = localcloud::Credentials { secret_access_key: "guessed".into(), ..bench.credentials.clone() };
    let digest = "0".repeat(64);
    let said = [("x-amz-content-sha256", digest.as_str())];
    let now = SystemTime::now();
    for (address, path) in [(bench.address.as_str(), F), (url.as_str(), "/")] {
        let whole = format!("{}{path}", address.trim_end_matches('/'));
        let sign = |credentials, at, headers: &[(&str, &str)]| {
            let mut signed = signature(credentials, "lambda", at, &Method::POST, &whole, headers, b"x");
            signed.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            signed
        };
        for headers in [
            vec![],
            vec![("Authorization".to_owned(), "AWS4-HMAC-SHA256 nothing".to_owned())],
            sign(&stranger, now, &[]),
            sign(&bench.credentials, now - Duration::from_secs(3600), &[]),
            sign(&guessed, now, &said),
        ] {
            let mut stream = connect(address);
            stream.write_all(head(address, path, 1_000_000, &headers).as_bytes()).unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 403", "{address} {headers:?}");
            // A client that sends it anyway can read the reason before it is cut off.
            stream.write_all(&vec![b'x'; 1_000_000]).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_signature_is_wrong_takes_no_memory() {
    // `/proc` shows the unnamed file.
    if !cfg!(target_os = "linux") {
        return;
    }
    const LENGTH: usize = 24 * 1024 * 1024;
    let bench = Bench::start().await;
    let guessed = localcloud::Credentials { secret_access_key: "guessed".into(), ..bench.credentials.clone() };
    let whole = format!("{}{F}", bench.address);
    let headers = signature(&guessed, "lambda", SystemTime::now(), &Method::POST, &whole, &[], b"x");
    let head = head(&bench.address, F, LENGTH, &headers);
    let spooled = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let links = files.filter_map(|file| std::fs::read_link(file.path()).ok().zip(Some(file.path())));
        let ours = links.filter(|(to, _)| to.starts_with(bench.data.path().join("run")));
        ours.filter_map(|(_, file)| file.metadata().ok()).map(|file| file.len()).sum::<u64>()
    };
    let sender = {
        let address = bench.address.clone();
        tokio::task::spawn_blocking(move || {
            let mut stream = connect(&address);
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&vec![b'x'; LENGTH - 1]).unwrap();
            stream
        })
    };
    let mut stream = sender.await.unwrap();
    // All except what is in memory is in an unnamed file.
    wait_until("nearly all of the body is in a file", || spooled() > LENGTH as u64 - 3 * 1024 * 1024).await;
    let named = std::fs::read_dir(bench.data.path().join("run")).unwrap().count();
    assert_eq!(named, 0);
    stream.write_all(b"x").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
    wait_until("the file is gone", || spooled() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_with_a_signature_arrives_whole() {
    let bench = Bench::start().await;
    bench.signed("s3", Method::PUT, &format!("{}/bucket", bench.address), &[], Vec::new()).await;
    bench.function(json!({})).await;
    let text = "0123456789".repeat(350_000);
    let answer = bench.invoked("live", json!({"path": "/echo", "text": text})).await;
    assert_eq!(answer["text"].as_str().map(str::len), Some(text.len()));
    assert_eq!(answer["text"], text);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_slow_connections_do_no_harm_and_are_closed() {
    let limit = Duration::from_secs(3);
    let bench = Bench::with(|options| options.head_timeout = limit).await;
    let url = bench.public("BUFFERED", json!({})).await;
    let runtime = runtime_of(&bench).await;
    // A request that takes longer than a head may take, and a connection that is idle for as long.
    let gate = bench.sign_post("gate");
    let event = json!({"path": "/gate", "here": bench.sign_post("here"), "gate": gate});
    let mut idle = connect(&url);
    let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let ask = format!("GET /echo HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let answered = |stream: &mut TcpStream| {
        stream.write_all(ask.as_bytes()).unwrap();
        let mut answer = [0; 8192];
        let length = stream.read(&mut answer).unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
    };
    answered(&mut idle);
    let (long, ()) = tokio::join!(bench.invoked("live", event), async {
        let beginnings =
            ["", "G", "GET / HTTP/1.1\r\nHost: 127", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST /x HTTP/1.1\r\n"];
        let slow: Vec<TcpStream> = (0..500)
            .map(|nth| {
                let mut stream = connect([bench.address.as_str(), &url, &runtime][nth % 3]);
                stream.write_all(beginnings[nth % beginnings.len()].as_bytes()).unwrap();
                stream
            })
            .collect();
        for _ in 0..10 {
            bench.done(Method::GET, F, Value::Null).await;
            assert_eq!(bench.http.get(format!("{url}echo")).send().await.unwrap().status(), 200);
        }
        let closed = tokio::task::spawn_blocking(move || {
            for (nth, mut stream) in slow.into_iter().enumerate() {
                let mut rest = Vec::new();
                let ended = stream.read_to_end(&mut rest);
                let in_time =
                    ended.as_ref().err().is_none_or(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
                assert!(in_time, "connection {nth} is still open: {ended:?}");
            }
        });
        closed.await.unwrap();
        std::fs::write(&gate, "").unwrap();
    });
    assert!(long["count"].is_number(), "{long}");
    // An idle connection can still be used, and the head of the next request has the same limit.
    answered(&mut idle);
    idle.write_all(b"GET /echo HT").unwrap();
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest);
    assert!(rest.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_whose_port_is_taken_says_so() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let (data, options) = bench.stop().await;
    let stranger = TcpListener::bind(address).unwrap();
    let bench = Bench::again(data, options).await;
    let path = "/2021-10-31/functions/f/url?Qualifier=live";
    let shown = bench.done(Method::GET, path, Value::Null).await;
    let said = shown["LocalCloud"].as_str().unwrap();
    let whose = format!("port {} cannot be opened: process {} (`", address.port(), std::process::id());
    assert!(said.starts_with("the URL is down: ") && said.contains(&whose), "{said}");
    assert!(bench.notes().contains("has taken it"), "{}", bench.notes());
    // The URL is back as soon as its port is free, with the same address.
    drop(stranger);
    let shown = bench.done(Method::GET, path, Value::Null).await;
    assert_eq!((&shown["FunctionUrl"], shown.get("LocalCloud")), (&json!(url), None));
    assert_eq!(bench.http.get(format!("{url}echo")).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_whose_port_is_taken_can_be_deleted() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let (data, options) = bench.stop().await;
    let _stranger = TcpListener::bind(address).unwrap();
    let bench = Bench::again(data, options).await;
    let listed = bench.done(Method::GET, "/2021-10-31/functions/f/urls", Value::Null).await;
    assert_eq!(listed["FunctionUrlConfigs"][0]["FunctionUrl"], url);
    let path = "/2021-10-31/functions/f/url?Qualifier=live";
    bench.done(Method::DELETE, path, Value::Null).await;
    let shown = bench.done(Method::POST, path, json!({"AuthType": "NONE"})).await;
    assert_ne!(shown["FunctionUrl"], url);
}
