//! JSON: exactly one document, its keys, and what must never be in it.

use crate::support::bench::{Bench, LAMSTREAM, function_zip};
use crate::{CHAT, TWO};
use serde_json::{Value, json};
use std::process::Command;

const DOCUMENT: [&str; 9] = ["account", "command", "endpoint", "error", "functions", "ok", "region", "schema", "stage"];
const FUNCTION: [&str; 17] = [
    "auth",
    "changed",
    "changes",
    "done",
    "error",
    "function_arn",
    "function_name",
    "left",
    "mode",
    "name",
    "release",
    "rollout",
    "set_outside",
    "stage",
    "state",
    "url",
    "verified",
];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn package() -> String {
    format!("--package={}", function_zip().display())
}

#[test]
fn keys_are_never_absent() {
    let bench = Bench::new(CHAT);
    let package = package();
    for arguments in [
        vec!["plan", "--local", &package],
        vec!["deploy", "--local", "--yes", &package],
        vec!["url", "--local"],
        vec!["destroy", "--local", "--yes"],
    ] {
        let (document, code) = bench.json(&arguments);
        assert_eq!(code, 0, "{document:#}");
        assert_eq!(keys(&document), DOCUMENT);
        assert_eq!(document["schema"], 1);
        assert_eq!(document["command"], arguments[0]);
        assert_eq!((&document["ok"], &document["error"]), (&json!(true), &Value::Null));
        assert_eq!(keys(&document["functions"][0]), FUNCTION, "{arguments:?}");
    }
}

#[test]
fn a_deploy_says_what_it_did_and_saw() {
    let bench = Bench::new(CHAT);
    let (document, _) = bench.json(&["deploy", "--local", "--yes", &package()]);
    let function = &document["functions"][0];
    let done = ["log_group", "role", "function", "release", "permission", "url"];
    assert_eq!(function["done"], json!(done));
    assert_eq!((&function["left"], &function["changed"]), (&json!([]), &json!(true)));
    assert_eq!(function["release"]["version"], "1");
    assert_eq!(function["release"]["previous"], Value::Null);
    assert_eq!((&function["auth"], &function["mode"]), (&json!("none"), &json!("response-stream")));
    assert_eq!(function["verified"]["streamed"], true);
    assert!(function["verified"]["first_byte_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(document["account"], "000000000000");
    assert!(document["endpoint"].as_str().unwrap().starts_with("http://127.0.0.1:"));
}

#[test]
fn a_failure_is_a_document_too() {
    let bench = Bench::new("app = \"shop\"\n[functions.chat]\n");
    let (document, code) = bench.json(&["plan", "--local"]);
    assert_eq!(code, 2);
    assert_eq!(document["ok"], false);
    assert_eq!(document["error"]["kind"], "manifest");
    assert_eq!(
        keys(&document["error"]),
        ["caused_by", "check", "column", "file", "hints", "kind", "line", "log", "message", "request_id"]
    );

    let bench = Bench::new(TWO);
    let (document, code) = bench.json(&["deploy"]);
    assert_eq!((code, &document["error"]["kind"]), (2, &json!("usage")));
}

#[test]
fn argument_errors_are_on_stderr_alone() {
    let output = Bench::new(CHAT).run(&["deploy", "--nonsense", "--output", "json"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}

#[test]
fn build_gives_the_package_and_its_digest() {
    let root = env!("CARGO_MANIFEST_DIR");
    let bench = Bench::new(CHAT);
    let manifest = format!("{root}/deploy.toml");
    let (document, code) = bench.json(&["build", "--local", "--manifest", &manifest, "--out", "out"]);
    assert_eq!(code, 0, "{document:#}");
    let function = &document["functions"][0];
    let zip = std::fs::read(bench.path("out/chat.zip")).unwrap();
    assert_eq!(function["zip"], "out/chat.zip");
    assert_eq!(function["size"], zip.len());
    assert_eq!(zip, std::fs::read(function_zip()).unwrap(), "two builds give the same zip");
    assert!(zip.len() <= 450_000, "the function's zip has {} bytes", zip.len());
}

#[test]
fn values_of_the_environment_appear_nowhere() {
    let secret = "planted-secret-value-4711";
    let manifest = CHAT.replace("url =", &format!("environment = {{ KEY = \"{secret}\" }}\nurl ="));
    let bench = Bench::new(&manifest);
    let package = package();
    let mut said = Vec::new();
    let mut run = |bench: &Bench, arguments: &[&str]| {
        for output in ["text", "json"] {
            let output = bench.run(&[arguments, &["--output", output, "-v"]].concat());
            said.extend([output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
    };
    run(&bench, &["plan", "--local", &package]);
    run(&bench, &["deploy", "--local", "--yes", &package]);
    run(&bench, &["status", "--local"]);
    bench.write("deploy.toml", &manifest.replace(secret, &format!("{secret}-and-more")));
    run(&bench, &["plan", "--local", &package]);
    bench.write("deploy.toml", &manifest.replace("KEY = ", "KEY = 1, OTHER = "));
    run(&bench, &["deploy", "--local", "--yes", &package]);
    run(&bench, &["destroy", "--local", "--yes"]);
    let everything = said.join("\n");
    assert!(everything.contains("environment.KEY changed"), "the changes were planned");
    assert!(!everything.contains(secret), "{everything}");
}

/// A command that is refused knows which function it is about.
#[test]
fn a_function_that_is_not_deployed_has_its_names() {
    let bench = Bench::new(TWO);
    for arguments in [
        &["rollback", "--yes", "zebra"][..],
        &["promote", "zebra"],
        &["releases", "zebra"],
        &["url", "zebra"],
        &["logs", "zebra"],
    ] {
        let (document, code) = bench.json(&[arguments, &["--local"]].concat());
        let function = &document["functions"][0];
        assert_eq!(
            (code, &function["name"], &function["function_name"]),
            (1, &json!("zebra"), &json!("shop-zebra")),
            "{document:#}"
        );
        assert_eq!(document["error"], function["error"], "{document:#}");
        assert!(!document["region"].is_null(), "{document:#}");
    }
}

#[test]
fn help_is_as_documented() {
    let help = |arguments: &[&str]| {
        let mut command = Command::new(LAMSTREAM);
        command.args(arguments).env("COLUMNS", "100").env_remove("LAMSTREAM_STAGE").env_remove("LAMSTREAM_LOCAL_DIR");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let commands = [
        "init",
        "deploy",
        "plan",
        "url",
        "status",
        "stats",
        "verify",
        "releases",
        "stages",
        "dev",
        "rollback",
        "promote",
        "abort",
        "destroy",
        "logs",
        "invoke",
        "build",
        "import",
        "local",
        "completions",
        "man",
        "schema",
        "doctor",
        "policy",
        "secret",
    ];
    let mut all = help(&["--help"]);
    for command in commands {
        all += &format!("\n# {command}\n\n{}", help(&[command, "--help"]));
    }
    for source in ["sam", "cargo-lambda", "function"] {
        all += &format!("\n# import {source}\n\n{}", help(&["import", source, "--help"]));
    }
    all += &format!("\n# local run\n\n{}", help(&["local", "run", "--help"]));
    all += &format!("\n# local adapter install\n\n{}", help(&["local", "adapter", "install", "--help"]));
    all += &format!("\n# local adapter remove\n\n{}", help(&["local", "adapter", "remove", "--help"]));
    all += &format!("\n# local layer add\n\n{}", help(&["local", "layer", "add", "--help"]));
    insta::assert_snapshot!("help", all);

    // Every flag and command that the documents name exists.
    for document in ["README.md", "docs/cli.md", "docs/from-sam.md", "docs/from-cargo-lambda.md"] {
        let text = std::fs::read_to_string(format!("{}/{document}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let is_word = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        for (at, _) in text.match_indices(" --") {
            let flag: String = text[at + 1..].chars().take_while(|letter| is_word(*letter)).collect();
            let others = [
                "--",
                "--workspace",
                "--test",
                "--bench",
                "--locked",
                "--manifest-path",
                "--name",
                "--path",
                "--cors",
                "--guided",
                "--tail",
                "--use-container",
            ];
            assert!(others.contains(&flag.as_str()) || all.contains(&flag), "{document} names {flag}");
        }
        let mut in_code = false;
        for line in text.lines() {
            in_code ^= line.starts_with("```");
            let typed = line.split('`').skip(1).step_by(2).chain(in_code.then_some(line));
            for word in typed.filter_map(|code| code.strip_prefix("lamstream ")?.split_whitespace().next()) {
                assert!(word.starts_with('-') || word == "COMMAND" || commands.contains(&word), "{document}: {line}");
            }
        }
    }
}
