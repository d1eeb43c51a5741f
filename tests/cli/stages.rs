//! Stages that come and go: one table for many, and a way to find and remove what is left of them.

use crate::support::bench::{Bench, moody_zip, said};
use crate::talker::Running;
use serde_json::{Value, json};

pub(crate) const MANIFEST: &str = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nenvironment = { RELEASE = 'one' }\nurl = { auth = 'none' }\n\
     [functions.other]\ncrate = 'unused'\n[stages.'pr-*']\nexpires = '7d'\nfunctions.chat.memory = 256\n[stages.prod]\n";

pub(crate) fn deploy(bench: &Bench, stage: &[&str]) -> Value {
    let zip = format!("--package=chat={}", moody_zip().display());
    let (document, code) = bench.json(&[&["deploy", "chat", "--local", &zip], stage].concat());
    assert_eq!(code, 0, "{document}");
    document
}

fn stages(bench: &Bench, arguments: &[&str]) -> Value {
    let (document, code) = bench.json(&[&["stages", "--local"], arguments].concat());
    assert_eq!(code, 0, "{document}");
    document["stages"].clone()
}

fn names(stages: &Value) -> Vec<Value> {
    stages.as_array().expect("a list").iter().map(|stage| stage["stage"].clone()).collect()
}

/// Lets a function be changed last in a distant past, as far as the local cloud's state says.
pub(crate) fn age(bench: &Bench, function: &str) {
    bench.good(&["local", "stop"]);
    let path = bench.data().join("state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("a state")).expect("JSON");
    let modified = &mut state["regions"]["us-east-1"]["functions"][function]["latest"]["modified"];
    assert!(modified.is_number(), "{state}");
    // In milliseconds since 1970.
    *modified = json!(1_577_836_800_000_u64);
    std::fs::write(&path, state.to_string()).expect("it is written");
}

#[test]
fn one_table_is_for_many_stages_which_are_listed_and_destroyed_from_a_clone_that_never_saw_them() {
    let bench = Bench::new(MANIFEST);
    deploy(&bench, &[]);
    let (one, two) = (deploy(&bench, &["--stage", "pr-12"]), deploy(&bench, &["--stage", "pr-13"]));
    assert_eq!((&one["stage"], &one["functions"][0]["function_name"]), (&json!("pr-12"), &json!("shop-pr-12-chat")));
    assert_ne!(one["functions"][0]["url"], two["functions"][0]["url"]);
    let listed = stages(&bench, &[]);
    assert_eq!(names(&listed), [Value::Null, json!("pr-12"), json!("pr-13")]);
    assert_eq!((&listed[1]["functions"], &listed[1]["expired"]), (&json!(["chat"]), &json!(false)));
    assert!(listed[1]["expires"].is_string() && listed[0]["expires"].is_null() && listed[1]["live_since"].is_string());
    let text = bench.good(&["stages", "--local"]);
    assert!(text.contains("pr-12") && text.contains("expires on ") && text.contains("(no stage)"), "{text}");
    // Nothing differs: how long a stage is needed is part of the plan.
    let status = bench.good(&["status", "chat", "--local", "--stage", "pr-12"]);
    assert!(!status.contains('~'), "{status}");
    assert_eq!(names(&stages(&bench, &["--expired"])), [Value::Null; 0]);

    // A script's variable that is unset does not choose the app without a stage.
    let empty = bench.run(&["destroy", "--local", "--stage", ""]);
    assert_eq!(empty.status.code(), Some(2), "{}", said(&empty));
    let unset = bench.command(&["status", "--local"]).env("LAMSTREAM_STAGE", "").output().expect("lamstream runs");
    assert_eq!(unset.status.code(), Some(0), "{}", said(&unset));

    // A clone whose manifest has no such stage any more.
    bench.write("deploy.toml", MANIFEST.split("[stages").next().expect("a part"));
    assert_eq!(bench.run(&["status", "--local", "--stage", "pr-12"]).status.code(), Some(2));
    bench.good(&["destroy", "--local", "--stage", "pr-12"]);
    assert_eq!(names(&stages(&bench, &[])), [Value::Null, json!("pr-13")]);
    bench.good(&["url", "chat", "--local"]);
}

#[test]
fn what_is_no_longer_needed_is_found_and_removed_and_nothing_else() {
    let bench = Bench::new(MANIFEST);
    deploy(&bench, &[]);
    deploy(&bench, &["--stage", "pr-1"]);
    deploy(&bench, &["--stage", "pr-2"]);
    let nothing = bench.run(&["destroy", "--local", "--expired"]);
    assert!(nothing.status.success() && said(&nothing).contains("no stage has expired"), "{}", said(&nothing));
    age(&bench, "shop-pr-1-chat");
    assert_eq!(names(&stages(&bench, &["--expired"])), [json!("pr-1")]);
    let refused = bench.run(&["destroy", "--local", "--expired", "--stage", "pr-2"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let (document, code) = bench.json(&["destroy", "--local", "--expired"]);
    let gone = &document["functions"][0];
    assert_eq!((code, &gone["function_name"], &gone["stage"]), (0, &json!("shop-pr-1-chat"), &json!("pr-1")));
    assert_eq!(names(&stages(&bench, &[])), [Value::Null, json!("pr-2")]);
}

/// What an interrupt leaves is named, and what was deleted before is part of the answer.
#[test]
fn an_interrupt_leaves_stages_and_says_which() {
    let bench = Bench::new(MANIFEST);
    for stage in ["pr-1", "pr-2", "pr-3"] {
        deploy(&bench, &["--stage", stage]);
    }
    for stage in ["pr-1", "pr-2", "pr-3"] {
        age(&bench, &format!("shop-{stage}-chat"));
    }
    let proxy = bench.proxy();
    // The first call about this stage alone.
    let observe = "GET /2021-10-31/functions/shop-pr-2-chat/url*";
    proxy.hold(observe);
    let run = Running::spawn(&mut bench.through(&proxy, &["destroy", "--expired", "--yes", "--output", "json"]));
    proxy.wait_for(observe);
    run.interrupt();
    let (lines, output) = run.end();
    let document: Value = serde_json::from_str(&lines.join("\n")).expect("a document");
    assert_eq!(output.status.code(), Some(130), "{document}");
    let of = |name: &str| {
        let all = document["functions"].as_array().expect("a list");
        all.iter().find(|one| one["function_name"] == name).unwrap_or_else(|| panic!("{document}"))
    };
    assert_eq!((&of("shop-pr-1-chat")["state"], &of("shop-pr-1-chat")["error"]), (&json!("absent"), &Value::Null));
    for name in ["shop-pr-2-chat", "shop-pr-3-chat"] {
        assert_eq!(of(name)["left"], json!(["function"]), "{document}");
    }
    let message = of("shop-pr-3-chat")["error"]["message"].as_str().expect("a message").to_owned();
    assert_eq!(message, "interrupted; stages already deleted: `pr-1`; stages left: `pr-2` and `pr-3`");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("done: URL, permission, release, function, role, log group   left: function\n"), "{err}");
}

/// Through an endpoint that counts as AWS, where the account is guarded.
#[test]
fn a_stage_of_another_account_is_not_removed_with_the_expired_ones() {
    let bench = Bench::new(MANIFEST);
    deploy(&bench, &["--stage", "pr-1"]);
    age(&bench, "shop-pr-1-chat");
    bench.write("deploy.toml", &MANIFEST.replace("expires = '7d'", "expires = '7d'\naccount = '123456789012'"));
    let proxy = bench.proxy();
    let refused = bench.through(&proxy, &["destroy", "--expired", "--yes"]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("the manifest is for account `123456789012`"), "{}", said(&refused));
    assert_eq!(names(&stages(&bench, &["--expired"])), [json!("pr-1")]);
    // What was deleted before is named.
    deploy(&bench, &["--stage", "pr-0"]);
    age(&bench, "shop-pr-0-chat");
    let own = format!("{}[stages.pr-1]\naccount = '123456789012'\n", MANIFEST);
    bench.write("deploy.toml", &own);
    let proxy = bench.proxy();
    let refused = bench.through(&proxy, &["destroy", "--expired", "--yes"]).output().expect("it runs");
    assert!(said(&refused).contains("; stages already deleted: `pr-0`"), "{}", said(&refused));
    assert_eq!(names(&stages(&bench, &["--expired"])), [json!("pr-1")]);
}

#[test]
fn a_branch_of_any_name_has_a_stage() {
    let bench = Bench::new(&MANIFEST.replace("pr-*", "*"));
    let branch = "feature/a-very-long-name-of-a-branch-that-goes-on-and-on-and-on";
    let (one, other) =
        (deploy(&bench, &["--stage", branch]), deploy(&bench, &["--stage", &format!("{branch}-and-on")]));
    let name = |document: &Value| document["functions"][0]["function_name"].as_str().expect("a name").to_owned();
    assert!(name(&one).len() <= 64 && name(&one).starts_with("shop-feature-a-very-long-name"), "{}", name(&one));
    assert_ne!(name(&one), name(&other), "two branches never share a stage");
    // The name of the stage leads to it, too.
    let stage = one["stage"].as_str().expect("a stage");
    assert_eq!(bench.good(&["url", "chat", "--local", "--stage", stage]).trim(), one["functions"][0]["url"]);
    let prod = deploy(&bench, &["--stage", "prod"]);
    assert_eq!(name(&prod), "shop-prod-chat");
}
