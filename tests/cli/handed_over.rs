//! Credentials of a profile for functions of the local cloud: only if they are chosen, and said each time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use std::io::Write;

/// Answers with the variable that the request's path names.
const TELLER: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        path = json.load(event)["rawPath"]
        name = event.headers["lambda-runtime-aws-request-id"]
    value = os.environ.get(path.strip("/"), "-").encode()
    urllib.request.urlopen(urllib.request.Request(api + name + "/response", value)).read()
"#;

const MANIFEST: &str = "app = \"shop\"\n[functions.teller]\ncrate = \"unused\"\nurl = { auth = \"none\" }\n";

fn bench(manifest: &str) -> Bench {
    let bench = Bench::new(manifest);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(bench.path("teller.zip")).unwrap());
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(TELLER.as_bytes()).unwrap();
    zip.finish().unwrap();
    bench.write_all(
        "home/.aws/credentials",
        "[dev]\naws_access_key_id = AKIAPLANTED\naws_secret_access_key = planted-4711\naws_session_token = planted-4712\n",
    );
    bench
}

/// Deploys, and returns what was said.
fn deploy(bench: &Bench, more: &[&str]) -> String {
    let output = bench.run(&[&["deploy", "--local", "--package", "teller.zip"], more].concat());
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

fn ask(bench: &Bench, name: &str) -> String {
    bench.good(&["invoke", "--local", "teller", &format!("/{name}")])
}

#[test]
fn functions_get_the_credentials_of_a_profile_only_when_told_to() {
    let bench = bench(MANIFEST);
    let told = deploy(&bench, &[]);
    assert!(!told.contains("warning"), "{told}");
    assert_eq!(ask(&bench, "AWS_ACCESS_KEY_ID"), "ASIALOCALFUNCTION");
    // Nothing has changed but this.
    for _ in 0..2 {
        let told = deploy(&bench, &["--with-credentials", "dev"]);
        assert!(told.contains("warning: `teller` can do on AWS what profile `dev` may do"), "{told}");
        assert!(!told.contains("planted"), "{told}");
        assert_eq!(ask(&bench, "AWS_ACCESS_KEY_ID"), "AKIAPLANTED");
    }
    assert_eq!(ask(&bench, "AWS_SESSION_TOKEN"), "planted-4712");
    for entry in std::fs::read_dir(bench.data()).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains("planted-47"));
    }
    deploy(&bench, &[]);
    assert_eq!(ask(&bench, "AWS_ACCESS_KEY_ID"), "ASIALOCALFUNCTION");
}

#[test]
fn the_manifest_may_name_the_profile_and_the_option_overrides_it() {
    let bench = bench(&format!("{MANIFEST}[local]\ncredentials = \"dev\"\n"));
    let told = deploy(&bench, &[]);
    assert!(told.contains("profile `dev`"), "{told}");
    assert_eq!(ask(&bench, "AWS_SECRET_ACCESS_KEY"), "planted-4711");
    // A cloud that is started again has forgotten them.
    bench.good(&["local", "stop"]);
    bench.good(&["local", "start"]);
    assert_eq!(ask(&bench, "AWS_ACCESS_KEY_ID"), "ASIALOCALFUNCTION");
    let output = bench.run(&["deploy", "--local", "--package", "teller.zip", "--with-credentials", "nope"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("cannot use profile `nope`") && said(&output).contains("`dev`"),
        "{}",
        said(&output)
    );
    let output = bench.run(&["deploy", "--with-credentials", "dev"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
