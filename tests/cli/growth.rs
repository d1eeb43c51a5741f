//! How a run grows with the number of functions: calls and bytes for each function more. Time depends on the machine;
//! these do not.

use crate::support::bench::{Bench, moody_zip, said};
use crate::support::proxy::Proxy;
use std::fmt::Write;

/// The numbers of functions that are compared.
const FEW: usize = 1;
const MANY: usize = 4;

/// The most calls and bytes, besides the package's, for each function more.
const MOST: [(&str, usize, usize); 5] = [
    ("plan", 2, 2_500),
    ("first deploy", 16, 29_000),
    ("no-op deploy", 11, 19_500),
    ("code-only deploy", 19, 38_500),
    ("destroy", 20, 31_500),
];

/// What one command cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    calls: usize,
    bytes: usize,
}

fn bench(functions: usize) -> Bench {
    let function = |nth| {
        format!(
            "[functions.f{nth}]\npackage = \"code.zip\"\ntimeout = 5\nurl = {{ auth = \"none\" }}\n\
             environment = {{ RELEASE = \"one\", MOOD = \"at once\" }}\ncheck = {{ path = \"/\" }}\n"
        )
    };
    let bench = Bench::new(&format!("app = \"shop\"\n{}", (0..functions).map(function).collect::<String>()));
    // Nothing is polled.
    bench.good(&["local", "start", "--pending=0ms", "--update=0ms", "--role-propagation=0ms"]);
    bench
}

fn cost(bench: &Bench, proxy: &Proxy, arguments: &[&str]) -> Cost {
    let heard = proxy.heard().len();
    let output = bench.through(proxy, arguments).output().expect("lamstream runs");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    // How often a slow machine is asked again is of no account.
    let calls: Vec<_> = proxy
        .take_requests()
        .into_iter()
        .filter(|call| !call.name.ends_with("response-streaming-invocations"))
        .collect();
    let sent: usize = calls.iter().map(|call| call.request.len()).sum();
    Cost { calls: calls.len(), bytes: sent + proxy.heard().len() - heard }
}

/// The costs of all commands, and the bytes of the package in a call.
fn costs(functions: usize) -> Vec<Cost> {
    let bench = bench(functions);
    let proxy = bench.proxy();
    let package = |code: &[u8]| std::fs::write(bench.path("code.zip"), code).expect("the package is written");
    let first = std::fs::read(moody_zip()).expect("a package");
    package(&first);
    let upload = functions * first.len().div_ceil(3) * 4;
    let mut costs = vec![cost(&bench, &proxy, &["plan"]), cost(&bench, &proxy, &["deploy", "--yes"])];
    costs.push(cost(&bench, &proxy, &["deploy", "--yes"]));
    package(&with_comment(&first));
    costs.push(cost(&bench, &proxy, &["deploy", "--yes"]));
    costs.push(cost(&bench, &proxy, &["destroy", "--yes"]));
    for deploy in [1, 3] {
        costs[deploy].bytes -= upload;
    }
    costs
}

/// The same zip with another digest.
fn with_comment(zip: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new_append(std::io::Cursor::new(zip.to_vec())).expect("a zip");
    archive.set_comment("two").expect("a comment");
    archive.finish().expect("a zip").into_inner()
}

#[test]
fn each_function_costs_no_more_calls_and_bytes_than_before() {
    let (few, many) = (costs(FEW), costs(MANY));
    let mut table = String::new();
    let mut is_more = false;
    for ((name, calls, bytes), (few, many)) in MOST.iter().zip(few.iter().zip(&many)) {
        let more = MANY - FEW;
        let grown = Cost { calls: (many.calls - few.calls).div_ceil(more), bytes: (many.bytes - few.bytes) / more };
        is_more |= grown.calls > *calls || grown.bytes > *bytes;
        let _ = writeln!(table, "{name}: {grown:?} for each, at most {calls} and {bytes}; alone {few:?}");
    }
    assert!(!is_more, "{table}");
}
