//! Compiler flags that keep the checkout's paths out of the binary, added to the user's flags.

use std::path::Path;

use cargo_metadata::cargo_platform::Cfg;
use toml::Value;

use super::configuration::{Configuration, Environment};

/// A key of `[target]` that matches every target and that no user writes, so it can only add flags.
const EVERY_TARGET: &str = "cfg(not(any()))";

/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// How flags reach cargo: as its arguments, or as the value of `CARGO_ENCODED_RUSTFLAGS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handover {
    Arguments(Vec<String>),
    Encoded(String),
}

/// `--remap-path-prefix` for each `(path, replacement)`. Of two nested paths, the inner one wins.
pub fn flags(paths: &[(&Path, String)]) -> Vec<String> {
    let mut paths: Vec<_> = paths.iter().collect();
    // The compiler uses the last prefix that matches.
    paths.sort_by_key(|(path, _)| path.components().count());
    paths.iter().map(|(path, instead)| format!("--remap-path-prefix={}={instead}", path.display())).collect()
}

/// Appends `ours` to the flags in force for this target. Cargo takes flags from the first of four sources only:
/// `CARGO_ENCODED_RUSTFLAGS`, `RUSTFLAGS`, all matching `target.*.rustflags`, `build.rustflags`. `cfgs` are the
/// compiler's for the target.
pub fn handover(
    ours: Vec<String>,
    configuration: &Configuration,
    environment: &Environment,
    triple: &str,
    cfgs: &[Cfg],
) -> Handover {
    if let Some(theirs) = environment.get("CARGO_ENCODED_RUSTFLAGS") {
        let theirs = theirs.split(SEPARATOR).filter(|flag| !flag.is_empty()).map(String::from);
        return encoded(theirs.chain(ours));
    }
    if let Some(theirs) = environment.get("RUSTFLAGS") {
        return encoded(theirs.split_whitespace().map(String::from).chain(ours));
    }
    let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", triple.to_uppercase().replace(['-', '.'], "_"));
    if environment.contains_key(&variable) || configuration.has_for_target("rustflags", triple, cfgs) {
        return Handover::Arguments(for_target(ours));
    }
    // Cargo joins lists, but refuses to join a list with a string; a string is split as cargo would split it.
    let added = environment.get("CARGO_BUILD_RUSTFLAGS").map_or("", String::as_str);
    match configuration.values(&["build", "rustflags"]).next() {
        Some(Value::String(theirs)) => {
            let theirs = theirs.split_whitespace().chain(added.split_whitespace()).map(String::from);
            Handover::Arguments(for_target(theirs.chain(ours).collect()))
        }
        _ => Handover::Arguments(vec!["--config".into(), format!("build.rustflags={}", toml_list(ours))]),
    }
}

fn for_target(flags: Vec<String>) -> Vec<String> {
    vec!["--config".into(), format!("target.\"{EVERY_TARGET}\".rustflags={}", toml_list(flags))]
}

fn encoded(flags: impl Iterator<Item = String>) -> Handover {
    Handover::Encoded(flags.collect::<Vec<_>>().join(SEPARATOR))
}

fn toml_list(flags: Vec<String>) -> String {
    Value::Array(flags.into_iter().map(Value::String).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    fn handed(configuration: &[&str], environment: &[(&str, &str)]) -> Handover {
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let cfgs = [Cfg::from_str("unix").unwrap(), Cfg::from_str("target_os=\"linux\"").unwrap()];
        handover(vec!["--ours".into()], &Configuration::of(configuration), &environment, TRIPLE, &cfgs)
    }

    fn argument(configuration: &[&str], environment: &[(&str, &str)]) -> String {
        match handed(configuration, environment) {
            Handover::Arguments(arguments) => arguments[1].clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_inner_of_two_paths_comes_last() {
        let flags = flags(&[(Path::new("/w/target"), "/target".into()), (Path::new("/w"), "/workspace".into())]);
        assert_eq!(flags, ["--remap-path-prefix=/w=/workspace", "--remap-path-prefix=/w/target=/target"]);
    }

    #[test]
    fn without_the_users_flags_ours_go_to_the_build() {
        assert_eq!(argument(&[], &[]), "build.rustflags=[\"--ours\"]");
        assert_eq!(argument(&["build.rustflags = ['-Ca']"], &[]), "build.rustflags=[\"--ours\"]");
    }

    #[test]
    fn flags_of_the_environment_stay_in_force_even_when_empty() {
        let encoded = |text: &str| Handover::Encoded(text.into());
        assert_eq!(handed(&[], &[("RUSTFLAGS", "-Ca  -Cb")]), encoded("-Ca\u{1f}-Cb\u{1f}--ours"));
        let both = [("CARGO_ENCODED_RUSTFLAGS", "-C\u{1f}a b"), ("RUSTFLAGS", "-Cc")];
        assert_eq!(handed(&[], &both), encoded("-C\u{1f}a b\u{1f}--ours"));
        assert_eq!(handed(&["build.rustflags = ['-Ca']"], &[("RUSTFLAGS", "")]), encoded("--ours"));
    }

    #[test]
    fn flags_for_a_fitting_target_are_joined_and_others_do_not_count() {
        let for_target = "target.\"cfg(not(any()))\".rustflags=[\"--ours\"]";
        assert_eq!(argument(&["target.x86_64-unknown-linux-gnu.rustflags = '-Ca'"], &[]), for_target);
        assert_eq!(argument(&["", "target.'cfg(target_os = \"linux\")'.rustflags = ['-Ca']"], &[]), for_target);
        assert_eq!(argument(&[], &[("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Ca")]), for_target);
        let others = "target.aarch64-apple-darwin.rustflags = '-Ca'\ntarget.'cfg(windows)'.rustflags = '-Cb'";
        assert_eq!(argument(&[others], &[]), "build.rustflags=[\"--ours\"]");
        assert_eq!(argument(&["target.x86_64-unknown-linux-gnu.linker = 'ld'"], &[]), "build.rustflags=[\"--ours\"]");
    }

    #[test]
    fn flags_written_as_one_text_are_taken_over_since_cargo_would_not_join_them() {
        assert_eq!(
            argument(&["build.rustflags = '-Ca -Cb'"], &[("CARGO_BUILD_RUSTFLAGS", "-Cc")]),
            "target.\"cfg(not(any()))\".rustflags=[\"-Ca\", \"-Cb\", \"-Cc\", \"--ours\"]"
        );
    }
}
