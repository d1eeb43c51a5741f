//! Why pip or uv failed, by its messages: neither reports the reason in any other way.
//!
//! The lists below are all that lamstream recognizes of them. If a tool rewords one, an error becomes less specific.

use std::path::Path;

use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool::failed;

/// pip, before the requirement. It reports an unknown package in the same way.
const PIP_NO_WHEEL: &str = "No matching distribution found for ";

/// uv, after the requirement.
const UV_NO_WHEEL: [&str; 6] = [
    "has no wheels",
    "has no usable wheels",
    "has no matching wheels",
    "have no wheels",
    "have no usable wheels",
    "have no matching wheels",
];
/// uv, after ``Package `NAME` ``, if the only file is a source archive.
const UV_NO_BUILD: &str = "marked as `--no-build`";
/// uv, after the requirement: an index does not have it, or a `--find-links` directory.
const UV_UNKNOWN: [&str; 2] =
    ["was not found in the package registry", "was not found in the provided package locations"];
/// uv, about an option or a value that it does not support yet.
const UV_TOO_OLD: [&str; 2] = ["'pylock.toml'", "'--format"];

/// The error for a list that pip or uv did not install, with the tool's last lines and hints.
pub fn not_installed(list: &Path, platform: &Platform, said: &[String]) -> BuildError {
    let (file, runtime, architecture) = (list.display(), &platform.runtime, platform.architecture);
    let what = |package: &str| format!("cannot install `{package}` for `{runtime}` on `{architecture}`");
    match refused(said) {
        Some(Refused::WithoutWheel(package)) => {
            failed(format!("{}: no wheel is available for this platform", what(&package)), said)
                .hint("use a version that has one, or another runtime or architecture")
                .hint("or build its wheel, and add the line `--find-links DIR` to the requirements")
        }
        Some(Refused::Unknown(package)) => failed(format!("{}: it was not found in any index", what(&package)), said)
            .hint("check its name, and that the index that has it is configured"),
        None => {
            failed(format!("cannot install the dependencies in `{file}` for `{runtime}` on `{architecture}`"), said)
        }
    }
}

/// Adds a hint if uv is too old for the options that it got.
pub fn of_old_uv(error: BuildError, said: &[String]) -> BuildError {
    let is_old = said.iter().any(|line| UV_TOO_OLD.iter().any(|words| line.contains(words)));
    if is_old { error.hint("update uv to 0.7 or newer: `uv self update`") } else { error }
}

/// Whether uv failed because an index does not have a package.
pub fn is_unknown_to_index(said: &[String]) -> bool {
    said.join(" ").contains(UV_UNKNOWN[0])
}

/// Why a package is not installed.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    WithoutWheel(String),
    Unknown(String),
}

/// The package that pip or uv could not get.
fn refused(said: &[String]) -> Option<Refused> {
    // uv wraps its lines.
    let text = said
        .iter()
        .map(|line| line.trim().trim_start_matches(['│', '╰', '─', '▶', '×', ' ']))
        .collect::<Vec<_>>()
        .join(" ");
    let is_end = |letter: char| letter.is_whitespace() || ",;".contains(letter);
    let whole = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    if let Some((_, rest)) = text.split_once(PIP_NO_WHEEL) {
        return rest.split(is_end).next().and_then(whole).map(Refused::WithoutWheel);
    }
    if let Some((_, name)) = text.split_once(UV_NO_BUILD).and_then(|(before, _)| before.rsplit_once("Package `")) {
        return name.split('`').next().and_then(whole).map(Refused::WithoutWheel);
    }
    let before = |words: &[&str]| {
        let at = words.iter().filter_map(|words| text.find(words)).min()?;
        text[..at].trim_end().rsplit(is_end).next().and_then(whole)
    };
    before(&UV_NO_WHEEL).map(Refused::WithoutWheel).or_else(|| before(&UV_UNKNOWN).map(Refused::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_wheel_is_named() {
        let pip = [
            "ERROR: Could not find a version that satisfies the requirement quux==9 (from versions: none)",
            "ERROR: No matching distribution found for quux==9",
        ];
        let uv = [
            "  × No solution found when resolving dependencies:",
            "  ╰─▶ Because quux==9 has no wheels with a matching platform tag (e.g.,",
            "      `manylinux_2_34_x86_64`) and you require quux==9, we can conclude that",
        ];
        for said in [pip.to_vec(), uv.to_vec()] {
            let said: Vec<String> = said.into_iter().map(str::to_owned).collect();
            assert_eq!(refused(&said), Some(Refused::WithoutWheel("quux==9".into())));
        }
        let uv = |line: &str| refused(&[line.to_owned()]);
        let all = "  ╰─▶ Because all versions of native have no usable wheels and you require native, we can conclude";
        assert_eq!(uv(all), Some(Refused::WithoutWheel("native".into())));
        let none = "Because nope was not found in the package registry and you require nope, we can conclude";
        assert_eq!(uv(none), Some(Refused::Unknown("nope".into())));
        assert_eq!(uv("error: no route to host"), None);
    }
}
