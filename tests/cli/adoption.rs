//! `lamstream import function`: functions that the aws CLI has made, as manifests, and taken over.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::strangers::{TRUST, aws};
use crate::support::bench::{Bench, moody_zip, said};
use crate::support::python::python;
use serde_json::json;
use std::path::Path;

/// A bench without a manifest, whose cloud has a role and the function `team-chat`; returns the role's ARN.
fn bench(bin: &Path) -> (Bench, String) {
    let bench = Bench::new("");
    std::fs::remove_file(bench.path("deploy.toml")).unwrap();
    let role =
        aws(bin, &bench, &["iam", "create-role", "--role-name", "theirs", "--assume-role-policy-document", TRUST]);
    let role: serde_json::Value = serde_json::from_str(&role).unwrap();
    let role = role["Role"]["Arn"].as_str().unwrap().to_owned();
    create(bin, &bench, "team-chat", &role);
    (bench, role)
}

fn create(bin: &Path, bench: &Bench, name: &str, role: &str) {
    let zip = format!("fileb://{}", moody_zip().display());
    let create = ["lambda", "create-function", "--function-name", name, "--runtime", "provided.al2023"];
    let rest =
        ["--handler", "bootstrap", "--zip-file", &zip, "--role", role, "--memory-size", "256", "--timeout", "20"];
    let environment = "Variables={LOG=info,API_TOKEN=planted}";
    let more = ["--environment", environment, "--tags", "team=chat", "--description", "talks"];
    aws(bin, bench, &[&create[..], &rest[..], &more[..]].concat());
}

#[test]
fn a_function_of_the_aws_cli_is_imported_and_taken_over() {
    let Some(bin) = python() else { return };
    let (bench, role) = bench(&bin);
    let lambda = |operation: &str, more: &[&str]| {
        aws(&bin, &bench, &[&["lambda", operation, "--function-name", "team-chat"], more].concat())
    };
    lambda("create-function-url-config", &["--auth-type", "NONE", "--invoke-mode", "RESPONSE_STREAM"]);
    lambda("put-function-concurrency", &["--reserved-concurrent-executions", "7"]);
    let statement = ["--statement-id", "s3", "--action", "lambda:InvokeFunction", "--principal", "s3.amazonaws.com"];
    lambda("add-permission", &statement);
    aws(&bin, &bench, &["logs", "create-log-group", "--log-group-name", "/aws/lambda/team-chat"]);
    let retention = ["--log-group-name", "/aws/lambda/team-chat", "--retention-in-days", "14"];
    aws(&bin, &bench, &[&["logs", "put-retention-policy"], &retention[..]].concat());

    let output = bench.run(&["import", "function", "team-chat", "--local"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
    for line in [
        "app = \"team\"",
        "[functions.chat]",
        "package = \"team-chat.zip\"",
        "memory = 256",
        "timeout = 20",
        "concurrency = 7",
        "description = \"talks\"",
        "auth = \"none\"",
        "LOG = \"info\"",
        "API_TOKEN = { env = \"API_TOKEN\" }",
        "retention_days = 14",
        &format!("role = {{ arn = \"{role}\" }}"),
        "team = \"chat\"",
    ] {
        assert!(manifest.lines().any(|found| found == line), "{line}\n{manifest}");
    }
    assert!(!format!("{manifest}{told}").contains("planted"), "{told}{manifest}");
    for words in [
        "its URL http://",
        "belongs to `$LATEST`",
        "`s3.amazonaws.com` invokes it",
        "environment.API_TOKEN: its value looks like a secret",
        "`lamstream deploy --local --adopt` takes `team-chat` over, and changes:",
        "~ function team-chat: tags",
        "+ url team-chat:live",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(std::fs::read(bench.path("team-chat.zip")).unwrap(), std::fs::read(moody_zip()).unwrap());

    let run = |arguments: &[&str]| bench.command(arguments).env("API_TOKEN", "planted").output().unwrap();
    let refused = run(&["deploy", "--local"]);
    assert!(said(&refused).contains("exists, but lamstream did not create it"), "{}", said(&refused));
    let adopted = run(&["deploy", "--local", "--adopt", "--no-verify"]);
    assert!(adopted.status.success(), "{}", said(&adopted));
    let found: serde_json::Value = serde_json::from_str(&lambda("get-function", &[])).unwrap();
    let configuration = &found["Configuration"];
    assert_eq!((&configuration["MemorySize"], &configuration["Role"]), (&json!(256), &json!(role)));
    assert_eq!(configuration["Environment"]["Variables"], json!({"LOG": "info", "API_TOKEN": "planted"}));
    assert_eq!((&found["Tags"]["team"], &found["Tags"]["lamstream:app"]), (&json!("chat"), &json!("team")));
    // The old URL is still there, beside the new one.
    let urls: serde_json::Value = serde_json::from_str(&lambda("list-function-url-configs", &[])).unwrap();
    assert_eq!(urls["FunctionUrlConfigs"].as_array().unwrap().len(), 2, "{urls}");
    let plan = run(&["plan", "--local", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
}

#[test]
fn the_document_has_the_changes_and_what_is_left() {
    let Some(bin) = python() else { return };
    let (bench, _) = bench(&bin);
    let (document, code) = bench.json(&["import", "function", "team-chat", "--local", "--out", "-"]);
    assert_eq!((code, &document["ok"], &document["out"]), (3, &json!(true), &json!(null)), "{document:#}");
    assert!(document["manifest"].as_str().unwrap().contains("[functions.chat]"));
    let changes = document["functions"][0]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["kind"] == "release"), "{document:#}");
    let left = &document["left_over"][0];
    assert_eq!((&left["file"], &left["line"], &left["blocks"]), (&json!("team-chat"), &json!(null), &json!(true)));
    assert!(!bench.path("team-chat.zip").exists());
}

#[test]
fn names_decide_whether_the_function_can_stay() {
    let Some(bin) = python() else { return };
    let (bench, role) = bench(&bin);
    for name in ["alone", "a-b-c"] {
        create(&bin, &bench, name, &role);
    }
    let printed = |arguments: &[&str]| {
        let output = bench.run(&[&["import", "function", "--local", "--out", "-"], arguments].concat());
        (String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
    };
    let (manifest, told) = printed(&["alone"]);
    assert!(manifest.contains("app = \"alone\"\n") && manifest.contains("[functions.alone]\n"), "{manifest}");
    assert!(told.contains("it deploys `alone-alone` beside it") && !told.contains("--adopt"), "{told}");
    let (manifest, _) = printed(&["a-b-c", "--app", "a"]);
    assert!(manifest.contains("app = \"a\"\n") && manifest.contains("[functions.b-c]\n"), "{manifest}");
    let (manifest, _) = printed(&["a-b-c"]);
    assert!(manifest.contains("app = \"a-b\"\n") && manifest.contains("[functions.c]\n"), "{manifest}");
    for (arguments, code, words) in [
        (vec!["a-b-c", "--app", "b"], 2, "`a-b-c` does not begin with `b-`"),
        (vec!["nothing"], 1, "function `nothing` does not exist in us-east-1"),
    ] {
        let output = bench.run(&[&["import", "function", "--local"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(words) && !bench.path("deploy.toml").exists(), "{}", said(&output));
    }
}
