//! A role at IAM's limit of ten managed policies, which the local cloud enforces.

use crate::support::bench::{Bench, moody_zip, said};

/// A function whose role has the managed policies of these numbers.
fn write(bench: &Bench, policies: std::ops::Range<u32>) {
    let policies: Vec<String> =
        policies.map(|number| format!("\"arn:aws:iam::aws:policy/Policy{number:02}\"")).collect();
    bench.write(
        "deploy.toml",
        &format!(
            "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\nenvironment = {{ MOOD = \"good\" }}\n\
             role.managed_policies = [{}]\n",
            policies.join(", ")
        ),
    );
}

/// Deploys, and gives what was attached and detached, in order.
fn swapped(bench: &Bench, policies: std::ops::Range<u32>) -> String {
    write(bench, policies);
    let proxy = bench.proxy();
    let package = format!("--package={}", moody_zip().display());
    let output = bench.through(&proxy, &["deploy", "--yes", &package]).output().expect("lamstream runs");
    assert!(output.status.success(), "{}", said(&output));
    let calls = proxy.take_calls();
    let letters = calls.iter().filter_map(|call| match call.as_str() {
        "AttachRolePolicy" => Some('a'),
        "DetachRolePolicy" => Some('d'),
        _ => None,
    });
    letters.collect()
}

#[test]
fn policies_are_detached_first_only_as_far_as_the_limit_demands() {
    let bench = Bench::new("");
    bench.good(&["local", "start", "--role-propagation=0s"]);
    assert_eq!(swapped(&bench, 0..2), "aa");
    assert_eq!(swapped(&bench, 2..4), "aadd", "the role is wider for a moment, never narrower");
    assert_eq!(swapped(&bench, 2..10), "aaaaaa");
    assert_eq!(swapped(&bench, 10..18), "ddddddaaaaaaaadd", "eight are exchanged for eight others, of ten at most");
    assert_eq!(swapped(&bench, 10..20), "aa");
    assert_eq!(swapped(&bench, 20..30), "ddddddddddaaaaaaaaaa", "all ten places are taken");
}
