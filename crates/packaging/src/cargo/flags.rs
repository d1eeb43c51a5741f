//! The compiler's flags in force for a target, as cargo would collect them.

use cargo_metadata::cargo_platform::Cfg;

use super::configuration::{Configuration, Environment, variable_of};

/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: char = '\u{1f}';

/// The user's flags. Cargo takes them from the first of four sources only: `CARGO_ENCODED_RUSTFLAGS`, `RUSTFLAGS`, all
/// matching `target.*.rustflags`, `build.rustflags`. `cfgs` are the compiler's for the target.
pub(super) fn in_force(
    configuration: &Configuration,
    environment: &Environment,
    triple: &str,
    cfgs: &[Cfg],
) -> Vec<String> {
    let split = |text: &String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if let Some(flags) = environment.get("CARGO_ENCODED_RUSTFLAGS") {
        return flags.split(SEPARATOR).filter(|flag| !flag.is_empty()).map(str::to_owned).collect();
    }
    if let Some(flags) = environment.get("RUSTFLAGS") {
        return split(flags);
    }
    // A variable adds to the list of the files.
    let added = |variable: &str| environment.get(variable).map(split).unwrap_or_default();
    let mut flags = configuration.list(&["target", triple, "rustflags"]);
    flags.extend(added(&format!("CARGO_TARGET_{}_RUSTFLAGS", variable_of(triple))));
    for key in configuration.conditions(triple, cfgs) {
        flags.extend(configuration.list(&["target", key, "rustflags"]));
    }
    if flags.is_empty() {
        flags = configuration.list(&["build", "rustflags"]);
        flags.extend(added("CARGO_BUILD_RUSTFLAGS"));
    }
    flags
}

/// The value of `CARGO_ENCODED_RUSTFLAGS` that means these flags. No other source counts beside it.
pub(super) fn encoded(flags: impl IntoIterator<Item = String>) -> String {
    flags.into_iter().collect::<Vec<_>>().join(&SEPARATOR.to_string())
}

/// The values of a codegen option such as `target-cpu`, in their order: `-C NAME=VALUE`, `-CNAME=VALUE`,
/// `--codegen NAME=VALUE` and `--codegen=NAME=VALUE`.
pub(super) fn codegen<'f>(flags: &'f [String], name: &str) -> Vec<&'f str> {
    let of = |(at, flag): (usize, &'f String)| {
        let is_after = at > 0 && ["-C", "--codegen"].contains(&flags[at - 1].as_str());
        let attached = ["-C", "--codegen="].iter().find_map(|option| flag.strip_prefix(option));
        let (option, value) = if is_after { flag.as_str() } else { attached? }.split_once('=')?;
        // The compiler takes `_` for `-`.
        (option.replace('_', "-") == name).then_some(value)
    };
    flags.iter().enumerate().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";
    const OF_TARGET: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";

    fn flags(configuration: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let cfgs = [Cfg::from_str("unix").unwrap(), Cfg::from_str("target_os=\"linux\"").unwrap()];
        in_force(&Configuration::of(configuration), &environment, TRIPLE, &cfgs)
    }

    #[test]
    fn only_the_first_source_counts_even_when_it_is_empty() {
        let files = ["build.rustflags = ['-Cf']"];
        assert_eq!(flags(&files, &[("RUSTFLAGS", "-Ca  -Cb")]), ["-Ca", "-Cb"]);
        let both = [("CARGO_ENCODED_RUSTFLAGS", "-C\u{1f}a b"), ("RUSTFLAGS", "-Cc")];
        assert_eq!(flags(&files, &both), ["-C", "a b"]);
        assert_eq!(flags(&files, &[("RUSTFLAGS", "")]), [""; 0]);
        let target = "target.x86_64-unknown-linux-gnu.rustflags = '-Ca'";
        assert_eq!(flags(&[target, files[0]], &[("CARGO_BUILD_RUSTFLAGS", "-Cb")]), ["-Ca"]);
        assert_eq!(flags(&files, &[("CARGO_BUILD_RUSTFLAGS", "-Cb")]), ["-Cf", "-Cb"]);
    }

    #[test]
    fn flags_for_a_fitting_target_are_joined_in_cargos_order() {
        let near = "target.'cfg(unix)'.rustflags = ['-Cnear']\ntarget.'cfg(target_os = \"linux\")'.rustflags = '-Cos'";
        let far = "target.'cfg(unix)'.rustflags = ['-Cfar']\ntarget.x86_64-unknown-linux-gnu.rustflags = ['-Cown']\n\
                   target.'cfg(windows)'.rustflags = ['-Cno']\ntarget.aarch64-apple-darwin.rustflags = ['-Cno']";
        assert_eq!(flags(&[near, far], &[(OF_TARGET, "-Cadded")]), ["-Cown", "-Cadded", "-Cos", "-Cfar", "-Cnear"]);
        assert_eq!(flags(&["target.x86_64-unknown-linux-gnu.linker = 'ld'"], &[]), [""; 0]);
    }

    #[test]
    fn of_several_strings_the_nearest_counts() {
        assert_eq!(flags(&["build.rustflags = '-Ca -Cb'", "build.rustflags = '-Cc'"], &[]), ["-Ca", "-Cb"]);
    }

    #[test]
    fn an_option_is_found_however_it_is_written() {
        let flags = "-C target-cpu=a -Ctarget-cpu=b --codegen target_cpu=c --codegen=target-cpu=d -Ctarget-feature=+x";
        let flags: Vec<String> = flags.split(' ').map(str::to_owned).collect();
        assert_eq!(codegen(&flags, "target-cpu"), ["a", "b", "c", "d"]);
        assert_eq!(codegen(&flags, "target-feature"), ["+x"]);
    }
}
