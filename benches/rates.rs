//! Measures how long commands on many functions of one crate take in an account whose calls AWS limits, compared with what
//! its rates allow at best. Run it with `cargo bench --bench rates`, or with other counts of functions after `--`.
//!
//! The bound of a command is the largest of calls ÷ rate, over all kinds of calls that AWS counts together. Throttled calls
//! do not count, because AWS did not answer them.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/support/fault.rs"]
mod fault;
#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/support/proxy.rs"]
mod proxy;
#[expect(dead_code, reason = "another measurement uses the rest")]
mod usage;

use proxy::{Call, Proxy};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;
use usage::Usage;

/// The kinds of calls that AWS counts together, with the local cloud's rates per second, which are AWS's.
const KINDS: [(&str, f64); 6] = [
    ("GetFunction", 100.0),
    ("Lambda", 15.0),
    ("IAM", 10.0),
    ("CreateLogGroup", 5.0),
    ("DeleteLogGroup", 5.0),
    ("DescribeLogGroups", 5.0),
];
const LIMITS: [&str; 3] = ["--logs-rate=5", "--api-rate=15", "--iam-rate=10"];
/// The numbers of functions.
const COUNTS: [usize; 3] = [1, 10, 100];
const CRATE: &str = "[package]\nname = 'code'\nedition = '2024'\n[profile.lambda]\ninherits = 'dev'\n[workspace]\n";

struct Place {
    state: tempfile::TempDir,
    functions: usize,
}

impl Place {
    fn lamstream(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamstream"));
        command.current_dir(self.state.path()).env("LAMSTREAM_LOCAL_DIR", self.state.path().join("cloud"));
        command
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.state.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The crate of all functions, which answer with this word.
    fn write_code(&self, word: &str) {
        self.write("code/Cargo.toml", CRATE);
        self.write("code/src/main.rs", &include_str!("../tests/fixtures/greeter.rs").replace("hello", word));
    }

    fn good(&self, arguments: &[&str]) -> String {
        let output = self.lamstream().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.lamstream().args(["local", "stop"]).output();
    }
}

/// The kind of a call; `None` if AWS's limit of it is of no account here.
fn kind(call: &Call) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&call.request[..call.request.len().min(2048)]).to_lowercase();
    let path = call.name.split('?').next().unwrap_or_default();
    if head.contains("/iam/aws4_request") {
        Some("IAM")
    } else if let Some((kind, _)) = KINDS.iter().find(|(kind, _)| *kind == call.name) {
        Some(kind)
    } else if !head.contains("/lambda/aws4_request") || path.ends_with("invocations") {
        None
    } else if path.starts_with("GET ") && path.split('/').count() == 4 {
        Some("GetFunction")
    } else {
        Some("Lambda")
    }
}

/// How many calls of each service were throttled.
fn throttled(heard: &str) -> BTreeMap<&'static str, usize> {
    let words = [
        ("IAM", "<Code>Throttling</Code>"),
        ("Lambda", "TooManyRequestsException"),
        ("CloudWatch Logs", "\"__type\":\"ThrottlingException\""),
    ];
    words.into_iter().map(|(service, words)| (service, heard.matches(words).count())).collect()
}

fn main() {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { COUNTS.to_vec() } else { counts };
    println!("{}\n", LIMITS.join(" "));
    for functions in counts {
        measure(&Place { state: tempfile::tempdir().unwrap(), functions });
    }
}

fn measure(place: &Place) {
    let function = |nth| {
        format!("[functions.f{nth}]\ncrate = \"code\"\nurl = {{ auth = \"none\" }}\ncheck = {{ path = \"/\" }}\n")
    };
    let functions = (0..place.functions).map(function).collect::<String>();
    place.write("deploy.toml", &format!("app = \"many\"\n{functions}"));
    place.write_code("hello");
    let address = place.good(&[&["local", "start"], &LIMITS[..]].concat());
    let variables = place.good(&["local", "env"]);
    let variables: Vec<(&str, &str)> =
        variables.lines().filter_map(|line| line.trim_start_matches("export ").split_once('=')).collect();
    let proxy = Proxy::to(address.trim());
    println!("{} functions", place.functions);
    let mut build = place.lamstream();
    build.arg("build");
    let (_, Usage { time, memory, .. }) = usage::run(&build);
    println!("built in {time:.1} s, with {memory:.0} MB at most");
    let head = ["", "calls", "throttled", "bound", "time", "ratio", "memory"];
    let [name, calls, throttled_calls, bound, time, ratio, memory] = head;
    println!("{name:<16} {calls:<70} {throttled_calls:>10} {bound:>8} {time:>8} {ratio:>6} {memory:>8}");
    for (name, arguments) in [
        ("plan", &["plan"][..]),
        ("first deploy", &["deploy", "--yes"]),
        ("plan, deployed", &["plan"]),
        ("no-op deploy", &["deploy", "--yes"]),
        ("code-only deploy", &["deploy", "--yes"]),
        ("destroy", &["destroy", "--yes"]),
    ] {
        if name == "code-only deploy" {
            place.write_code("bye");
            place.good(&["build"]);
        }
        // So that AWS would allow a second's calls at once again.
        std::thread::sleep(Duration::from_secs(2));
        let before = proxy.heard().len();
        let mut command = place.lamstream();
        command.args(arguments).envs(variables.iter().copied()).env("AWS_ENDPOINT_URL", &proxy.address);
        let (_, usage) = usage::run(&command);
        let heard = String::from_utf8_lossy(&proxy.heard()[before..]).into_owned();
        print(name, &proxy.take_requests(), &throttled(&heard), usage);
    }
    println!();
}

fn print(name: &str, calls: &[Call], throttled: &BTreeMap<&str, usize>, Usage { time, memory, .. }: Usage) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in calls.iter().filter_map(kind) {
        *counts.entry(kind).or_default() += 1;
    }
    // Each throttled call was made again. Those of CloudWatch Logs were of the operation that is called most.
    let most = counts.iter().filter(|(kind, _)| kind.ends_with("LogGroup") || kind.ends_with("LogGroups"));
    let most = most.max_by_key(|(_, count)| **count).map(|(kind, _)| *kind);
    for (service, throttled) in throttled {
        let kind = if *service == "CloudWatch Logs" { most.unwrap_or_default() } else { service };
        counts.entry(kind).and_modify(|count| *count = count.saturating_sub(*throttled));
    }
    let rate = |kind: &str| KINDS.iter().find(|(known, _)| *known == kind).map_or(f64::INFINITY, |(_, rate)| *rate);
    let bound = counts.iter().map(|(kind, count)| *count as f64 / rate(kind)).fold(0.0, f64::max);
    let shown: Vec<String> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let all: usize = throttled.values().sum();
    let (shown, ratio) = (shown.join(", "), time / bound);
    println!("{name:<16} {shown:<70} {all:>10} {bound:>6.1} s {time:>6.1} s {ratio:>6.2} {memory:>5.0} MB");
}
