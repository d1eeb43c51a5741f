//! The real binary, against the real local cloud: what people type, what they get to see, what is then there.

#[path = "../support/mod.rs"]
mod support;

mod action;
mod adoption;
mod again;
mod agents;
mod behind;
mod build_commands;
mod builds;
mod cargo_lambda;
mod checks;
mod clock;
mod consent;
mod crates;
mod credentials;
mod deploys;
mod dev;
mod dev_page;
mod doctor;
mod documents;
mod github;
mod growth;
mod handed_over;
mod harmless;
mod import;
mod init;
mod instructions;
mod interrupts;
mod invoke;
mod kinds;
mod last_words;
mod lateness;
mod leaks;
mod local;
mod log_groups;
mod logs;
mod mcp;
mod own_words;
mod permissions;
mod ports;
mod preflight;
mod races;
mod rates;
mod reader;
mod refusals;
mod regions;
mod releases;
mod roles;
mod rounds;
mod screens;
mod secrets;
mod self_ending;
mod settings;
mod shared_builds;
mod shells;
mod signers;
mod snap_start;
mod source;
mod stages;
mod stats;
mod status;
mod stdout;
mod strangers;
mod surroundings;
mod talker;
mod timeline;
mod trips;
mod twice;
mod unverified;
mod uploads;
mod values;
mod verify;

use support::bench::Bench;

/// One public function that streams, checked.
const CHAT: &str = r#"
app = "shop"
[functions.chat]
crate = "unused"
url = { auth = "none" }
check = { method = "POST", path = "/stream/chat", query = { query = "hello" }, streams = true }
"#;

/// Two functions without checks.
const TWO: &str = r#"
app = "shop"
[functions.zebra]
crate = "unused"
url = { auth = "none" }
[functions.ant]
crate = "unused"
url = { auth = "none" }
"#;

/// `deploy --local --yes` of the repository's function, built once.
fn deploy(bench: &Bench, more: &[&str]) -> String {
    let package = format!("--package={}", support::bench::function_zip().display());
    bench.good(&[&["deploy", "--local", "--yes", &package], more].concat())
}
