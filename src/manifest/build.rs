//! How a function's code is built for its architecture, where the default is not the right way.

use super::section::{Entry, Section};
use crate::stack::Architecture;
use crate::text::list;

/// Every target whose binaries Lambda can run, with what runs them.
const TARGETS: [(&str, Architecture); 4] = [
    ("x86_64-unknown-linux-gnu", Architecture::X86_64),
    ("x86_64-unknown-linux-musl", Architecture::X86_64),
    ("aarch64-unknown-linux-gnu", Architecture::Arm64),
    ("aarch64-unknown-linux-musl", Architecture::Arm64),
];

const LINKERS: [&str; 4] = ["auto", "gcc", "rust-lld", "zig"];

/// Source: `build` in `deploy.toml`. What is not there is chosen from what is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// A triple of the function's architecture.
    pub target: Option<String>,
    /// `gcc`, `rust-lld`, `zig`, or a path as written: relative to the manifest.
    pub linker: Option<String>,
    /// As written: relative to the manifest.
    pub rustc: Option<String>,
}

impl Build {
    /// Without an architecture, since what is written cannot be one, every target may be right.
    pub(super) fn read(function: &Section<'_>, architecture: Option<Architecture>) -> Build {
        let Some(keys) = function.section("build") else { return Build::default() };
        let target = keys.entry("target").and_then(|entry| read_target(&entry, architecture));
        let linker = keys.entry("linker").and_then(|entry| read_linker(&entry, target));
        let rustc = keys.matching("rustc", is_path, "a path with a `/` in it");
        Build { target: target.map(str::to_owned), linker: linker.map(str::to_owned), rustc: rustc.map(str::to_owned) }
    }
}

fn read_target(entry: &Entry<'_>, architecture: Option<Architecture>) -> Option<&'static str> {
    let target = entry.one_of(&TARGETS.map(|(triple, _)| triple))?.into_inner();
    let (_, of) = TARGETS.into_iter().find(|(triple, _)| *triple == target)?;
    if let Some(architecture) = architecture.filter(|architecture| *architecture != of) {
        let fitting: Vec<&str> = TARGETS.iter().filter(|(_, of)| *of == architecture).map(|(name, _)| *name).collect();
        entry.problem(format!(
            "`target` is `{target}`, which is for `{of}`, but the function's `architecture` is `{architecture}`; \
             expected one of {}, or `architecture = \"{of}\"`",
            list::quoted(fitting)
        ));
    }
    Some(target)
}

/// `None` is `auto`.
fn read_linker<'a>(entry: &Entry<'a>, target: Option<&str>) -> Option<&'a str> {
    let expected = format!("one of {}, or a path with a `/` in it", list::quoted(LINKERS));
    let linker = entry.matching(|text| LINKERS.contains(&text) || is_path(text), &expected)?.into_inner();
    if linker == "rust-lld" && !target.is_some_and(|target| target.ends_with("-musl")) {
        entry.problem(
            "`rust-lld` includes no C library and links with musl's own, expected a `target` that ends in `-musl`",
        );
    }
    (linker != "auto").then_some(linker)
}

fn is_path(text: &str) -> bool {
    text.contains('/') && !text.contains(char::is_control)
}
