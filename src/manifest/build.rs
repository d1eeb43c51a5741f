//! How a function's code is built, if the default is not right.

use super::code::belongs_to;
use super::section::{Entry, Section};
use crate::stack::Architecture;
use crate::text::list;

/// Every target whose binaries run on Lambda, with its architecture.
const TARGETS: [(&str, Architecture); 4] = [
    ("x86_64-unknown-linux-gnu", Architecture::X86_64),
    ("x86_64-unknown-linux-musl", Architecture::X86_64),
    ("aarch64-unknown-linux-gnu", Architecture::Arm64),
    ("aarch64-unknown-linux-musl", Architecture::Arm64),
];

/// The keys that have no meaning without a crate.
const OF_CARGO: [&str; 7] = ["target", "linker", "rustc", "features", "default_features", "profile", "locked"];

const LINKERS: [&str; 4] = ["auto", "gcc", "rust-lld", "zig"];

/// Source: `build` in `deploy.toml`. Missing settings are chosen from what is installed and from the crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// A target triple of the function's architecture.
    pub target: Option<String>,
    /// `gcc`, `rust-lld`, `zig`, or a path relative to the manifest, as written.
    pub linker: Option<String>,
    /// Relative to the manifest, as written.
    pub rustc: Option<String>,
    /// The crate's features, in addition to the default ones.
    pub features: Vec<String>,
    pub default_features: bool,
    /// A profile of cargo, to be used as it is.
    pub profile: Option<String>,
    /// Whether cargo must not change the lock file.
    pub locked: Option<bool>,
    /// A command that makes what is packaged.
    pub command: Option<Command>,
}

/// A command of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// For a shell.
    pub text: String,
    /// Where it runs, relative to the manifest, as written; `None` for the app's directory.
    pub directory: Option<String>,
}

impl Default for Build {
    fn default() -> Build {
        Build {
            target: None,
            linker: None,
            rustc: None,
            features: Vec::new(),
            default_features: true,
            profile: None,
            locked: None,
            command: None,
        }
    }
}

impl Build {
    /// If the architecture is invalid, every target is accepted here.
    pub(super) fn read(function: &Section<'_>, architecture: Option<Architecture>) -> Build {
        let Some(keys) = function.section("build") else { return Build::default() };
        for key in OF_CARGO {
            keys.entry(key).iter().for_each(|entry| belongs_to(entry, function, &["crate"]));
        }
        let target = keys.entry("target").and_then(|entry| read_target(&entry, architecture));
        let linker = keys.entry("linker").and_then(|entry| read_linker(&entry, target));
        let rustc = keys.matching("rustc", is_path, "a path with a `/` in it");
        let profile = keys.matching("profile", is_profile, "the name of one of cargo's profiles, such as `release`");
        Build {
            target: target.map(str::to_owned),
            linker: linker.map(str::to_owned),
            rustc: rustc.map(str::to_owned),
            features: keys.entry("features").map(|entry| read_features(&entry)).unwrap_or_default(),
            default_features: keys.switch("default_features"),
            profile: profile.map(str::to_owned),
            locked: keys.written_switch("locked"),
            command: read_command(&keys),
        }
    }
}

fn read_command(keys: &Section<'_>) -> Option<Command> {
    let text = keys.matching("command", is_command, "a command line for `sh`");
    let directory = keys.entry("directory").and_then(|entry| {
        if !keys.has("command") {
            entry.problem_with_name("`directory` can be used only with `command`, which runs there");
        }
        entry.matching(is_directory, "a directory, relative to the manifest").map(|text| text.into_inner().to_owned())
    });
    Some(Command { text: text?.to_owned(), directory })
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
        let found = target.map_or("`target` is not set".to_owned(), |target| format!("`target` is `{target}`"));
        entry.problem(format!(
            "`linker` is `rust-lld`, which links with musl's C library, but {found}, expected a `target` that ends in `-musl`"
        ));
    }
    (linker != "auto").then_some(linker)
}

fn is_path(text: &str) -> bool {
    text.contains('/') && !text.contains(char::is_control)
}

fn read_features(entry: &Entry<'_>) -> Vec<String> {
    const EXPECTED: &str = "names of the crate's features, such as `lambda`";
    let features = entry.strings(EXPECTED);
    for feature in &features {
        let text = *feature.get_ref();
        if text.is_empty()
            || text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == ',')
        {
            entry.problem_at(
                feature.span(),
                format!("`features` contains `{text}`, expected {EXPECTED}, one in each string"),
            );
        }
    }
    features.into_iter().map(|feature| feature.into_inner().to_owned()).collect()
}

fn is_profile(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

fn is_command(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('\0')
}

fn is_directory(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}
