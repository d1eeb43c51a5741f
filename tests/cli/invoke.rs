//! Requests to a deployed URL, and their answers as they come.

use crate::support::bench::{Bench, said};
use crate::talker::{Running, TALKER, leave_after_a_line, read_until, talker};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::process::{Output, Stdio};

fn invoke(bench: &Bench, arguments: &[&str]) -> Output {
    bench.run(&[&["invoke", "--local", "talker"], arguments].concat())
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every byte there is, and a length that no frame has.
fn bytes() -> Vec<u8> {
    (0..100_003u32).map(|number| (number * 7 % 256) as u8).collect()
}

#[test]
fn the_first_bytes_are_out_before_the_last_are_made() {
    let bench = talker("none");
    let gate = bench.path("gate");
    let path = format!("/gated?gate={}", gate.display());
    let run = Running::start(&bench, &["invoke", "--local", "talker", &path, "-v"]);
    // The function does not go on before this line has come all the way.
    assert_eq!(run.line(), "first");
    std::fs::write(&gate, "").unwrap();
    let (rest, output) = run.end();
    assert_eq!((rest, output.status.code()), (vec!["second".to_owned()], Some(0)));
    let errors = errors(&output);
    assert!(errors.contains("status 200, first byte after ") && errors.contains(" ms, 2 chunks, "), "{errors}");
}

#[test]
fn a_url_with_iam_auth_is_asked_with_a_signature() {
    let bench = talker("aws-iam");
    let url = bench.good(&["url", "--local"]);
    let authority = url.trim().trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(stream, "GET /what HTTP/1.0\r\nHost: {authority}\r\n\r\n").unwrap();
    assert!(read_until(&mut stream, "Forbidden").starts_with("HTTP/1.0 403"), "unsigned requests are refused");

    let asked = ["/what?q=a%20b&x=é", "-X", "PUT", "-d", "the body", "-H", "X-Own:  value ", "--quiet"];
    let output = invoke(&bench, &asked);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&seen["method"], &seen["path"]), (&json!("PUT"), &json!("/what")));
    assert_eq!((&seen["query"], &seen["body"]), (&json!("q=a%20b&x=%C3%A9"), &json!("the body")));
    assert_eq!(seen["headers"]["x-own"], "value");
    assert!(errors(&output).is_empty(), "{}", said(&output));
}

#[test]
fn the_method_follows_the_body_and_the_path_needs_no_slash() {
    let bench = talker("none");
    let seen = |arguments: &[&str]| -> Value {
        let output = invoke(&bench, arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(seen(&["what"])["method"], "GET");
    assert_eq!(seen(&["/what", "-d", ""])["method"], "POST");
    assert_eq!(seen(&["/what", "-d", "-5"])["body"], "-5");
}

#[test]
fn bodies_are_bytes_both_ways() {
    let bench = talker("none");
    std::fs::write(bench.path("body"), bytes()).unwrap();
    let output = invoke(&bench, &["/echo", "-d", "@body"]);
    assert!(output.status.success() && output.stdout == bytes(), "{:?}", output.status);

    for dash in ["-", "@-"] {
        let mut command = bench.command(&["invoke", "--local", "talker", "/echo", "-d", dash]);
        let mut run = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = run.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(&bytes()).unwrap());
        let output = run.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success() && output.stdout == bytes(), "{dash}: {:?}", output.status);
    }
}

#[test]
fn json_is_one_document_with_the_answer_in_it() {
    let bench = talker("none");
    std::fs::write(bench.path("body"), bytes()).unwrap();
    let (document, code) = bench.json(&["invoke", "--local", "talker", "/echo", "-d", "@body"]);
    let response = &document["response"];
    assert_eq!((code, &document["ok"], &response["status"]), (0, &json!(true), &json!(200)));
    assert_eq!(response["body_is_base64"], true);
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.decode(response["body"].as_str().unwrap()).unwrap();
    assert!(body == bytes());
    assert_eq!(response["headers"]["content-type"], json!(["application/octet-stream"]));
    assert_eq!(response["headers"]["set-cookie"], json!(["a=b", "c=d"]));
    assert!(response["first_byte_ms"].as_f64().unwrap() > 0.0 && response["chunks"].as_u64().unwrap() > 0);
    assert!(response["duration_ms"].as_f64() >= response["first_byte_ms"].as_f64());
    assert_eq!(
        (&document["functions"][0]["auth"], &document["functions"][0]["name"]),
        (&json!("none"), &json!("talker"))
    );

    let (document, code) = bench.json(&["invoke", "--local", "talker", "/nowhere"]);
    assert_eq!((code, &document["ok"], &document["error"]["kind"]), (1, &json!(false), &json!("verify")));
    assert_eq!(
        (&document["response"]["status"], &document["response"]["body"]),
        (&json!(404), &json!("nothing here\n"))
    );

    let (document, code) = bench.json(&["invoke", "--local", "unknown"]);
    assert_eq!((code, &document["response"]), (2, &Value::Null));
}

#[test]
fn an_answer_that_is_no_success_is_printed_and_fails() {
    let bench = talker("none");
    let output = invoke(&bench, &["/nowhere"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b"nothing here\n"[..]));
    assert!(
        errors(&output).contains("error: cannot invoke `talker`: the response has status 404\n"),
        "{}",
        said(&output)
    );

    let output = invoke(&bench, &["/text"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"some words\n"));
    assert!(errors(&output).contains("the response contains a runtime error"), "{}", said(&output));
    assert!(errors(&output).contains("hint: run `lamstream logs --local talker`"), "{}", said(&output));

    let gate = bench.path("gate");
    let run = Running::start(&bench, &["invoke", "--local", "talker", &format!("/die?gate={}", gate.display())]);
    assert_eq!(run.line(), "some words");
    std::fs::write(&gate, "").unwrap();
    let (rest, output) = run.end();
    assert_eq!((rest.len(), output.status.code()), (0, Some(1)), "{}", said(&output));
    assert!(errors(&output).contains("the response was cut off after 1 chunk, 11 bytes"), "{}", said(&output));
}

#[test]
fn a_reader_that_leaves_ends_it_quietly_and_a_full_disk_does_not() {
    // `/dev/full` is of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = talker("none");
    let gate = bench.path("gate");
    let path = format!("/gated?gate={}", gate.display());
    let mut command = bench.command(&["invoke", "--local", "talker", &path, "--quiet"]);
    let (line, output) = leave_after_a_line(&mut command, || std::fs::write(&gate, "").unwrap());
    assert_eq!((line.as_str(), output.status.code(), errors(&output)), ("first\n", Some(0), String::new()));

    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = bench.command(&["invoke", "--local", "talker", "/what"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("cannot write to stdout: No space left"), "{}", said(&output));
}

#[test]
fn a_signal_ends_it() {
    let bench = talker("none");
    let gate = bench.path("gate");
    let run = Running::start(&bench, &["invoke", "--local", "talker", &format!("/gated?gate={}", gate.display())]);
    assert_eq!(run.line(), "first");
    run.interrupt();
    let (rest, output) = run.end();
    assert_eq!((rest.len(), output.status.code()), (0, Some(130)), "{}", said(&output));
    std::fs::write(&gate, "").unwrap();
}

#[test]
fn what_is_not_there_is_said_with_a_way_out() {
    let bench = Bench::new(&(TALKER.replace("AUTH", "none") + "[functions.worker]\ncrate = \"unused\"\n"));
    let output = invoke(&bench, &[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(errors(&output).contains("it is not deployed") && errors(&output).contains("lamstream deploy"));
    let output = bench.run(&["invoke", "--local", "worker"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("`worker` has no URL") && errors(&output).contains("in the manifest"));

    let output = invoke(&bench, &["-H", "authorization Bearer hidden-token"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("header 1 has no colon") && !said(&output).contains("hidden-token"));
    let output = invoke(&bench, &["-d", "@nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("cannot read the body `nowhere`"), "{}", said(&output));
}

#[test]
fn secrets_are_not_shown() {
    let bench = talker("aws-iam");
    let key = bench.aws_variables().into_iter().find(|(name, _)| name == "AWS_SECRET_ACCESS_KEY").unwrap().1;
    let mut everything = String::new();
    for path in ["/echo", "/nowhere", "/text"] {
        for output in ["text", "json"] {
            let header = "x-token: hidden-token-4712";
            everything += &said(&invoke(&bench, &[path, "-v", "-H", header, "--output", output]));
            everything += &said(&bench.run(&["logs", "--local", "talker", "-v", "--output", output]));
        }
    }
    assert!(everything.contains("START RequestId") && everything.contains("some words"), "{everything}");
    let hidden = ["planted-secret-value-4711", "hidden-token-4712", "AWS4-HMAC", "Signature=", key.as_str()];
    for hidden in hidden {
        assert!(!everything.contains(hidden), "{hidden} in {everything}");
    }
}
