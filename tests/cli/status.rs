//! What `status` and `releases` know about a release: when it became live, and who published it and made it live.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::aws::Keys;
use crate::support::bench::{Bench, moody_zip, said};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn manifest(release: &str) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\nurl = {{ auth = \"none\" }}\n\
         environment = {{ RELEASE = \"{release}\" }}\n"
    )
}

/// A role of the account, so that callers can have names.
fn with_role() -> Bench {
    let bench = Bench::new(&manifest("one"));
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
    }]});
    let trust =
        percent_encoding::utf8_percent_encode(&trust.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let body = format!("Action=CreateRole&Version=2010-05-08&RoleName=Deploy&AssumeRolePolicyDocument={trust}");
    bench.good(&["local", "start", "--role-propagation", "0s"]);
    Keys::of_running(&bench).query("iam", &body);
    bench
}

/// Runs a command as a session of the role, with this name.
fn run_as(bench: &Bench, name: &str, arguments: &[&str]) {
    let keys = Keys::of_running(bench);
    let role = "arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2FDeploy";
    let body = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName={name}");
    let answer = keys.query("sts", &body);
    let value = |element: &str| {
        let (_, rest) = answer.split_once(&format!("<{element}>")).unwrap();
        rest.split_once("</").unwrap().0.to_owned()
    };
    let mut command = bench.command(arguments);
    command.env("AWS_ENDPOINT_URL", &keys.endpoint).env("AWS_REGION", &keys.region);
    command.env("AWS_ACCESS_KEY_ID", value("AccessKeyId")).env("AWS_SECRET_ACCESS_KEY", value("SecretAccessKey"));
    let output = command.env("AWS_SESSION_TOKEN", value("SessionToken")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

fn deploy_as(bench: &Bench, name: &str, release: &str) {
    bench.write("deploy.toml", &manifest(release));
    run_as(bench, name, &["deploy", "--yes", &format!("--package={}", moody_zip().display())]);
}

fn arn(name: &str) -> Value {
    json!(format!("arn:aws:sts::000000000000:assumed-role/Deploy/{name}"))
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn seconds(time: &Value) -> i64 {
    OffsetDateTime::parse(time.as_str().unwrap(), &Rfc3339).unwrap().unix_timestamp()
}

fn live(bench: &Bench) -> Value {
    let (document, code) = bench.json(&["status", "--local"]);
    assert_eq!(code, 0, "{document:#}");
    document["functions"][0]["live"].clone()
}

#[test]
fn a_release_remembers_who_published_it_and_who_made_it_live() {
    let bench = with_role();
    assert_eq!(live(&bench), Value::Null);
    let began = now();
    deploy_as(&bench, "alice@example.com", "one");
    let first = live(&bench);
    assert!((began..=now()).contains(&seconds(&first["since"])), "{first}");
    assert_eq!((&first["by"], &first["published_by"]), (&arn("alice@example.com"), &arn("alice@example.com")));
    deploy_as(&bench, "bob", "two");
    // A deploy without changes moves nothing.
    let second = live(&bench);
    deploy_as(&bench, "carol", "two");
    assert_eq!(live(&bench), second);
    assert_eq!((&second["by"], &second["published_by"]), (&arn("bob"), &arn("bob")));
    // The release was published before it became live this time.
    run_as(&bench, "carol", &["rollback", "--yes"]);
    let back = live(&bench);
    assert_eq!((&back["by"], &back["published_by"]), (&arn("carol"), &arn("alice@example.com")));
    assert_eq!(back["published_at"], first["published_at"]);
    assert!(seconds(&back["since"]) >= seconds(&second["since"]), "{back}");

    let (document, _) = bench.json(&["releases", "--local"]);
    let releases = &document["functions"][0]["releases"];
    let who = |nth: usize| [&releases[nth]["published_by"], &releases[nth]["live_by"], &releases[nth]["live_since"]];
    assert_eq!(who(0), [&arn("bob"), &Value::Null, &Value::Null]);
    assert_eq!(who(1), [&arn("alice@example.com"), &arn("carol"), &back["since"]]);
    let table = bench.good(&["releases", "--local"]);
    let since = back["since"].as_str().unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("  bob  ") && lines[0].ends_with("previous"), "{table}");
    assert!(
        lines[1].contains("  alice@example.com  ") && lines[1].ends_with(&format!("live since {since}")),
        "{table}"
    );
    let text = bench.status(&["--local"]);
    assert!(text.contains(&format!("\n  live since {since}, made live by carol\n")), "{text}");
    assert!(text.contains(" by alice@example.com\n"), "{text}");
}

#[test]
fn what_an_older_lamstream_or_another_tool_did_is_unknown() {
    let bench = with_role();
    deploy_as(&bench, "alice", "one");
    deploy_as(&bench, "bob", "two");
    let keys = Keys::of_running(&bench);
    let alias = "/2015-03-31/functions/shop-chat/aliases/live";
    // Another tool moves `live`, and leaves the description.
    keys.put(alias, &json!({"FunctionVersion": "1"}));
    let moved = live(&bench);
    assert_eq!((&moved["since"], &moved["by"], &moved["published_by"]), (&Value::Null, &Value::Null, &arn("alice")));
    assert!(!bench.status(&["--local"]).contains("live since"));
    keys.put(alias, &json!({"FunctionVersion": "2", "Description": "lamstream previous=1 passed=1-2"}));
    assert_eq!(live(&bench)["since"], Value::Null);
    let (document, _) = bench.json(&["releases", "--local"]);
    assert_eq!(document["functions"][0]["releases"][0]["live_since"], Value::Null);
}

#[test]
fn the_header_names_the_place_and_other_regions_are_named_if_nothing_is_here() {
    let bench = Bench::new(&manifest("one"));
    let package = format!("--package={}", moody_zip().display());
    bench.good(&["deploy", "--local", "--yes", &package]);
    let text = bench.good(&["status", "--local"]);
    assert!(text.starts_with("account 000000000000 in us-east-1 at http://127.0.0.1:"), "{text}");
    let (here, _) = bench.json(&["status", "--local"]);
    assert_eq!(here["functions"][0]["other_regions"], Value::Null);
    let elsewhere = ["--local", "--region", "eu-west-1"];
    let text = bench.status(&elsewhere);
    assert_eq!(text, "chat: not deployed\n  lamstream created it in us-east-1: try `--region us-east-1`\n");
    let (document, code) = bench.json(&[&["status"], &elsewhere[..]].concat());
    let function = &document["functions"][0];
    assert_eq!((code, &function["live"], &function["other_regions"]), (0, &Value::Null, &json!(["us-east-1"])));
    bench.good(&["destroy", "--local", "--yes"]);
    let (document, _) = bench.json(&[&["status"], &elsewhere[..]].concat());
    assert_eq!(document["functions"][0]["other_regions"], json!([]));
}
