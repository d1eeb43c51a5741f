//! The repository's `deploy.toml`: the sample from which users learn the keys, so that it must be right and whole.

use super::fixtures::root;
use lamstream::manifest::{CodeSource, Manifest, parse};
use std::collections::BTreeSet;
use std::fs;
use toml::Value;

fn sample() -> String {
    fs::read_to_string(root().join("deploy.toml")).unwrap()
}

/// The sample with every key switched on: a line that begins with `#` and no space is one.
fn switched_on() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with([' ', '#']) => key.to_owned(),
        _ => line.to_owned(),
    };
    sample().lines().map(on).collect::<Vec<_>>().join("\n")
}

fn parsed(text: &str) -> Manifest {
    parse(text, None).unwrap_or_else(|problems| panic!("{}", problems.render("deploy.toml", text)))
}

#[test]
fn the_sample_deploys_as_it_stands() {
    let manifest = parsed(&sample());
    assert_eq!((manifest.account, manifest.region, manifest.stages), (None, None, Vec::new()));
    let [chat] = &manifest.functions[..] else { panic!("one function is expected") };
    let check = &chat.checks[0];
    assert_eq!((check.method.as_str(), check.path_and_query().as_str()), ("POST", "/stream/chat?query=hello"));
    assert!(check.streams && !check.whole);
    let CodeSource::Crate { directory, .. } = &chat.source else { panic!("a crate is expected") };
    assert!(root().join(directory).join("Cargo.toml").is_file());
}

#[test]
fn the_sample_parses_with_every_key_switched_on() {
    let text = switched_on();
    let manifest = parsed(&text);
    assert_eq!(manifest.stages, ["production"]);
    assert_eq!(parse(&text, Some("production")).unwrap().functions[0].settings.memory, 512);
}

#[test]
fn what_the_sample_calls_a_default_is_one() {
    let (with, without) = (parsed(&switched_on()), parsed(&sample()));
    let (with, without) = (&with.functions[0], &without.functions[0]);
    assert_eq!(with.architecture, without.architecture);
    assert_eq!(with.settings, without.settings);
    assert_eq!((with.retention_days, with.logging), (without.retention_days, without.logging));
    assert_eq!(with.url.as_ref().unwrap().mode, without.url.as_ref().unwrap().mode);
    assert_eq!(with.checks[0].whole, without.checks[0].whole);
}

/// An unknown key in every table makes the parser list what it knows there.
#[test]
fn every_key_that_the_parser_knows_is_in_the_sample() {
    let text = "zzz = 1\napp = 'a'\n[functions.f]\nzzz = 1\ncrate = 'c'\n\
                build = { zzz = 1 }\nurl = { auth = 'none', zzz = 1, cors = { zzz = 1 } }\n\
                log = { zzz = 1 }\nrole = { zzz = 1, statements = [{ zzz = 1, actions = ['*'], resources = ['*'] }] }\n\
                check = { zzz = 1 }\nrollout = { zzz = 1, steps = [1], for = '1s' }\nenvironment = { KEY = { zzz = 1 } }\n\
                vpc = { zzz = 1, subnets = ['subnet-1'], security_groups = ['sg-1'] }\n\
                file_systems = [{ zzz = 1, arn = 'arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1', \
                path = '/mnt/x' }]\n";
    let tree: Value = toml::from_str(&switched_on()).unwrap();
    let places = ["", "functions.*", "functions.*.build", "functions.*.url", "functions.*.url.cors", "functions.*.log"];
    let places = [&places[..], &["functions.*.role", "functions.*.role.statements.*", "functions.*.check"]].concat();
    let places = [&places[..], &["functions.*.rollout"]].concat();
    let places = [&places[..], &["functions.*.environment.*"]].concat();
    let places = [&places[..], &["functions.*.vpc", "functions.*.file_systems.*"]].concat();
    let problems = parse(text, None).unwrap_err();
    let lists: Vec<&str> = problems.iter().filter_map(|problem| problem.message.split("one of ").nth(1)).collect();
    assert_eq!(lists.len(), places.len(), "{problems}");
    for (place, list) in places.iter().zip(lists) {
        let mut shown = keys_at(&tree, place);
        if place.is_empty() {
            // Some keys are for stages only.
            shown.extend(keys_at(&tree, "stages.*"));
        }
        let known: BTreeSet<String> = list.split(", ").map(|key| key.trim_matches('`').to_owned()).collect();
        assert_eq!(known, shown, "at `{place}`");
    }
}

fn keys_at(tree: &Value, place: &str) -> BTreeSet<String> {
    let mut values = vec![tree];
    for step in place.split('.').filter(|step| !step.is_empty()) {
        values = values.into_iter().flat_map(|value| steps(value, step)).collect();
    }
    values.into_iter().filter_map(Value::as_table).flat_map(|table| table.keys().cloned()).collect()
}

fn steps<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    match value {
        Value::Table(table) if step == "*" => table.values().collect(),
        Value::Array(items) if step == "*" => items.iter().collect(),
        Value::Table(table) => table.get(step).into_iter().collect(),
        _ => Vec::new(),
    }
}
