//! Which compiler and which linker build for a target: a pure decision from what was found.

use std::fmt;
use std::path::PathBuf;

use super::findings::{Compiler, Distro, Findings, Gcc, is_musl};
use super::missing;
use super::preference::{Linker, Preference};
use crate::error::BuildError;

/// Older compilers do not support the flag `--check-cfg`, which current cargo always passes.
const OLDEST_RELEASE: (u32, u32) = (1, 80);

/// The chosen tools, and why they were chosen. `Display` explains the choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolset {
    pub target: String,
    /// `None` is cargo's default.
    pub rustc: Option<PathBuf>,
    pub linking: Linking,
    compiler_because: String,
    linker_because: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linking {
    /// By cargo's default, or as the user has configured cargo.
    Left,
    /// With this linker, and with this C compiler for C code.
    With { linker: PathBuf, gcc: Option<Gcc> },
    /// With `cargo zigbuild`, which also compiles C.
    Zig,
}

impl fmt::Display for Toolset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "for {} with {}, linked by {}", self.target, self.compiler_because, self.linker_because)
    }
}

/// # Errors
/// When tools are missing, with the commands that install them on this system.
pub(super) fn choose(target: &str, preference: &Preference, found: &Findings) -> Result<Toolset, BuildError> {
    let compiler = choose_compiler(found);
    // A missing compiler and a missing linker are reported together.
    let linked = choose_linking(target, preference, found, compiler.map_or(&found.own, |(compiler, _)| compiler));
    let Some((compiler, compiler_because)) = compiler else {
        let error = missing::standard_library(target, found);
        return Err(match linked {
            Err(linker) => BuildError { hints: [error.hints, linker.hints].concat(), ..error },
            Ok(_) => error,
        });
    };
    let (linking, linker_because) = linked?;
    let release = &compiler.release;
    let compiler_because = match compiler_because {
        Because::ItIsCargos => format!("rustc {release}"),
        Because::ItWasNamed => format!("rustc {release} (`{}`, as configured)", compiler.program.display()),
        Because::CargosHasNoStd => format!(
            "rustc {release} (`{}`, because cargo's own has no standard library for the target)",
            compiler.program.display()
        ),
    };
    let rustc = (*compiler != found.own).then(|| compiler.program.clone());
    Ok(Toolset { target: target.into(), rustc, linking, compiler_because, linker_because })
}

#[derive(Clone, Copy)]
enum Because {
    ItIsCargos,
    ItWasNamed,
    CargosHasNoStd,
}

fn choose_compiler(found: &Findings) -> Option<(&Compiler, Because)> {
    let because = if found.named { Because::ItWasNamed } else { Because::ItIsCargos };
    if found.own.has_std {
        return Some((&found.own, because));
    }
    let others = found.others.iter().filter(|_| !found.named);
    let other = others.into_iter().find(|compiler| compiler.has_std && is_new_enough(&compiler.release));
    other.map(|compiler| (compiler, Because::CargosHasNoStd))
}

fn is_new_enough(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST_RELEASE
}

fn choose_linking(
    target: &str,
    preference: &Preference,
    found: &Findings,
    compiler: &Compiler,
) -> Result<(Linking, String), BuildError> {
    if let Some(place) = &found.told_linker {
        return Ok((Linking::Left, format!("the linker set by {place}")));
    }
    let said = |linking, what: &str| Ok((linking, format!("{what}, as configured")));
    match &preference.linker {
        Some(Linker::At(path)) => {
            said(Linking::With { linker: path.clone(), gcc: None }, &format!("`{}`", path.display()))
        }
        Some(Linker::Gcc) => match &found.gcc {
            Some(gcc) => said(with_gcc(gcc), &named(gcc)),
            None => Err(missing::gcc(target, found)),
        },
        Some(Linker::Zig) if found.zigbuild => said(Linking::Zig, &zig(target)),
        Some(Linker::Zig) => Err(missing::zig(target, found)),
        Some(Linker::RustLld) if !is_musl(target) => Err(missing::musl_for_rust_lld(target)),
        Some(Linker::RustLld) if compiler.has_rust_lld => said(with_rust_lld(found), RUST_LLD),
        Some(Linker::RustLld) => Err(missing::rust_lld(target, compiler)),
        None => choose_freely(target, found, compiler),
    }
}

const RUST_LLD: &str = "`rust-lld` with its toolchain's musl";

fn choose_freely(target: &str, found: &Findings, compiler: &Compiler) -> Result<(Linking, String), BuildError> {
    if target == found.host && !found.has_cc && !is_musl(target) {
        return Err(missing::cc(target, found));
    }
    if target == found.host {
        return Ok((Linking::Left, "the system linker".into()));
    }
    // On another system, C code needs a compiler for Linux, which zig includes.
    let is_better_with_zig = found.system.distribution == Distro::Macos && found.zigbuild && found.gcc.is_none();
    if is_musl(target) && compiler.has_rust_lld && !is_better_with_zig {
        return Ok((with_rust_lld(found), RUST_LLD.into()));
    }
    if let Some(gcc) = &found.gcc {
        return Ok((with_gcc(gcc), format!("{}, found in `PATH`", named(gcc))));
    }
    if found.zigbuild {
        return Ok((Linking::Zig, format!("{}, because no gcc for the target is in `PATH`", zig(target))));
    }
    Err(missing::linker(target, found))
}

/// Rust's musl targets include the C library, so any linker works; C code still needs a compiler.
fn with_rust_lld(found: &Findings) -> Linking {
    Linking::With { linker: "rust-lld".into(), gcc: found.gcc.clone() }
}

fn with_gcc(gcc: &Gcc) -> Linking {
    Linking::With { linker: gcc.program.clone(), gcc: Some(gcc.clone()) }
}

fn named(gcc: &Gcc) -> String {
    format!("`{}`", gcc.program.file_name().unwrap_or(gcc.program.as_os_str()).display())
}

fn zig(target: &str) -> String {
    if is_musl(target) { "zig".into() } else { "zig for glibc 2.34".into() }
}

impl Linking {
    /// The variables that cargo and the `cc` crate read for this target, name and value; `is_set` is whether the user
    /// has already set one.
    pub fn variables(&self, target: &str, is_set: impl Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
        let Linking::With { linker, gcc } = self else { return Vec::new() };
        let name = target.replace('-', "_");
        let mut variables = vec![(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), linker.clone())];
        let Some(gcc) = gcc else { return variables };
        let tools = [("CC", Some(&gcc.program)), ("CXX", gcc.cxx.as_ref()), ("AR", gcc.ar.as_ref())];
        for (tool, program) in tools {
            let names = [format!("{tool}_{target}"), format!("{tool}_{name}"), format!("TARGET_{tool}")];
            if let Some(program) = program.filter(|_| !names.iter().any(|name| is_set(name))) {
                variables.push((format!("{tool}_{name}"), program.clone()));
            }
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::findings::System;

    const X86: &str = "x86_64-unknown-linux-gnu";
    const ARM: &str = "aarch64-unknown-linux-gnu";
    const MAC: &str = "aarch64-apple-darwin";
    const ARM_MUSL: &str = "aarch64-unknown-linux-musl";

    fn compiler(program: &str, has_std: bool) -> Compiler {
        Compiler { program: program.into(), release: "1.95.0".into(), has_std, has_rust_lld: true }
    }

    fn gcc() -> Gcc {
        let path = |name: &str| PathBuf::from(format!("/usr/bin/aarch64-linux-gnu-{name}"));
        Gcc { program: path("gcc"), cxx: None, ar: Some(path("ar")) }
    }

    /// A Debian 12 with rustup's compiler for this machine only.
    fn nothing() -> Findings {
        let distribution = Distro::Debian("12".into());
        Findings {
            host: X86.into(),
            own: compiler("rustc", false),
            named: false,
            others: Vec::new(),
            told_linker: None,
            has_cc: true,
            gcc: None,
            zigbuild: false,
            system: System { toolchain: Some("stable".into()), distribution, root: false },
        }
    }

    /// The same with rustup's standard library for the target.
    fn with_std() -> Findings {
        Findings { own: compiler("rustc", true), ..nothing() }
    }

    fn wanting(linker: Linker) -> Preference {
        Preference { linker: Some(linker), ..Preference::default() }
    }

    fn told(target: &str, preference: &Preference, found: &Findings) -> String {
        choose(target, preference, found).map_or_else(|error| error.message, |toolset| toolset.to_string())
    }

    #[test]
    fn what_is_found_decides() {
        let distributions = compiler("/usr/bin/rustc", true);
        let old = Compiler { release: "1.63.0".into(), ..compiler("/usr/bin/old", true) };
        let others = vec![compiler("/opt/rustc", false), old.clone(), distributions];
        let (gcc, zigbuild) = (Some(gcc()), true);
        let table = [
            (X86, with_std(), "rustc 1.95.0, linked by the system linker"),
            (
                ARM,
                Findings { gcc: gcc.clone(), zigbuild, ..with_std() },
                "rustc 1.95.0, linked by `aarch64-linux-gnu-gcc`, found in `PATH`",
            ),
            (
                ARM,
                Findings { zigbuild, ..with_std() },
                "rustc 1.95.0, linked by zig for glibc 2.34, because no gcc for the target is in `PATH`",
            ),
            (
                ARM,
                Findings { gcc: gcc.clone(), others: others.clone(), ..nothing() },
                "rustc 1.95.0 (`/usr/bin/rustc`, because cargo's own has no standard library for the target), linked by `aarch64-linux-gnu-gcc`, found in `PATH`",
            ),
            (
                ARM_MUSL,
                Findings { gcc: gcc.clone(), zigbuild, ..with_std() },
                "rustc 1.95.0, linked by `rust-lld` with its toolchain's musl",
            ),
            (
                ARM,
                Findings { told_linker: Some("`X`".into()), zigbuild, ..with_std() },
                "rustc 1.95.0, linked by the linker set by `X`",
            ),
            (
                ARM,
                Findings { named: true, zigbuild, ..with_std() },
                "rustc 1.95.0 (`rustc`, as configured), linked by zig for glibc 2.34, because no gcc for the target is in `PATH`",
            ),
        ];
        for (target, found, expected) in table {
            assert_eq!(told(target, &Preference::default(), &found), format!("for {target} with {expected}"));
        }
        let only_old = Findings { gcc, others: vec![old], ..nothing() };
        assert!(told(ARM, &Preference::default(), &only_old).contains("is not installed"));
        let named = Findings { named: true, others, ..nothing() };
        assert!(told(ARM, &Preference::default(), &named).contains("is not installed"));
    }

    #[test]
    fn what_is_wanted_comes_before_what_would_be_chosen_and_after_cargos_own_settings() {
        let all = Findings { gcc: Some(gcc()), zigbuild: true, ..with_std() };
        let linked = |target: &str, linker: Linker| told(target, &wanting(linker), &all).split_off(target.len() + 34);
        assert_eq!(linked(ARM, Linker::Zig), "zig for glibc 2.34, as configured");
        assert_eq!(linked(X86, Linker::Zig), "zig for glibc 2.34, as configured");
        assert_eq!(linked(ARM_MUSL, Linker::Zig), "zig, as configured");
        assert_eq!(linked(ARM, Linker::At("/opt/ld".into())), "`/opt/ld`, as configured");
        assert_eq!(linked(ARM_MUSL, Linker::Gcc), "`aarch64-linux-gnu-gcc`, as configured");
        let configured = Findings { told_linker: Some("cargo's configuration".into()), ..all };
        let toolset = choose(ARM, &wanting(Linker::Zig), &configured).unwrap();
        assert_eq!(toolset.linking, Linking::Left);
    }

    #[test]
    fn what_is_wanted_and_not_there_is_named() {
        let message = |target: &str, linker: Linker| told(target, &wanting(linker), &with_std());
        assert_eq!(message(ARM, Linker::Gcc), "cannot link with gcc: `aarch64-linux-gnu-gcc` is not in `PATH`");
        assert!(message(ARM, Linker::Zig).ends_with("with zig: `cargo-zigbuild` is not installed"));
        assert!(message(ARM, Linker::RustLld).ends_with("with `rust-lld`: it does not include a C library"));
        let mut found = with_std();
        found.own.has_rust_lld = false;
        let error = choose(ARM_MUSL, &wanting(Linker::RustLld), &found).unwrap_err();
        assert!(error.message.ends_with("the toolchain of `rustc` does not include it"), "{error:?}");
    }

    #[test]
    fn this_machine_needs_a_linker_of_its_own() {
        let found = Findings { has_cc: false, ..with_std() };
        let error = choose(X86, &Preference::default(), &found).unwrap_err();
        assert_eq!(error.message, "cannot build for `x86_64`: no linker is installed: `cc` is not in `PATH`");
        assert_eq!(error.hints, ["run `sudo apt-get install gcc libc6-dev`"]);
        let told = Findings { told_linker: Some("`X`".into()), ..found };
        choose(X86, &Preference::default(), &told).unwrap();
    }

    #[test]
    fn all_that_is_missing_is_named_with_the_commands_of_this_system() {
        let hints = |target: &str, found: &Findings| choose(target, &Preference::default(), found).unwrap_err().hints;
        assert_eq!(
            hints(ARM, &nothing()),
            [
                "run `rustup target add --toolchain stable aarch64-unknown-linux-gnu`",
                "or run `sudo dpkg --add-architecture arm64 && sudo apt-get update && \
                 sudo apt-get install rustc-web libstd-rust-web-dev:arm64`",
                "run `sudo apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross`",
                "or run `pip install cargo-zigbuild ziglang`, which links with zig",
            ]
        );
        let system = System { toolchain: None, distribution: Distro::Other, root: true };
        let elsewhere = Findings { host: ARM.into(), system, ..nothing() };
        assert_eq!(
            hints(X86, &elsewhere),
            [
                "install Rust from https://rustup.rs, then run `rustup target add x86_64-unknown-linux-gnu`",
                "run `pip install cargo-zigbuild ziglang`, which links with zig",
            ]
        );
        let system = System { toolchain: None, distribution: Distro::Ubuntu, root: true };
        let ubuntu = Findings { host: ARM.into(), system, ..with_std() };
        assert_eq!(hints(X86, &ubuntu)[0], "run `apt-get install gcc-x86-64-linux-gnu libc6-dev-amd64-cross`");
        assert_eq!(
            hints(ARM_MUSL, &nothing()),
            ["run `rustup target add --toolchain stable aarch64-unknown-linux-musl`"]
        );
    }

    /// A Mac with rustup's compiler for itself only.
    fn mac() -> Findings {
        let system = System { toolchain: Some("stable".into()), distribution: Distro::Macos, root: false };
        Findings { host: MAC.into(), system, ..nothing() }
    }

    #[test]
    fn a_mac_needs_no_more_than_a_standard_library_to_build_for_lambda() {
        let found = Findings { own: compiler("rustc", true), ..mac() };
        let with = |found: &Findings| told(ARM_MUSL, &Preference::default(), found).split_off(ARM_MUSL.len() + 24);
        assert_eq!(with(&found), "linked by `rust-lld` with its toolchain's musl");
        // Either also compiles C.
        let zig = Findings { zigbuild: true, ..found.clone() };
        assert_eq!(with(&zig), "linked by zig, because no gcc for the target is in `PATH`");
        let gcc = Findings { gcc: Some(gcc()), ..zig };
        assert_eq!(with(&gcc), "linked by `rust-lld` with its toolchain's musl");
        assert_eq!(
            told(MAC, &Preference::default(), &found),
            format!("for {MAC} with rustc 1.95.0, linked by the system linker")
        );
    }

    #[test]
    fn on_a_mac_the_hints_are_commands_of_a_mac() {
        let hints = |target: &str, found: &Findings| choose(target, &Preference::default(), found).unwrap_err().hints;
        assert_eq!(hints(ARM_MUSL, &mac()), ["run `rustup target add --toolchain stable aarch64-unknown-linux-musl`"]);
        let rustc = Compiler { has_rust_lld: false, ..compiler("rustc", true) };
        let found = Findings { own: rustc, has_cc: false, ..mac() };
        assert_eq!(hints(ARM_MUSL, &found), ["run `brew install cargo-zigbuild`, which links with zig"]);
        assert_eq!(hints(MAC, &found), ["run `xcode-select --install`"]);
        let error = choose(ARM_MUSL, &wanting(Linker::Zig), &found).unwrap_err();
        assert_eq!(error.hints, ["run `brew install cargo-zigbuild`"]);
    }

    #[test]
    fn c_is_compiled_for_the_target_unless_the_user_has_said_how() {
        let linking = with_gcc(&gcc());
        let names = |told: &[&str]| {
            let variables = linking.variables(ARM, |name| told.contains(&name));
            variables.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
        assert_eq!(names(&[]), [linker, "CC_aarch64_unknown_linux_gnu", "AR_aarch64_unknown_linux_gnu"]);
        assert_eq!(names(&["CC_aarch64-unknown-linux-gnu", "TARGET_AR"]), [linker]);
        assert_eq!(Linking::Zig.variables(ARM, |_| false), []);
        assert_eq!(Linking::Left.variables(ARM, |_| false), []);
    }
}
