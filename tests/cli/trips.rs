//! What each command costs on the wire: calls, how many of them one after the other, and bytes. None of these may grow
//! unnoticed.

use crate::support::bench::{Bench, said, zip_of};
use crate::support::relay::{Relay, chain};
use std::path::Path;
use std::time::Duration;

/// The calls of one round all begin within this time, also on a busy machine.
const DELAY: Duration = Duration::from_millis(250);

/// A command with its calls, its round trips and the most kilobytes that it may send and receive.
struct Cost {
    command: &'static [&'static str],
    calls: usize,
    trips: usize,
    kilobytes: usize,
}

const fn cost(command: &'static [&'static str], calls: usize, trips: usize, kilobytes: usize) -> Cost {
    Cost { command, calls, trips, kilobytes }
}

const DEPLOY: &[&str] = &["deploy", "--yes"];

fn manifest(memory: u32) -> String {
    format!(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\nurl = {{ auth = \"none\" }}\nmemory = {memory}\n\
         environment = {{ MOOD = \"at once\" }}\ncheck = {{ path = \"/\" }}\n"
    )
}

/// A cloud whose functions are ready at once, and a relay before it.
fn delayed() -> (Bench, Relay) {
    let bench = Bench::new(&manifest(128));
    let address = bench.good(&["local", "start", "--role-propagation=0s", "--pending=0s", "--update=0s"]);
    let relay = Relay::to(address.trim());
    relay.delay(DELAY);
    (bench, relay)
}

/// What differs between what a command cost and what it may cost.
fn differing(bench: &Bench, relay: &Relay, expected: &Cost, zip: Option<&Path>) -> Option<String> {
    let package = zip.map(|zip| format!("--package={}", zip.display()));
    let arguments: Vec<&str> = expected.command.iter().copied().chain(package.as_deref()).collect();
    let mut command = bench.command(&arguments);
    command.envs(bench.variables()).env("AWS_ENDPOINT_URL", &relay.address);
    relay.take();
    let output = command.output().expect("lamstream runs");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    let trips = relay.take();
    let chain = chain(&trips);
    let bytes: usize = trips.iter().map(|trip| trip.bytes).sum();
    let kilobytes = bytes.div_ceil(1000);
    let is_as_expected = (trips.len(), chain.len()) == (expected.calls, expected.trips);
    if is_as_expected && kilobytes <= expected.kilobytes {
        return None;
    }
    let Cost { command, calls, trips: in_turn, kilobytes: most } = expected;
    Some(format!(
        "{command:?}: {} calls, {} round trips, {kilobytes} KB; expected {calls}, {in_turn}, and at most {most}: {}",
        trips.len(),
        chain.len(),
        chain.join(", ")
    ))
}

#[test]
fn no_command_costs_more_than_it_did() {
    let (bench, relay) = delayed();
    let code = include_str!("../fixtures/moody.py");
    let [one, two] = ["one", "two"].map(|name| zip_of(name, format!("{code}\n# {name}\n").as_bytes()));
    let (one, two) = (Some(one.as_path()), Some(two.as_path()));
    let steps = [
        (128, one, cost(&["plan"], 14, 1, 20)),
        (128, one, cost(DEPLOY, 28, 11, 50)),
        (128, one, cost(DEPLOY, 14, 1, 25)),
        (128, two, cost(DEPLOY, 23, 8, 50)),
        (256, two, cost(DEPLOY, 23, 8, 45)),
        (128, one, cost(DEPLOY, 25, 10, 55)),
        (128, one, cost(&["plan"], 14, 1, 25)),
        (128, None, cost(&["rollback", "--yes"], 19, 8, 35)),
        (128, None, cost(&["destroy", "--yes"], 22, 5, 35)),
    ];
    let differing = steps.iter().filter_map(|(memory, zip, expected)| {
        bench.write("deploy.toml", &manifest(*memory));
        differing(&bench, &relay, expected, *zip)
    });
    let differing: Vec<String> = differing.collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// What was read too early is not used, and the plan is that of the right account.
#[test]
fn credentials_that_name_another_account_cost_a_round_trip_and_nothing_else() {
    let (bench, relay) = delayed();
    let zip = zip_of("account", include_bytes!("../fixtures/moody.py"));
    let package = format!("--package={}", zip.display());
    bench.good(&["deploy", "--local", &package]);
    for (account, trips) in [("000000000000", 1), ("123456789012", 2)] {
        relay.take();
        let mut command = bench.command(&["plan", &package, "--output", "json"]);
        command.envs(bench.variables()).env("AWS_ENDPOINT_URL", &relay.address).env("AWS_ACCOUNT_ID", account);
        let output = command.output().expect("lamstream runs");
        assert!(output.status.success(), "{}", said(&output));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
        assert_eq!(document["account"], "000000000000", "{document:#}");
        assert_eq!(document["functions"][0]["changes"], serde_json::json!([]), "{document:#}");
        let calls = relay.take();
        assert_eq!(chain(&calls).len(), trips, "{account}: {:?}", chain(&calls));
    }
}
