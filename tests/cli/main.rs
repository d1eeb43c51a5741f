//! The real binary, against the real local cloud: what people type, what they get to see, what is then there.

#[path = "../support/mod.rs"]
mod support;

mod again;
mod builds;
mod clock;
mod consent;
mod credentials;
mod deploys;
mod documents;
mod harmless;
mod import;
mod interrupts;
mod invoke;
mod leaks;
mod local;
mod logs;
mod own_words;
mod permissions;
mod ports;
mod preflight;
mod races;
mod reader;
mod refusals;
mod releases;
mod rounds;
mod screens;
mod settings;
mod signers;
mod source;
mod stdout;
mod strangers;
mod talker;
mod twice;
mod unverified;
mod values;

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
