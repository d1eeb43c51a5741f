//! What `invoke` says of the times of a response: the figures with `-v`, and the picture.

use crate::support::bench::{Bench, moody_zip, said};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

/// A function that answers with these pieces.
fn answering(answer: &Value) -> Bench {
    let bench = Bench::new(&format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 20\nurl = {{ auth = \"none\" }}\n\
         environment = {{ MOOD = \"as told\", ANSWER = '{answer}' }}\n"
    ));
    bench.good(&["deploy", "--local", "--yes", "--no-verify", &format!("--package={}", moody_zip().display())]);
    bench
}

fn report(bench: &Bench, file: &str) -> Output {
    bench.run(&["invoke", "--local", "chat", "/stream?key=s3cret", "--report", file])
}

/// The text between the tags of XML, if it is well formed.
fn parsed(xml: &str) -> Result<String, String> {
    let (mut open, mut text, mut rest) = (Vec::new(), String::new(), xml);
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = after.split_once('>').ok_or("a tag does not end")?;
        rest = after;
        let name = tag.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned();
        let quotes = tag.matches('"').count();
        match tag {
            _ if quotes % 2 != 0 => return Err(format!("<{tag}> has an open quote")),
            _ if tag.starts_with(['?', '!']) => {}
            _ if tag.starts_with('/') => {
                let opened: Option<String> = open.pop();
                if opened.as_deref() != Some(&name[1..]) {
                    return Err(format!("<{tag}> closes {opened:?}"));
                }
            }
            _ if tag.ends_with('/') || ["meta"].contains(&name.as_str()) => {}
            _ => open.push(name),
        }
    }
    if open.is_empty() { Ok(text) } else { Err(format!("{open:?} are not closed")) }
}

#[test]
fn verbose_has_the_start_and_the_bill_of_the_request() {
    for format in ["text", "json"] {
        let bench = answering(&json!({"pieces": ["a"]}));
        let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
        bench.write("deploy.toml", &format!("{manifest}log.format = \"{format}\"\n"));
        bench.good(&["deploy", "--local", "--yes", "--no-verify", &format!("--package={}", moody_zip().display())]);
        let told = said(&bench.run(&["invoke", "--local", "chat", "-v"]));
        let line = told.lines().find(|line| line.contains("billed ")).unwrap_or_else(|| panic!("{told}"));
        assert!(line.contains("init ") && line.contains(" ms, billed ") && line.contains("(request "), "{line}");
        let (document, _) = bench.json(&["invoke", "--local", "chat", "-v"]);
        let response = &document["response"];
        assert!(response["init_ms"].is_null(), "the same instance answers again: {document:#}");
        assert!(response["billed_ms"].as_f64().is_some_and(|billed| billed > 0.0), "{document:#}");
        // Without -v, the log is not read.
        let (document, _) = bench.json(&["invoke", "--local", "chat"]);
        assert_eq!(
            (&document["response"]["init_ms"], &document["response"]["billed_ms"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[test]
fn a_request_that_no_log_knows_is_said_to_be_missing() {
    // A proxy in front of the URL changes the id, so that the log has another one.
    let bench = answering(&json!({"headers": {"x-amzn-requestid": "other"}, "pieces": ["a"]}));
    let told = said(&bench.run(&["invoke", "--local", "chat", "-v"]));
    assert!(told.contains("billed "), "the URL's own id counts: {told}");
    // Of a log without the report, nothing is known after a while.
    let proxy = bench.proxy();
    proxy.rewrite("FilterLogEvents", |page| page["events"] = json!([]));
    let mut command = bench.through(&proxy, &["invoke", "chat", "-v"]);
    let output = command.env("LAMSTREAM_ATTEMPT_TIMEOUT", "1").output().unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"a"[..]), "{}", said(&output));
    let told = said(&output);
    assert!(
        told.contains("init and billed time are not in the log yet: run `lamstream logs chat --request "),
        "{told}"
    );
}

#[test]
fn a_picture_has_each_chunk_and_nothing_of_the_body() {
    for (answer, chunks, status) in [
        (json!({"headers": {"content-type": "text/plain"}, "pieces": ["b0dy", 0.3, "b0dy", 0.6, "b0dy"]}), 3, 200),
        (json!({"pieces": []}), 0, 200),
        (json!({"status": 404, "pieces": ["b0dy"]}), 1, 404),
    ] {
        let bench = answering(&answer);
        for file in ["stream.svg", "stream.html"] {
            let output = report(&bench, file);
            assert_eq!(output.status.code(), Some(i32::from(status >= 400)), "{}", said(&output));
            let picture = std::fs::read_to_string(bench.path(file)).unwrap();
            let text = parsed(&picture).unwrap_or_else(|error| panic!("{file}: {error}: {picture}"));
            assert_eq!(picture.matches("<circle").count(), chunks, "{file}: {answer}");
            assert!(text.contains(&format!("GET /stream: status {status}, {chunks} chunk")), "{text}");
            for secret in ["b0dy", "s3cret", "http:", "https:"] {
                let known = picture.replace("http://www.w3.org/", "");
                assert!(!known.contains(secret), "{file} has `{secret}`: {picture}");
            }
            assert_eq!(text.contains("longest gap"), chunks > 1, "{text}");
            assert!(picture.contains("prefers-color-scheme:dark"));
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_the_request() {
    let bench = answering(&json!({"pieces": ["a"]}));
    bench.write("old.svg", "mine");
    for (file, words) in [
        ("old.svg", "`old.svg` exists and will not be overwritten"),
        ("none/new.svg", "cannot create `none/new.svg`: "),
        ("new.png", "`--report new.png` is neither an SVG nor an HTML file"),
        ("new", "`--report new` is neither an SVG nor an HTML file"),
    ] {
        let output = report(&bench, file);
        assert_eq!(output.status.code(), Some(2), "{file}: {}", said(&output));
        assert!(said(&output).contains(words) && output.stdout.is_empty(), "{}", said(&output));
    }
    assert_eq!(std::fs::read_to_string(bench.path("old.svg")).unwrap(), "mine");
    assert!(!bench.good(&["logs", "--local"]).contains("START RequestId"), "no request was sent");
    // A request without an answer leaves no file behind.
    let output = bench.run(&["invoke", "--local", "chat", "--report", "x.svg", "-X", "NOT A METHOD"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(!Path::new(&bench.path("x.svg")).exists());
}
