//! `lamstream import cargo-lambda`: what cargo says of a workspace, and where the manifest's paths lead.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use serde_json::json;

/// A workspace of two crates, of which one is deployed, and without a manifest.
fn bench() -> Bench {
    let bench = Bench::new("");
    std::fs::remove_file(bench.path("deploy.toml")).unwrap();
    bench.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let metadata = "[package.metadata.lambda.deploy]\nmemory = 512\nmerge_env = true\n[package.metadata.lambda.env]\nLOG = \"info\"\n";
    bench.write_all("crates/chat/Cargo.toml", &(package("chat") + metadata));
    bench.write_all("crates/chat/src/main.rs", "compile_error!(\"this must not be built\");\n");
    bench.write_all("crates/tool/Cargo.toml", &package("tool"));
    bench.write_all("crates/tool/src/main.rs", "fn main() {}\n");
    bench
}

#[test]
fn a_workspace_becomes_a_manifest_that_lamstream_reads() {
    let bench = bench();
    let output = bench.run(&["import", "cargo-lambda"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.contains("crates/chat/Cargo.toml:7: package.metadata.lambda.deploy.merge_env: lamstream sets"),
        "{told}"
    );
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
    for line in ["[functions.chat]", "crate = \"crates/chat\"", "memory = 512", "timeout = 30", "LOG = \"info\""] {
        assert!(manifest.lines().any(|found| found == line), "{line}\n{manifest}");
    }
    assert!(!manifest.contains("[functions.tool]"), "{manifest}");
    // Another command takes it for a manifest.
    let output = bench.run(&["status", "--local"]);
    assert!(output.status.success() && said(&output).contains("chat: not deployed"), "{}", said(&output));
    let output = bench.run(&["import", "cargo-lambda"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn paths_lead_from_the_manifest_to_the_crate() {
    let bench = bench();
    std::fs::create_dir_all(bench.path("infra")).unwrap();
    for (arguments, expected) in [
        (vec![".", "--out", "-"], "crate = \"crates/chat\""),
        (vec!["crates/chat", "--out", "crates/chat/deploy.toml"], "crate = \".\""),
        (vec!["crates/chat", "--out", "infra/deploy.toml"], "crate = \"../crates/chat\""),
    ] {
        let (document, code) = bench.json(&[&["import", "cargo-lambda"], &arguments[..]].concat());
        assert_eq!((code, &document["ok"]), (3, &json!(true)), "{document:#}");
        let manifest = match document["manifest"].as_str() {
            Some(manifest) => manifest.to_owned(),
            None => std::fs::read_to_string(bench.path(arguments[2])).unwrap(),
        };
        assert!(manifest.lines().any(|line| line == expected), "{expected}\n{manifest}");
    }
}

#[test]
fn a_directory_without_a_crate_is_named() {
    let bench = Bench::new("");
    let output = bench.run(&["import", "cargo-lambda", "--out", "-"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("`.` has no `Cargo.toml`"), "{}", said(&output));
}

/// The build fails, but not before the note.
#[test]
fn settings_that_the_manifest_lacks_are_noted_at_a_deploy() {
    let bench = bench();
    let manifest = |more: &str| {
        let text = format!("app = \"shop\"\n[functions.chat]\ncrate = \"crates/chat\"\n{more}");
        bench.write("deploy.toml", &text);
        said(&bench.run(&["deploy", "--local"]))
    };
    let note =
        "`chat`: cargo-lambda's settings in `crates/chat/Cargo.toml` are not used: `environment.LOG` and `memory`; ";
    let told = manifest("");
    assert!(told.contains(note), "{told}");
    let told = manifest("memory = 128\nenvironment = { LOG = \"debug\" }\n");
    assert!(!told.contains("cargo-lambda"), "{told}");
}
