//! Log groups of other names than the function's: shared, changed, and not ours.

use crate::support::aws::Keys;
use crate::support::bench::{Bench, moody_zip, said};
use serde_json::{Value, json};

/// Two functions that log to one group, in each stage.
fn both(days: u32) -> String {
    let function = |name: &str| {
        format!(
            "[functions.{name}]\ncrate = \"unused\"\ntimeout = 5\nurl = {{ auth = \"none\" }}\n\
             check = {{ streams = true }}\nlog = {{ group = \"/shop/all\", retention_days = {days} }}\n"
        )
    };
    format!("app = \"shop\"\n{}{}[stages.test]\n", function("ant"), function("zebra"))
}

fn deploy(bench: &Bench, functions: &[&str], more: &[&str]) -> String {
    let packages = functions.iter().map(|name| format!("--package={name}={}", moody_zip().display()));
    let packages: Vec<String> = packages.collect();
    let mut arguments = vec!["deploy", "--local", "--yes"];
    arguments.extend(packages.iter().map(String::as_str).chain(more.iter().copied()));
    let output = bench.run(&arguments);
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// The log groups, each with its retention in days.
fn groups(bench: &Bench) -> Vec<(String, Value)> {
    let found = Keys::of(bench).json("Logs_20140328.DescribeLogGroups", &json!({}));
    let groups = found["logGroups"].as_array().expect("a list").iter();
    groups
        .map(|group| (group["logGroupName"].as_str().unwrap_or_default().into(), group["retentionInDays"].clone()))
        .collect()
}

fn destroy(bench: &Bench, more: &[&str]) -> String {
    let output = bench.run(&[&["destroy", "--local", "--yes"], more].concat());
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

#[test]
fn functions_and_stages_share_a_group_and_none_deletes_it_for_the_others() {
    let bench = Bench::new(&both(7));
    bench.good(&["local", "start", "--role-propagation=0s", "--conflict-lag=300ms"]);
    deploy(&bench, &["ant", "zebra"], &[]);
    deploy(&bench, &["ant", "zebra"], &["--stage", "test"]);
    assert_eq!(groups(&bench), [("/shop/all".into(), json!(7))]);
    for more in [&[][..], &["--stage", "test"]] {
        let text = bench.good(&[&["plan", "--local"], more, &packages()[..]].concat());
        assert_eq!(text, "no changes\n", "{more:?}");
    }
    // Each function's own lines are shown, and no other's.
    for (function, stream) in [("ant", "/shop-ant["), ("zebra", "/shop-zebra[")] {
        let (document, _) = bench.json(&["logs", function, "--local"]);
        let events = document["events"].as_array().expect("events");
        let is_own = |event: &Value| event["stream"].as_str().is_some_and(|name| name.contains(stream));
        assert!(!events.is_empty() && events.iter().all(is_own), "{document:#}");
    }
    let kept = destroy(&bench, &["ant"]);
    assert!(kept.contains("log group `/shop/all` is kept: other functions write to it: `shop-test-ant`,"), "{kept}");
    assert!(kept.contains("`shop-zebra`") && !kept.contains("Deleted log group"), "{kept}");
    let both = destroy(&bench, &["ant", "zebra"]);
    assert_eq!(both.matches("log group `/shop/all` is kept").count(), 1, "{both}");
    assert_eq!(groups(&bench).len(), 1, "the stage's logs are gone");
    // Both of the last ones plan to delete it, and the second one does.
    let gone = destroy(&bench, &["--stage", "test"]);
    assert!(!gone.contains("is kept"), "{gone}");
    assert_eq!(groups(&bench), []);
}

fn packages() -> Vec<&'static str> {
    static PACKAGES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let all = PACKAGES
        .get_or_init(|| ["ant", "zebra"].map(|name| format!("--package={name}={}", moody_zip().display())).to_vec());
    all.iter().map(String::as_str).collect()
}

fn one(group: &str) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 5\nlog = {{ {group}retention_days = 7 }}\n"
    )
}

#[test]
fn what_was_logged_to_another_group_stays_until_destroy() {
    let bench = Bench::new(&one(""));
    deploy(&bench, &["chat"], &[]);
    bench.write("deploy.toml", &one("group = \"/shop/new\", "));
    let text = deploy(&bench, &["chat"], &[]);
    assert!(text.contains("`chat` logs to `/shop/new` from now on; `/aws/lambda/shop-chat` is kept"), "{text}");
    assert!(text.contains("aws logs delete-log-group --log-group-name /aws/lambda/shop-chat"), "{text}");
    let names = || groups(&bench).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(), ["/aws/lambda/shop-chat", "/shop/new"]);
    // The role lets either release write, so that the way back keeps its logs.
    let back = said(&bench.run(&["rollback", "--local", "--yes"]));
    assert!(!back.contains("may no longer write"), "{back}");
    deploy(&bench, &["chat"], &[]);
    bench.write("deploy.toml", &one("group = \"/shop/newest\", "));
    deploy(&bench, &["chat"], &[]);
    let back = said(&bench.run(&["rollback", "--local", "--yes"]));
    assert!(back.contains("of `chat` logs to `/shop/new`, where the function's role may no longer write"), "{back}");
    let gone = destroy(&bench, &[]);
    assert!(gone.contains("removed log group `/aws/lambda/shop-chat`, which `chat` wrote to before"), "{gone}");
    assert!(gone.contains("log group `/shop/new` is kept: `chat` wrote to it before"), "{gone}");
    assert!(gone.contains("`aws logs delete-log-group --log-group-name /shop/new"), "{gone}");
    assert!(!names().contains(&"/aws/lambda/shop-chat".to_owned()), "{:?}", names());
}

#[test]
fn a_group_that_is_not_ours_is_used_as_it_is() {
    let bench = Bench::new(&one("group = \"/theirs\", "));
    let keys = Keys::of(&bench);
    keys.json("Logs_20140328.CreateLogGroup", &json!({ "logGroupName": "/theirs", "tags": { "team": "other" } }));
    let text = deploy(&bench, &["chat"], &[]);
    assert!(
        text.contains("`/theirs`, which lamstream did not create: its retention and its tags are not changed"),
        "{text}"
    );
    let package = format!("--package={}", moody_zip().display());
    assert_eq!(bench.good(&["plan", "--local", &package]), "no changes\n");
    destroy(&bench, &[]);
    assert_eq!(groups(&bench), [("/theirs".into(), Value::Null)]);
}
