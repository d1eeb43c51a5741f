//! What a check can require of a response: each requirement is asked of the version and of the URL.

use crate::support::bench::{Bench, moody_zip, said};
use serde_json::{Value, json};

fn package() -> String {
    format!("--package={}", moody_zip().display())
}

/// A manifest whose function answers as told.
fn manifest(check: &str, answer: &Value) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 20\nurl = {{ auth = \"none\" }}\n\
         environment = {{ MOOD = \"as told\", ANSWER = '{answer}' }}\ncheck = {{ {check} }}\n"
    )
}

/// Deploys, and gives the error's message and the exit code.
fn deploy(bench: &Bench) -> (String, i32) {
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &package()]);
    (document["error"]["message"].as_str().unwrap_or_default().to_owned(), code)
}

/// The check, the function's answer, and what is wrong with it; `None` if it passes.
fn table() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let events = json!({"content-type": "text/event-stream"});
    let sse = |pieces: Value| json!({"headers": events, "pieces": pieces});
    let allow = |values: Value| json!({"headers": {"Access-Control-Allow-Origin": values}, "pieces": ["a"]});
    let gzip =
        |how: &str| json!({"headers": {"content-encoding": "gzip"}, "gzip": how, "pieces": ["a", 0.4, "b", 0.4, "c"]});
    let plain = |pieces: Value| json!({"headers": {"content-type": "text/plain"}, "pieces": pieces});
    let page = "origin = \"https://example.com\"";
    vec![
        (
            "expect_status = 302, ends_within = \"1s\"",
            json!({"status": 302, "pieces": [20.0]}),
            Some("has no body and does not end"),
        ),
        (
            "expect_status = 204, ends_within = \"1s\"",
            json!({"status": 204, "pieces": [20.0]}),
            Some("has no body and does not end"),
        ),
        ("ends_within = \"1s\"", plain(json!(["a", 20.0])), Some("does not end: 1 chunk, 1 bytes")),
        ("streams = true", plain(json!(["a", 0.4, "b", 20.0])), None),
        (
            "streams = true, whole = true, ends_within = \"1s\"",
            plain(json!(["a", 0.4, "b", 20.0])),
            Some("does not end"),
        ),
        ("whole = true, expect_status = 404", json!({"status": 404, "pieces": ["a", 0.4, "b"]}), None),
        ("max_gap = \"500ms\"", plain(json!(["a", 1.5, "b"])), Some("was silent for")),
        ("contains = \"é [END]\"", plain(json!(["é [", 0.4, "END] more"])), None),
        ("contains = \"[END]\"", plain(json!(["[END"])), Some("does not contain `[END]`")),
        ("ends_with = \"[END]\"", plain(json!(["a", 0.4, "[END]\n\n"])), None),
        ("ends_with = \"[END]\"", plain(json!(["[END] not"])), Some("does not end with `[END]`, but with `] not`")),
        ("expect_headers = { content-type = \"text/*\" }", plain(json!(["a"])), None),
        (
            "expect_headers = { content-type = \"application/json\" }",
            plain(json!(["a"])),
            Some("`content-type` is not `application/json`, but `"),
        ),
        ("expect_headers = { x-own = \"*\" }", plain(json!(["a"])), Some("has no header `x-own`")),
        ("sse = true", sse(json!(["data: a\r\n\r", 0.4, "\ndata: [DONE]\n\n", 20.0])), None),
        ("sse = true, streams = true", sse(json!(["data: a\n\n", 0.4, "data: b\n\n", 20.0])), None),
        ("sse = true", plain(json!(["data: a\n\n"])), Some("`content-type` is not `text/event-stream`")),
        ("sse = true", sse(json!(["data: a\n\n{}\n\n"])), Some("a line that browsers ignore: `{}`")),
        ("sse = true", sse(json!(["data: a\n\ndata: b\n"])), Some("without an empty line after its last event: `")),
        (page, allow(json!("https://example.com")), None),
        (
            page,
            allow(json!(["*", "https://example.com"])),
            Some("2 values of `access-control-allow-origin`, which browsers refuse"),
        ),
        (page, plain(json!(["a"])), Some("it has no `access-control-allow-origin`")),
        ("streams = true, ends_with = \"abc\"", gzip("flushed"), None),
        ("streams = true, whole = true", gzip("held"), Some("its compression (gzip) is not flushed")),
    ]
}

#[test]
fn each_requirement_is_asked_of_a_version_before_it_is_live() {
    let good = json!({"status": 200, "pieces": ["good"]});
    let bench = Bench::new(&manifest("", &good));
    assert_eq!(deploy(&bench), (String::new(), 0));
    for (nth, (check, answer, wrong)) in table().into_iter().enumerate() {
        // Each is a release of its own, so that its version is asked.
        let release = format!("RELEASE = \"{nth}\", MOOD");
        bench.write("deploy.toml", &manifest(check, &answer).replacen("MOOD", &release, 1));
        let (message, code) = deploy(&bench);
        match wrong {
            None => assert_eq!((message.as_str(), code), ("", 0), "{check}: {answer}"),
            Some(words) => {
                assert!(code == 1 && message.contains(words), "{check}: {answer}: {message}");
                assert!(message.starts_with("cannot verify version "), "{check}: {message}");
                assert!(message.contains("; `live` stays on version "), "{check}: {message}");
            }
        }
    }
}

#[test]
fn each_requirement_is_asked_of_the_url() {
    let bench = Bench::new(&manifest("", &json!({})));
    for (check, answer, wrong) in table() {
        if answer["status"] == 204 {
            // The local cloud holds its head back; as a version it was found.
            continue;
        }
        bench.write("deploy.toml", &manifest(check, &answer));
        bench.good(&["deploy", "--local", "--yes", "--no-verify", &package()]);
        let (document, code) = bench.json(&["verify", "--local"]);
        let message = document["error"]["message"].as_str().unwrap_or_default();
        match wrong {
            None => assert_eq!((message, code), ("", 0), "{check}: {answer}"),
            Some(words) => {
                assert!(code == 1 && message.contains(words), "{check}: {answer}: {message}");
                assert!(message.starts_with("cannot verify the URL http://"), "{check}: {message}");
            }
        }
    }
}

#[test]
fn a_url_that_fails_alone_moves_back_if_that_helps() {
    let plain = |pieces: Value| json!({"headers": {"content-type": "text/plain"}, "pieces": pieces});
    for (check, answer, words, then) in [
        ("ends_within = \"1s\"", plain(json!(["a", 20.0])), "does not end", "; `live` was moved back to version 1"),
        // The network may be at fault, and the version itself has passed.
        ("max_gap = \"900ms\"", plain(json!(["a", 1.5, "b"])), "was silent for", "; version 2 is live but unverified"),
    ] {
        let by_url = |answer: &Value| manifest(check, answer).replacen("MOOD", "FOR = \"url\", MOOD", 1);
        let bench = Bench::new(&by_url(&plain(json!(["good"]))));
        assert_eq!(deploy(&bench), (String::new(), 0));
        bench.write("deploy.toml", &by_url(&answer));
        let (message, code) = deploy(&bench);
        assert!(code == 1 && message.contains(words) && message.contains(then), "{message}");
    }
}

#[test]
fn an_answer_that_never_ends_is_found_without_any_key() {
    let answer = json!({"status": 302, "pieces": [60.0]});
    let bench = Bench::new(&manifest("path = \"/redirect\", expect_status = 302", &answer));
    let output = bench.run(&["deploy", "--local", "--yes", &package()]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let words = "the response has no body and does not end: it was still open after 10.0 s; nothing is live yet";
    assert!(told.contains(words), "{told}");
    assert!(told.contains("hint: end the response: many adapters"), "{told}");
}

#[test]
fn of_several_checks_the_one_that_failed_is_named() {
    let several = |answer: &Value| {
        let manifest = manifest("", answer).replace("check = {  }\n", "");
        format!(
            "{manifest}[[functions.chat.check]]\n[[functions.chat.check]]\nmethod = \"PUT\"\npath = \"/b\"\n\
             contains = \"[END]\"\n"
        )
    };
    let bench = Bench::new(&several(&json!({"pieces": ["[END]"]})));
    assert_eq!(deploy(&bench), (String::new(), 0));
    bench.write("deploy.toml", &several(&json!({"pieces": ["a"]})));
    let words = " of `chat`: check 2, `PUT /b`: the response does not contain `[END]`";
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &package()]);
    assert!(code == 1 && document["error"]["message"].as_str().unwrap().contains(words), "{document:#}");
    assert_eq!(document["error"]["check"], json!({"number": 2, "method": "PUT", "path": "/b"}));
    bench.good(&["deploy", "--local", "--yes", "--no-verify", &package()]);
    for arguments in [&["verify", "--local"][..], &["verify", "--local", "--version", "2"]] {
        let output = bench.run(arguments);
        assert!(output.status.code() == Some(1) && said(&output).contains(words), "{}", said(&output));
    }
    // Of a single check, nothing needs a name.
    bench.write("deploy.toml", &manifest("contains = \"[END]\"", &json!({"pieces": ["a"]})));
    let (document, _) = bench.json(&["verify", "--local"]);
    let message = document["error"]["message"].as_str().unwrap();
    assert!(message.contains(" of `chat`: the response does not contain"), "{message}");
    assert_eq!(document["error"]["check"], Value::Null);
}

#[test]
fn without_a_check_an_app_that_refuses_the_host_is_noted() {
    let answering = |answer: Value| {
        let manifest = manifest("", &answer).replace("check = {  }\n", "");
        let bench = Bench::new(&manifest);
        let output = bench.run(&["deploy", "--local", "--yes", &package()]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        said(&output)
    };
    let told = answering(json!({"status": 400, "pieces": ["Invalid host header"]}));
    let words =
        "`chat` has no `check` in the manifest: `GET /` has status 400, because the app does not accept the host";
    assert!(told.contains(words), "{told}");
    let told = answering(json!({"status": 400, "pieces": ["Bad request"]}));
    assert!(told.contains("all that is known is that `GET /` has a status below 500"), "{told}");
}
