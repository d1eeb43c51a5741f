//! What could not run on Lambda is refused before anything is called.

use crate::support::bench::{Bench, function_zip, said};
use crate::support::proxy::Proxy;
use crate::workshop::{copies, zipped};
use packaging::Architecture;
use std::path::Path;
use std::process::Command;

/// A manifest for the processor that this machine has, or the one that it has not.
fn manifest(own: bool, directory: &str) -> String {
    let is_host = |architecture: &Architecture| Some(*architecture) == Architecture::host();
    let architecture = Architecture::ALL.into_iter().find(|architecture| is_host(architecture) == own).unwrap();
    let keys = format!("crate = \"{directory}\"\narchitecture = \"{architecture}\"\nurl = {{ auth = \"none\" }}");
    format!("app = \"shop\"\n[functions.chat]\n{keys}\n")
}

/// Runs a command that must fail, and gives what it says and what it called.
fn refused(manifest: &str, arguments: &[&str]) -> (String, Vec<String>) {
    let bench = Bench::new(manifest);
    let proxy = bench.proxy();
    let output = bench.through(&proxy, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(output.stdout.is_empty(), "{}", said(&output));
    (String::from_utf8(output.stderr).unwrap(), proxy.take_calls())
}

fn refused_with(manifest: &str, zip: &Path) -> String {
    let package = format!("--package={}", zip.display());
    let (story, calls) = refused(manifest, &["deploy", "--yes", &package]);
    assert_eq!(calls, Vec::<String>::new(), "{story}");
    let (planned, calls) = refused(manifest, &["plan", &package]);
    assert_eq!(calls, Vec::<String>::new(), "{planned}");
    assert_eq!(planned, story);
    story
}

/// The crate that needs `GLIBC_2.36`, where this machine has a glibc that new.
fn too_new() -> Option<std::path::PathBuf> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().unwrap();
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let minor = version.strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < 36) {
        eprintln!("not tested: nothing too new can be built with `{version}`");
        return None;
    }
    Some(copies("too_new", &[("crates/packaging/tests/fixtures/too_new", "too_new")]).join("too_new"))
}

const NEEDS: &str = "it needs `GLIBC_2.36` (for `arc4random`), but `provided.al2023` has glibc 2.34";

#[test]
fn a_package_for_another_processor_is_refused_before_any_call() {
    let story = refused_with(&manifest(false, "unused"), function_zip());
    let host = Architecture::host().unwrap();
    assert!(story.contains(&format!("it was built for `{host}`\nhint: build it for ")), "{story}");
}

#[test]
fn a_package_that_needs_a_newer_glibc_is_refused_before_any_call() {
    let Some(crate_dir) = too_new() else { return };
    let target = crate_dir.join("target/plain");
    let built = Command::new("cargo").args(["build", "--target-dir"]).arg(&target).current_dir(&crate_dir).output();
    assert!(built.as_ref().unwrap().status.success(), "{}", said(&built.unwrap()));
    let binary = std::fs::read(target.join("debug/too_new")).unwrap();
    let zip = target.join("chat.zip");
    std::fs::write(&zip, zipped(&[("bootstrap", &binary)])).unwrap();
    let story = refused_with(&manifest(true, "unused"), &zip);
    assert!(story.contains(NEEDS), "{story}");
    assert!(story.contains("hint: or target that glibc"), "{story}");
}

#[test]
fn a_crate_that_needs_a_newer_glibc_is_refused_before_its_upload() {
    let Some(crate_dir) = too_new() else { return };
    let manifest = manifest(true, crate_dir.to_str().unwrap());
    let (story, calls) = refused(&manifest, &["deploy", "--yes"]);
    assert!(story.contains(NEEDS), "{story}");
    let writes = Proxy::writes(&calls);
    assert!(!writes.iter().any(|call| call.contains("/functions")), "{writes:?}");

    let bench = Bench::new(&manifest);
    let output = bench.run(&["build"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", said(&output));
    assert!(!bench.path("target").exists(), "{}", said(&output));
}
