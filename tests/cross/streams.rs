//! Built for arm64, the same each time, and run by qemu in the local cloud.

use crate::pieces;
use crate::support::bench::Bench;
use crate::workshop::{Built, answer, build, copies, fixture, root, under_qemu};
use packaging::Architecture;
use packaging::Package;
use sha2::{Digest, Sha256};

/// Whether Lambda would take it for arm64, and would not for x86_64.
fn is_for_arm64(built: &Built) {
    Package::read(&built.zip, Architecture::Arm64, Some("bootstrap")).unwrap();
    let error = Package::read(&built.zip, Architecture::X86_64, Some("bootstrap")).unwrap_err();
    assert!(error.message.ends_with("for `x86_64`: it was built for `arm64`"), "{error:?}");
}

#[test]
fn the_function_is_the_same_from_two_directories_and_streams() {
    if !pieces::arm64() {
        return;
    }
    let whole = ["deploy.toml", "function/Cargo.toml", "function/Cargo.lock", "function/src"];
    let elsewhere = copies("checkout", &whole.map(|path| (path, path)));
    let (here, there) = (Bench::new(""), Bench::new(""));
    let (one, other) = (build(&here, root(), None), build(&there, &elsewhere, None));
    let digest = |built: &Built| Sha256::digest(std::fs::read(&built.zip).unwrap());
    assert_eq!(digest(&one), digest(&other), "{}\n{}", one.story, other.story);
    assert!(one.story.contains("building `chat` for aarch64-unknown-linux-gnu with rustc "), "{}", one.story);
    is_for_arm64(&one);
    let expected = std::fs::read(root().join("tests/fixtures/stream_chat_body.bin")).unwrap();
    assert_eq!(answer(&under_qemu(&one.zip), "stream/chat"), expected);
}

/// What the crate with C in it answers.
pub(crate) fn chain() -> String {
    let mut link = b"lamstream".to_vec();
    let mut next = || {
        link = Sha256::digest(&link).to_vec();
        link.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n"
    };
    (0..5).map(|_| next()).collect()
}

#[test]
fn c_and_assembly_are_built_with_gcc() {
    if !pieces::arm64() {
        return;
    }
    let bench = Bench::new("");
    let built = build(&bench, &fixture("sealed", "gcc", "build = { linker = \"gcc\" }"), None);
    assert!(built.story.contains("linked by `aarch64-linux-gnu-gcc`, as configured"), "{}", built.story);
    is_for_arm64(&built);
    assert_eq!(String::from_utf8_lossy(&answer(&under_qemu(&built.zip), "")), chain());
}

#[test]
fn c_and_assembly_are_built_with_zig() {
    if !pieces::arm64() {
        return;
    }
    let Some(zig) = pieces::zig() else { return };
    let bench = Bench::new("");
    let built = build(&bench, &fixture("sealed", "zig", "build = { linker = \"zig\" }"), Some(&zig));
    assert!(built.story.contains("linked by zig for glibc 2.34, as configured"), "{}", built.story);
    is_for_arm64(&built);
    assert_eq!(String::from_utf8_lossy(&answer(&under_qemu(&built.zip), "")), chain());
}
