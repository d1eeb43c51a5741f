//! Many functions in one manifest, in an account whose calls AWS limits.

use crate::support::bench::{Bench, moody_zip, said};
use crate::support::proxy::Proxy;
use std::collections::BTreeMap;
use std::process::Output;

/// Enough functions to be throttled by each service.
const FUNCTIONS: usize = 6;
/// AWS's rates.
const RATES: [&str; 3] = ["--logs-rate=5", "--api-rate=15", "--iam-rate=10"];

fn bench() -> Bench {
    let function = |nth| {
        format!(
            "[functions.f{nth}]\ncrate = \"unused\"\ntimeout = 5\nurl = {{ auth = \"none\" }}\n\
             environment = {{ RELEASE = \"one\", MOOD = \"good\" }}\ncheck = {{ streams = true }}\n"
        )
    };
    Bench::new(&format!("app = \"shop\"\n{}", (0..FUNCTIONS).map(function).collect::<String>()))
}

fn run(bench: &Bench, proxy: &Proxy, command: &str) -> Output {
    let packages = (0..FUNCTIONS).map(|nth| format!("--package=f{nth}={}", moody_zip().display()));
    let packages: Vec<String> = packages.filter(|_| command != "destroy").collect();
    let yes = if command == "plan" { None } else { Some("--yes") };
    let arguments: Vec<&str> = [command].into_iter().chain(yes).chain(packages.iter().map(String::as_str)).collect();
    let output = bench.through(proxy, &arguments).output().expect("lamstream runs");
    assert!(output.status.success(), "{command}: {}", said(&output));
    output
}

/// How often each operation was called, whatever function it was about.
fn counts(calls: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        let path = call.split('?').next().unwrap_or_default();
        let steps: Vec<&str> = path.split('/').collect();
        let rest = steps.get(4..).map(|rest| rest.join("/")).unwrap_or_default();
        let name = match steps.get(2) {
            Some(&"functions") if call.contains("Qualifier=live") && rest.is_empty() => format!("{} live", steps[0]),
            Some(&"functions") if steps.len() > 3 => format!("{}{rest}", steps[0]),
            _ => path.to_owned(),
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn functions_that_do_not_exist_are_asked_for_in_few_calls() {
    let bench = bench();
    bench.good(&["local", "start"]);
    let proxy = bench.proxy();
    run(&bench, &proxy, "plan");
    let counts = counts(&proxy.take_calls());
    let expected = [("DescribeLogGroups", 1), ("GET ", FUNCTIONS), ("GET url", 1), ("GetCallerIdentity", 1)];
    let expected = expected.into_iter().chain([("GetRole", FUNCTIONS), ("ListRoles", 1)]);
    let expected: BTreeMap<String, usize> = expected.map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!(counts, expected);
}

#[test]
fn throttled_calls_are_waited_for_and_no_call_is_made_in_vain() {
    let bench = bench();
    bench.good(&[&["local", "start"], &RATES[..]].concat());
    let proxy = bench.proxy();
    run(&bench, &proxy, "deploy");
    let first = counts(&proxy.take_calls());
    // There is nothing to delete after a first release.
    assert!(!first.contains_key("GET versions") && !first.contains_key("GET aliases"), "{first:?}");

    run(&bench, &proxy, "deploy");
    let calls = proxy.take_calls();
    assert_eq!(Proxy::writes(&calls).iter().filter(|call| **call != "GetCallerIdentity").count(), 0, "{calls:?}");
    let unchanged = counts(&calls);
    assert_eq!(unchanged["DescribeLogGroups"], 1, "{unchanged:?}");

    run(&bench, &proxy, "destroy");
    let last = counts(&proxy.take_calls());
    // Only functions that the manifest does not name have to show by their tags whose they are.
    assert!(!last.contains_key("ListRoleTags") && !last.keys().any(|name| name.contains("tags")), "{last:?}");
    assert!(!last.contains_key("ListAttachedRolePolicies"), "{last:?}");

    let heard = String::from_utf8_lossy(&proxy.heard()).into_owned();
    for words in ["<Code>Throttling</Code>", "\"__type\":\"ThrottlingException\"", "TooManyRequestsException"] {
        assert!(heard.contains(words), "nothing was throttled with {words}");
    }
}
