//! Built against musl with the toolchain's own linker: static, and it streams.

use crate::pieces::{self, MUSL};
use crate::streams::chain;
use crate::support::bench::Bench;
use crate::workshop::{answer, bootstrap, built, fixture, root};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, elf};
use packaging::Architecture;
use packaging::Package;
use std::path::Path;

/// Whether neither a loader nor a shared library is needed to start it.
fn is_static(binary: &[u8]) -> bool {
    let file = ElfFile64::<Endianness>::parse(binary).unwrap();
    let mut segments = file.elf_program_headers().iter();
    let has_loader = segments.any(|segment| segment.p_type(file.endian()) == elf::PT_INTERP);
    !has_loader && file.imports().unwrap().next().is_none()
}

/// Builds a crate with `rust-lld`, and gives what it answers, if it is static.
fn answered(rustc: &Path, crate_dir: &Path, path: &str) -> Vec<u8> {
    let key = if rustc.is_absolute() { format!("rustc = {rustc:?}, ") } else { String::new() };
    let build = format!("{key}target = \"{MUSL}\", linker = \"rust-lld\"");
    let keys = format!("crate = {crate_dir:?}\nbuild = {{ {build} }}\n");
    let bench = Bench::new(&format!("app = \"shop\"\n[functions.chat]\n{keys}"));
    let built = built(&mut bench.command(&["-v", "build", "--arch", "x86_64", "--out", "out"]));
    assert!(built.story.contains(&format!("building `chat` for {MUSL} with rustc ")), "{}", built.story);
    let linked = "linked by `rust-lld` with its toolchain's musl, as configured";
    assert!(built.story.contains(linked), "{}", built.story);
    let zip = bench.path(built.zip.to_str().unwrap());
    Package::read(&zip, Architecture::X86_64, Some("bootstrap")).unwrap();
    assert!(is_static(&bootstrap(&zip)));
    answer(&zip, path)
}

#[test]
fn the_function_is_static_and_streams() {
    let Some(rustc) = pieces::musl() else { return };
    let expected = std::fs::read(root().join("tests/fixtures/stream_chat_body.bin")).unwrap();
    assert_eq!(answered(&rustc, &root().join("function"), "stream/chat"), expected);
}

#[test]
fn c_and_assembly_are_built_for_musl() {
    let Some(rustc) = pieces::musl_with_c() else { return };
    let place = fixture("sealed", "musl", "");
    assert_eq!(String::from_utf8_lossy(&answered(&rustc, &place.join("sealed"), "")), chain());
}
