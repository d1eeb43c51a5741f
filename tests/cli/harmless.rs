//! Whatever others write, a terminal and the machine that reads a CI log are given no orders by it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use crate::talker::talker;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

const ORDERS: &str = Answer::ORDERS;

/// As [`judge`], and the text of an error is on one line.
fn judge_line(what: &str, output: &[u8]) -> String {
    let text = judge(what, output);
    // What is too long to be repeated ends in an `…`.
    let cut = |line: &&str| line.contains("zq-begin") && !line.contains("zq-end") && !line.contains('…');
    assert_eq!(text.lines().find(cut), None, "{what}");
    text
}

/// There is no order in it.
fn judge(what: &str, output: &[u8]) -> String {
    let text = String::from_utf8(output.to_vec()).unwrap_or_else(|error| panic!("{what} is no text: {error}"));
    for line in text.split('\n') {
        let bad = |letter: char| {
            (letter.is_control() && letter != '\t')
                || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        assert!(!line.contains(bad), "{what}: {line:?}");
        assert!(!line.trim_start().starts_with("::"), "{what}: a command of GitHub's: {line:?}");
        for command in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.to_lowercase().contains(command), "{what}: a command of a CI system: {line:?}");
        }
    }
    text
}

/// Runs it in text and as JSON, with colours too; gives all that was said.
fn run(command: impl Fn(&[&str]) -> Command, judge: fn(&str, &[u8]) -> String) -> String {
    let mut all = String::new();
    for more in [&["--output", "text"][..], &["--output", "json"], &["-v"]] {
        let output = command(more).output().unwrap();
        all += &judge("stdout", &output.stdout);
        all += &judge("stderr", &output.stderr);
        if more.contains(&"json") && !output.stdout.is_empty() {
            serde_json::from_slice::<Value>(&output.stdout).unwrap();
        }
    }
    all
}

fn planted(bench: &Bench, arguments: &[&str]) {
    let all = run(|more| bench.command(&[arguments, more].concat()), judge_line);
    assert!(all.contains("zq-end"), "{arguments:?}: it is not said at all: {all}");
}

/// A zip with such a program in it.
fn zip_of(bench: &Bench, program: &str) -> String {
    let path = bench.path("bad.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(program.as_bytes()).unwrap();
    zip.finish().unwrap();
    format!("--package={}", path.display())
}

#[test]
fn what_is_typed_is_harmless() {
    let bench = Bench::new(CHAT);
    for arguments in [
        &[ORDERS][..],
        &["deploy", &format!("--{}", ORDERS.replace('=', ""))],
        &["logs", "chat", "--since", ORDERS],
        &["url", "--color", ORDERS],
        &["url", ORDERS, "--local"],
        &["url", "--local", "--manifest", ORDERS],
        &["url", "--local", "--stage", ORDERS],
        &["deploy", "--local", "--yes", "--package", ORDERS],
        &["invoke", "chat", "--local", "-d", &format!("@{ORDERS}")],
        &["import", "sam", ORDERS, "--out", "-"],
        &["local", "layer", "add", "arn:aws:lambda:us-east-1:123456789012:layer:one:1", ORDERS],
        &["local", "adapter", "install", "--from", ORDERS],
        &["local", "run", "--data", &format!("deploy.toml/{ORDERS}")],
        &["destroy", "--manifest", ORDERS],
        &["rollback", "--stage", ORDERS, "--profile", ORDERS, "--region", ORDERS],
    ] {
        planted(&bench, arguments);
    }
    let bytes = OsStr::from_bytes(b"zq-begin\xff\x1b]0;x\x07zq-end");
    for option in ["--manifest", "--stage"] {
        let mut command = bench.command(&["url", "--local", option]);
        let output = command.arg(bytes).output().unwrap();
        judge("bytes that are no text", &output.stderr);
        assert!(!output.status.success());
    }
}

#[test]
fn what_a_terminal_is_shown_of_arguments_is_harmless() {
    let bench = Bench::new(CHAT);
    for arguments in [&[ORDERS][..], &["url", "--local", "--manifest", ORDERS], &["url", "--local", ORDERS]] {
        let shown = on_terminal(&bench, arguments);
        let colourless = anstream::adapter::strip_str(&shown).to_string();
        assert!(!shown.contains("\x1b]") && !shown.contains("\x1b[2J"), "{shown:?}");
        judge(&format!("{arguments:?}"), colourless.replace("\r\n", "\n").as_bytes());
    }
}

/// What a pseudo-terminal gets.
fn on_terminal(bench: &Bench, arguments: &[&str]) -> String {
    let output =
        crate::consent::on_terminal(bench, &bench.command(arguments), &serde_json::json!([])).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_the_environment_and_the_manifest_hold_is_harmless() {
    let bench = Bench::new(CHAT);
    for name in ["AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "LAMSTREAM_STAGE", "LAMSTREAM_ATTEMPT_TIMEOUT"] {
        let command = |more: &[&str]| {
            let mut command = bench.command(&[&["url"], more].concat());
            command
                .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
                .env("AWS_SECRET_ACCESS_KEY", "zq")
                .env("AWS_REGION", "us-east-1");
            command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("LAMSTREAM_ATTEMPT_TIMEOUT", "1");
            command.env(name, ORDERS);
            command
        };
        let all = run(command, judge_line);
        assert!(all.contains("error:"), "{name}: {all}");
    }
    let toml = |text: &str| serde_json::to_string(text).unwrap().replace("\u{7f}", "\\u007f");
    let orders = toml(ORDERS);
    for manifest in [
        format!("app = {orders}"),
        format!("{orders} = 1"),
        format!("app = \"shop\"\n[functions.{orders}]\ncrate = \".\""),
        format!("app = \"shop\"\n[functions.chat]\ncrate = {orders}"),
        format!("app = \"shop\"\n[functions.chat]\npackage = {orders}"),
        format!("app = \"shop\"\n[functions.chat]\ncrate = \".\"\nenvironment = {{ A = {{ env = {orders} }} }}"),
        format!("app = \"shop\"\n[functions.chat]\ncrate = \".\"\nenvironment = {{ A = {{ file = {orders} }} }}"),
        // As it is, where TOML takes none of it.
        format!("app = 'shop' {ORDERS}"),
    ] {
        bench.write("deploy.toml", &manifest);
        for command in [&["url", "--local"][..], &["build", "--local"], &["plan", "--local"]] {
            run(|more| bench.command(&[command, more].concat()), judge);
        }
    }
}

#[test]
fn what_aws_says_is_harmless() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    let package = format!("--package={}", function_zip().display());
    let mut all = String::new();
    for (call, arguments) in [
        ("POST /2015-03-31/functions", &["deploy", "--yes", &package][..]),
        ("GET /2021-10-31/functions/shop-chat/url", &["url"]),
        ("GET /2015-03-31/functions/shop-chat/aliases/live", &["status"]),
        ("FilterLogEvents", &["logs", "chat"]),
    ] {
        let fault = Fault::Answer(Answer::Hostile);
        proxy.set(Trap { call: call.to_owned(), occurrence: 1, fault, lasting: Lasting::Ever });
        all = run(|more| bench.through(&proxy, &[arguments, more].concat()), judge_line);
        assert!(proxy.sprung() || all.contains("error:"), "{call}: {all}");
    }
    assert!(all.contains("zq-end"), "{all}");
}

const WRITER: &str = r#"#!/usr/bin/env python3
import json, os, sys, urllib.request
ORDERS = json.loads(os.environ["ORDERS"])
MODE = "@MODE"
print(ORDERS, flush=True)
print(ORDERS, file=sys.stderr, flush=True)
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def post(path, body, kind="application/json"):
    urllib.request.urlopen(urllib.request.Request(api + path, body, {"Content-Type": kind})).read()
report = json.dumps({"errorType": ORDERS, "errorMessage": ORDERS, "stackTrace": [ORDERS]}).encode()
if MODE == "start":
    post("init/error", report)
    os._exit(3)
while True:
    with urllib.request.urlopen(api + "invocation/next") as answer:
        number = answer.headers["lambda-runtime-aws-request-id"]
    if MODE == "request":
        post("invocation/" + number + "/error", report)
    elif MODE == "exit":
        os._exit(3)
    else:
        post("invocation/" + number + "/response", json.dumps({"statusCode": int(MODE), "body": ORDERS}).encode())
"#;

#[test]
fn what_a_function_says_is_harmless() {
    let orders = serde_json::to_string(&serde_json::to_string(ORDERS).unwrap()).unwrap();
    let manifest = format!("{}environment = {{ ORDERS = {orders} }}\n", CHAT.replace("streams = true", "path = \"/\""));
    let manifest = manifest.replace("path = \"/stream/chat\", ", "");
    let bench = Bench::new(&manifest);
    for mode in ["start", "request", "exit", "500", "404"] {
        let bad = zip_of(&bench, &WRITER.replace("@MODE", mode));
        // The lines of its log are lines.
        let all = run(|more| bench.command(&[&["deploy", "--local", "--yes", &bad], more].concat()), judge);
        assert!(all.contains("error:"), "{mode}: {all}");
        bench.run(&["deploy", "--local", "--yes", "--no-verify", &bad]);
        for more in [&["logs", "chat"][..], &["status"], &["releases"], &["plan", &bad], &["invoke", "chat", "-q"]] {
            let arguments = [more, &["--local"]].concat();
            let output = bench.run(&arguments);
            judge_line(&format!("{mode}: stderr of {more:?}"), &output.stderr);
            // The answer to a request is the function's own.
            if more[0] != "invoke" {
                judge(&format!("{mode}: {more:?}"), &output.stdout);
            }
            let document = bench.run(&[&arguments[..], &["--output", "json"]].concat());
            judge(&format!("{mode}: JSON of {more:?}"), &document.stdout);
        }
    }
    let logs = bench.good(&["logs", "chat", "--local"]);
    assert!(logs.contains("\\x3a:add-mask::zq\\r\n") && logs.contains("zq-end"), "{logs}");
    let (document, _) = bench.json(&["logs", "chat", "--local"]);
    let said =
        |event: &Value| event["message"].as_str().unwrap().contains("\n::add-mask::zq\r\n  ##[group]zq\u{1b}]52;");
    let events = document["events"].as_array().unwrap();
    assert!(events.iter().any(said), "JSON has what was written: {document:#}");
}

/// A pipe gets the bytes of an answer, a terminal what it can be shown of them.
#[test]
fn a_body_goes_to_a_pipe_as_it_is_and_to_a_terminal_without_orders() {
    let bench = talker("none");
    let arguments =
        ["invoke", "talker", "/echo", "--local", "-q", "-d", "é zq\n\u{1b}]52;c;enE=\u{7}\u{202e}zq\r\nend"];
    assert_eq!(bench.run(&arguments).stdout, arguments[6].as_bytes());
    // The terminal itself writes `\n` as `\r\n`.
    let shown = on_terminal(&bench, &arguments);
    assert_eq!(shown, "é zq\r\n\\x1b]52;c;enE=\\x07\\u{202e}zq\r\nend");
}

/// Cargo's own lines, where they go through lamstream.
#[test]
fn what_a_build_says_is_harmless() {
    let bench = Bench::new("app = \"shop\"\n[functions.chat]\ncrate = \".\"\n");
    bench.write("Cargo.toml", "[package]\nname = \"chat\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n");
    std::fs::create_dir(bench.path("src")).unwrap();
    bench.write("src/main.rs", "fn main() {}\n");
    let orders = ORDERS.escape_unicode().to_string();
    bench.write("build.rs", &format!("fn main() {{ eprintln!(\"{orders}\"); std::process::exit(1) }}\n"));
    for colour in ["never", "always"] {
        let output = bench.command(&["build", "--local"]).env("CARGO_TERM_COLOR", colour).output().unwrap();
        judge("stdout", &output.stdout);
        let errors = judge(colour, &output.stderr);
        assert!(errors.contains("add-mask") && !output.status.success(), "{}", said(&output));
    }
}

/// A manifest that is printed is the same manifest, and harmless too.
#[test]
fn what_a_template_says_is_harmless() {
    let bench = Bench::new("");
    let orders = serde_json::to_string(ORDERS).unwrap();
    bench.write(
        "template.json",
        &format!(
            r#"{{"Transform": "AWS::Serverless-2016-10-31", "Resources": {{
                "Chat": {{"Type": "AWS::Serverless::Function", "Properties": {{
                    "Runtime": "nodejs22.x", "Handler": "a.b", "CodeUri": "page", "Description": {orders},
                    "Environment": {{"Variables": {{"ORDERS": {orders}}}}}, {orders}: 1, "Tags": {{"t": {orders}}},
                    "FunctionUrlConfig": {{"AuthType": "NONE"}}}}}},
                {orders}: {{"Type": {orders}}}}}}}"#
        ),
    );
    let all = run(|more| bench.command(&[&["import", "sam", "--out", "-"], more].concat()), judge);
    assert!(all.contains("zq-end"), "{all}");
    let printed = bench.run(&["import", "sam", "--out", "-"]).stdout;
    let manifest: toml::Table = String::from_utf8(printed).unwrap().parse().unwrap();
    assert_eq!(manifest["functions"]["Chat"]["environment"]["ORDERS"].as_str(), Some(ORDERS), "{manifest}");
}
