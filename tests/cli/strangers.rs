//! What lamstream did not make is never changed or deleted unasked. The strangers come by the real aws CLI.

use crate::support::bench::{Bench, function_zip, said};
use crate::support::python::python;
use crate::{CHAT, deploy};
use std::path::Path;
use std::process::Command;

/// The real aws CLI against the bench's local cloud; gives stdout.
pub(crate) fn aws(bin: &Path, bench: &Bench, arguments: &[&str]) -> String {
    let mut command = Command::new(bin.join("aws"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .envs(bench.aws_variables());
    let output = command.output().expect("the aws CLI runs");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).expect("utf-8")
}

#[test]
fn a_log_group_that_was_left_behind_is_taken_over_only_when_told_to() {
    let Some(bin) = python() else { return };
    let bench = Bench::new(CHAT);
    let group = "/aws/lambda/shop-chat";
    aws(&bin, &bench, &["logs", "create-log-group", "--log-group-name", group]);
    let package = format!("--package={}", function_zip().display());
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &package]);
    assert_eq!((code, document["error"]["kind"].as_str()), (1, Some("conflict")), "{document:#}");
    let hints = document["error"]["hints"].to_string();
    assert!(hints.contains("--adopt") && hints.contains("if it belongs to a deleted function"), "{hints}");
    let describe = ["logs", "describe-log-groups", "--query", "logGroups[].retentionInDays", "--output", "text"];
    assert_eq!(aws(&bin, &bench, &describe).trim(), "", "nothing was changed");
    let roles = ["iam", "list-roles", "--query", "Roles[].RoleName", "--output", "text"];
    assert_eq!(aws(&bin, &bench, &roles).trim(), "", "nothing was made");

    deploy(&bench, &["--adopt"]);
    assert_eq!(aws(&bin, &bench, &describe).trim(), "30");
    bench.good(&["destroy", "--local", "--yes"]);
    assert_eq!(aws(&bin, &bench, &describe).trim(), "");
}

#[test]
fn destroy_leaves_what_others_made() {
    let Some(bin) = python() else { return };
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let get_role =
        ["lambda", "get-function", "--function-name", "shop-chat", "--query", "Configuration.Role", "--output", "text"];
    let role = aws(&bin, &bench, &get_role);
    let zip = format!("fileb://{}", function_zip().display());
    let create = ["lambda", "create-function", "--function-name", "shop-other", "--runtime", "provided.al2023"];
    let rest = ["--handler", "bootstrap", "--zip-file", &zip, "--role", role.trim()];
    aws(&bin, &bench, &[&create[..], &rest[..]].concat());
    aws(&bin, &bench, &["logs", "create-log-group", "--log-group-name", "/aws/lambda/shop-other"]);
    bench.good(&["destroy", "--local", "--yes"]);
    let functions = ["lambda", "list-functions", "--query", "Functions[].FunctionName", "--output", "text"];
    assert_eq!(aws(&bin, &bench, &functions).trim(), "shop-other");
    let groups = ["logs", "describe-log-groups", "--query", "logGroups[].logGroupName", "--output", "text"];
    assert_eq!(aws(&bin, &bench, &groups).trim(), "/aws/lambda/shop-other");
    assert_eq!(aws(&bin, &bench, &["iam", "list-roles", "--query", "Roles[].RoleName", "--output", "text"]).trim(), "");
}

#[test]
fn drift_shows_and_deploy_mends_it_and_a_strangers_statement_survives() {
    let Some(bin) = python() else { return };
    let bench = Bench::new(CHAT);
    let url = deploy(&bench, &[]);
    let on_live = ["--function-name", "shop-chat", "--qualifier", "live"];
    let lambda =
        |operation: &str, more: &[&str]| aws(&bin, &bench, &[&["lambda", operation], &on_live[..], more].concat());
    lambda("update-function-url-config", &["--invoke-mode", "BUFFERED"]);
    lambda("remove-permission", &["--statement-id", "lamstream-invoke-through-url"]);
    let theirs =
        ["--statement-id", "theirs", "--action", "lambda:InvokeFunction", "--principal", "events.amazonaws.com"];
    lambda("add-permission", &theirs);
    aws(&bin, &bench, &["logs", "delete-retention-policy", "--log-group-name", "/aws/lambda/shop-chat"]);

    let status = bench.status(&["--local"]);
    let expected = [
        "~ log_group /aws/lambda/shop-chat: retention_days none -> 30",
        "+ permission lamstream-invoke-through-url",
        "~ url shop-chat:live: mode buffered -> response-stream",
        "set outside lamstream: permissions of `live`",
    ];
    let drift: Vec<&str> = status.lines().skip(5).map(str::trim).collect();
    assert_eq!(drift, expected);
    assert_eq!(deploy(&bench, &[]), url);
    let policy = lambda("get-policy", &["--query", "Policy", "--output", "text"]);
    assert!(policy.contains("\"theirs\"") && policy.contains("lamstream-invoke-through-url"), "{policy}");
    assert_eq!(bench.status(&["--local"]).lines().count(), 6, "no drift is left");
}

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

#[test]
fn a_role_or_a_function_of_our_name_is_left_alone_until_it_is_adopted() {
    let Some(bin) = python() else { return };
    let package = format!("--package={}", function_zip().display());
    let refused = |bench: &Bench, name: &str| {
        let (document, code) = bench.json(&["deploy", "--local", "--yes", &package]);
        assert_eq!((code, document["error"]["kind"].as_str()), (1, Some("conflict")), "{document:#}");
        assert!(document["error"]["message"].to_string().contains(name), "{document:#}");
        assert!(document["error"]["hints"].to_string().contains("--adopt"), "{document:#}");
    };
    let make_role = |bench: &Bench, name: &str| {
        let create = ["iam", "create-role", "--role-name", name, "--path", "/lamstream/shop/"];
        aws(&bin, bench, &[&create[..], &["--assume-role-policy-document", TRUST, "--output", "json"]].concat())
    };
    let text = |bench: &Bench, arguments: &[&str], query: &str| {
        aws(&bin, bench, &[arguments, &["--query", query, "--output", "text"]].concat()).trim().to_owned()
    };

    let (bench, name) = (Bench::new(CHAT), "lamstream-us-east-1-shop-chat");
    make_role(&bench, name);
    refused(&bench, name);
    let policies = ["iam", "list-role-policies", "--role-name", name];
    assert_eq!(text(&bench, &policies, "PolicyNames"), "", "nothing was changed");
    deploy(&bench, &["--adopt"]);
    assert_eq!(text(&bench, &policies, "PolicyNames"), "lamstream");

    let bench = Bench::new(CHAT);
    make_role(&bench, "theirs");
    let zip = format!("fileb://{}", function_zip().display());
    let role = text(&bench, &["iam", "get-role", "--role-name", "theirs"], "Role.Arn");
    let create = ["lambda", "create-function", "--function-name", "shop-chat", "--runtime", "provided.al2023"];
    let rest = ["--handler", "theirs", "--zip-file", &zip, "--role", &role];
    aws(&bin, &bench, &[&create[..], &rest[..]].concat());
    refused(&bench, "shop-chat");
    let handler = ["lambda", "get-function", "--function-name", "shop-chat"];
    assert_eq!(text(&bench, &handler, "Configuration.Handler"), "theirs", "nothing was changed");
    deploy(&bench, &["--adopt"]);
    assert_eq!(text(&bench, &handler, "Configuration.Handler"), "bootstrap");
}

#[test]
fn two_regions_of_one_app_have_a_role_each() {
    let Some(bin) = python() else { return };
    let bench = Bench::new(CHAT);
    deploy(&bench, &["--region=us-east-1"]);
    deploy(&bench, &["--region=eu-central-1"]);
    let roles = ["iam", "list-roles", "--query", "Roles[].RoleName", "--output", "text"];
    let names = aws(&bin, &bench, &roles);
    let names: Vec<&str> = names.split_whitespace().collect();
    assert_eq!(names, ["lamstream-eu-central-1-shop-chat", "lamstream-us-east-1-shop-chat"]);
    bench.good(&["destroy", "--local", "--yes", "--region=us-east-1"]);
    assert_eq!(aws(&bin, &bench, &roles).trim(), "lamstream-eu-central-1-shop-chat");
}

#[test]
fn a_url_is_private_before_its_statements_go_and_public_after_they_came() {
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let proxy = bench.proxy();
    let order = |auth: &str, statements: &str| {
        bench.write("deploy.toml", &CHAT.replace("\"none\"", auth));
        let package = format!("--package={}", function_zip().display());
        let output = bench.through(&proxy, &["deploy", "--yes", &package]).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        let calls = proxy.take_calls();
        let at = |begin: &str| calls.iter().position(|call| call.starts_with(begin));
        let url = at("PUT /2021-10-31/functions/shop-chat/url").unwrap_or_else(|| panic!("{calls:?}"));
        (url, at(statements).unwrap_or_else(|| panic!("{calls:?}")))
    };
    let (url, removed) = order("\"aws-iam\"", "DELETE /2015-03-31/functions/shop-chat/policy/");
    assert!(url < removed);
    let (url, added) = order("\"none\"", "POST /2015-03-31/functions/shop-chat/policy");
    assert!(added < url);
}
