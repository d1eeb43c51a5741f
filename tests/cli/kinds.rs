//! A function that cannot answer is named as what it is, with the change that cures it.

use crate::support::bench::{Bench, said};
use std::io::Write;

/// Asks for a request, and answers it with the error or the body in `ANSWER`.
const HANDLER: &str = r#"#!/usr/bin/env python3
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
api.request("GET", "/2018-06-01/runtime/invocation/next")
response = api.getresponse()
response.read()
kind, body = os.environ["ANSWER"].split(" ", 1)
request = response.getheader("Lambda-Runtime-Aws-Request-Id")
api.request("POST", f"/2018-06-01/runtime/invocation/{request}/{kind}", body)
api.getresponse().read()
api.request("GET", "/2018-06-01/runtime/invocation/next")
api.getresponse()
"#;
/// As lambda_runtime reports a handler for events of SQS.
const RUST: &str = r#"error {"errorType": "Error", "errorMessage": "failed to deserialize the incoming data into the function's payload type: missing field `Records` at line 1 column 1021"}"#;
const PYTHON: &str = r#"error {"errorType": "KeyError", "errorMessage": "'Records'"}"#;
const BUFFERED: &str = r#"response {"statusCode": 200, "headers": {}, "body": "hello"}"#;

/// Deploys a package with this `bootstrap` as the function `f` with these keys.
fn told(keys: &str, bootstrap: &str, answer: &str) -> String {
    let bench = Bench::new(&format!(
        "app = 'shop'\n[functions.f]\n{keys}\ntimeout = 1\nurl = {{ auth = 'none' }}\nenvironment = {{ ANSWER = {answer:?} }}\n"
    ));
    let zip = bench.path("f.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&zip).expect("the zip is made"));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("bootstrap", options).expect("the zip is written");
    writer.write_all(bootstrap.as_bytes()).expect("the zip is written");
    writer.finish().expect("the zip is written");
    let output = bench.run(&["deploy", "--local", "--yes", &format!("--package={}", zip.display())]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const CRATE: &str = "crate = 'unused'";
const PACKAGE: &str = "package = 'f.zip'";

fn assert_told(keys: &str, bootstrap: &str, answer: &str, expected: &[&str], absent: &[&str]) {
    let told = told(keys, bootstrap, answer);
    for words in expected {
        assert!(told.contains(words), "{keys}: {words}: {told}");
    }
    for words in absent {
        assert!(!told.contains(words), "{keys}: {words}: {told}");
    }
}

#[test]
fn a_handler_for_other_events_is_named() {
    let what = "its handler expects another kind of event than an HTTP request: `";
    let cure = "hint: if a service such as SQS or S3 invokes it, remove `url` and `check`";
    assert_told(CRATE, HANDLER, RUST, &[what, "missing field `Records`", cure, "`lambda_http`"], &["readiness_path"]);
    assert_told(PACKAGE, HANDLER, PYTHON, &[what, cure, "payload format 2.0"], &["`lambda_http`"]);
}

#[test]
fn a_buffered_handler_behind_a_streaming_url_is_named() {
    let what = "the URL streams but the handler is buffered";
    let mode = "hint: or set `mode = \"buffered\"` in `url`";
    assert_told(CRATE, HANDLER, BUFFERED, &[what, "`run_with_streaming_response`", mode], &["AWS_LWA"]);
    assert_told(PACKAGE, HANDLER, BUFFERED, &[what, "`awslambda.streamifyResponse`", mode], &["lambda_http"]);
}

#[test]
fn a_program_that_ends_at_once_is_named() {
    let what = "it ends without asking Lambda for a request";
    assert_told(
        CRATE,
        "#!/bin/sh\nexit 0\n",
        "-",
        &[what, "hint: run the handler with `lambda_http`"],
        &["readiness_path"],
    );
    assert_told(
        PACKAGE,
        "#!/bin/sh\nexit 0\n",
        "-",
        &[what, "hint: let it ask Lambda's Runtime API"],
        &["lambda_http"],
    );
    let fails = "it fails to start";
    assert_told(
        CRATE,
        "#!/bin/sh\nexit 1\n",
        "-",
        &[fails, "every variable and permission"],
        &["readiness_path", "`PORT`"],
    );
}

/// The adapter asks Lambda for requests, and not the app.
#[test]
fn a_server_that_ends_at_once_is_named() {
    let bench = web("echo bye; true");
    let output = bench.run(&["deploy", "--local", "--yes"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    for words in [
        "its server ends with exit status 0 before it answers: `Runtime.ExitError",
        "the function's last log lines:\n    bye\n",
        "hint: set `run` to a command that runs the server in the foreground",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("asking Lambda"), "{told}");
}

#[test]
fn a_program_that_is_not_in_the_package_is_named() {
    let bench = web("no-such-php -S 127.0.0.1:$PORT");
    let output = bench.run(&["deploy", "--local", "--yes"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let hint = "hint: put `no-such-php` into the package, such as into `bin`";
    assert!(told.contains("it starts a program that is not in the package") && told.contains(hint), "{told}");
    assert!(!told.contains("python") && !told.contains("npx"), "{told}");
}

/// A web app without a language.
fn web(run: &str) -> Bench {
    let bench = Bench::new(&format!(
        "app = 'shop'\n[functions.f]\nweb = 'app'\nruntime = 'provided.al2023'\nrun = '{run}'\nport = 18441\n\
         timeout = 1\nurl = {{ auth = 'none' }}\n"
    ));
    bench.write_all("app/index.php", "<?php echo 'hello';\n");
    bench
}

#[test]
fn a_program_that_never_asks_is_named() {
    let what = "it never asks Lambda for a request";
    let waits = "#!/bin/sh\nexec tail -f /dev/null\n";
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| told(CRATE, waits, "-"));
        let other = scope.spawn(|| told("crate = 'unused'\nport = 8080", waits, "-"));
        (one.join().expect("it is reported"), other.join().expect("it is reported"))
    });
    assert!(one.contains(what) && one.contains("hint: if it is an HTTP server, set the port"), "{one}");
    assert!(other.contains("hint: make sure it listens on the port in `PORT`"), "{other}");
}
