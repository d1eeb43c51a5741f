//! Looks for what can build for a target on this machine: compilers, linkers, and the user's settings for them.

use std::path::{Path, PathBuf};

use cargo_metadata::cargo_platform::Cfg;

use super::configuration::{Configuration, Environment, variable_of};
use super::findings::{Compiler, Distro, Findings, Gcc, System};
use super::flags::{codegen, in_force};
use super::preference::{Linker, Preference};
use super::toolchain::{Target, Toolchain};
use crate::error::BuildError;
use crate::machine::OperatingSystem;

/// Where distributions install a compiler, even if another one is first in `PATH`.
const USUAL_PLACES: [&str; 2] = ["/usr/bin", "/usr/local/bin"];

/// Everything that can build for `target` on this machine, whether the compiler of `toolchain` can or not.
pub(super) async fn find(
    toolchain: &Toolchain,
    host: &str,
    target: &str,
    preference: &Preference,
    (configuration, environment, cargo_home): (&Configuration, &Environment, &Path),
) -> Result<Findings, BuildError> {
    if let Some(Linker::At(path)) = preference.linker.as_ref().filter(|linker| !is_there(linker)) {
        let error = BuildError::new(format!("cannot link with `{}`: it does not exist", path.display()));
        return Err(error.at(&["build.linker"]));
    }
    let (own, Target { sysroot, cfgs, .. }) = compiler(toolchain, target).await?;
    let flags = in_force(configuration, environment, target, &cfgs);
    let directories = directories(environment);
    let mut others = Vec::new();
    if !own.has_std && !toolchain.named {
        let mut seen = vec![sysroot.clone()];
        for program in places(&directories, "rustc") {
            // A compiler that cannot report its version could not compile either.
            let Ok((other, target)) = compiler(&toolchain.with_rustc(&program), target).await else { continue };
            if !seen.contains(&target.sysroot) {
                seen.push(target.sysroot);
                others.push(other);
            }
        }
    }
    let in_path = |name: &str| directories.iter().map(|directory| directory.join(name)).find(|file| file.is_file());
    Ok(Findings {
        host: host.into(),
        own,
        named: toolchain.named,
        others,
        told_linker: told_linker(configuration, environment, target, &cfgs),
        has_cc: in_path("cc").is_some() || !codegen(&flags, "linker").is_empty(),
        gcc: gcc_names(host, target).iter().find_map(|name| in_path(name)).map(gcc),
        zigbuild: in_path("cargo-zigbuild").is_some() || cargo_home.join("bin/cargo-zigbuild").is_file(),
        system: System {
            toolchain: rustup_toolchain(&sysroot),
            distribution: match OperatingSystem::of_triple(host) {
                Some(OperatingSystem::Macos) => Distro::Macos,
                _ => Distro::of(&std::fs::read_to_string("/etc/os-release").unwrap_or_default()),
            },
            root: rustix::process::geteuid().is_root(),
        },
    })
}

fn is_there(linker: &Linker) -> bool {
    match linker {
        Linker::At(path) => path.is_file(),
        Linker::Gcc | Linker::RustLld | Linker::Zig => true,
    }
}

/// The compiler of a toolchain, and its facts about the target.
async fn compiler(toolchain: &Toolchain, target: &str) -> Result<(Compiler, Target), BuildError> {
    let (version, target) = tokio::try_join!(toolchain.version(), toolchain.target(target))?;
    let rust_lld = target.sysroot.join("lib/rustlib").join(&version.host).join("bin/rust-lld");
    let compiler = Compiler {
        program: toolchain.rustc().into(),
        release: version.release,
        has_std: target.has_std,
        has_rust_lld: rust_lld.is_file(),
    };
    Ok((compiler, target))
}

fn directories(environment: &Environment) -> Vec<PathBuf> {
    let path = environment.get("PATH").map(String::as_str).unwrap_or_default();
    std::env::split_paths(path).filter(|directory| directory.is_absolute()).collect()
}

fn places(directories: &[PathBuf], name: &str) -> Vec<PathBuf> {
    let usual = USUAL_PLACES.iter().map(PathBuf::from);
    let mut places: Vec<PathBuf> = Vec::new();
    for file in directories.iter().cloned().chain(usual).map(|directory| directory.join(name)) {
        if file.is_file() && !places.contains(&file) {
            places.push(file);
        }
    }
    places
}

/// Where the user has set a linker for the target: the environment variable takes precedence over the files.
fn told_linker(configuration: &Configuration, environment: &Environment, target: &str, cfgs: &[Cfg]) -> Option<String> {
    let variable = format!("CARGO_TARGET_{}_LINKER", variable_of(target));
    if environment.get(&variable).is_some_and(|linker| !linker.is_empty()) {
        return Some(format!("`{variable}`"));
    }
    configuration.has_for_target("linker", target, cfgs).then(|| "cargo's configuration".into())
}

/// The names that packages give the C compiler for a target.
fn gcc_names(host: &str, target: &str) -> Vec<String> {
    let (cpu, libc) = (target.split('-').next().unwrap_or_default(), target.rsplit('-').next().unwrap_or_default());
    let mut names = vec![format!("{cpu}-linux-{libc}-gcc"), format!("{target}-gcc")];
    if host == target {
        names.push("gcc".into());
    } else if host.starts_with(&format!("{cpu}-")) && libc == "musl" {
        names.push("musl-gcc".into());
    }
    names
}

fn gcc(program: PathBuf) -> Gcc {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let sibling = |ending: &str| {
        let file = program.with_file_name(format!("{}{ending}", name.strip_suffix("gcc")?));
        file.is_file().then_some(file)
    };
    Gcc { cxx: sibling("g++"), ar: sibling("ar"), program: program.clone() }
}

/// Rustup keeps each toolchain in a directory of its name.
fn rustup_toolchain(sysroot: &Path) -> Option<String> {
    let within = sysroot.parent()?.file_name()? == "toolchains";
    let name = sysroot.file_name()?.to_str()?;
    within.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    const ARM: &str = "aarch64-unknown-linux-gnu";

    #[test]
    fn a_linker_of_the_users_is_found_in_the_environment_and_in_the_configuration() {
        let cfgs = [Cfg::from_str("target_os=\"linux\"").unwrap()];
        let told = |configuration: &[&str], environment: &Environment| {
            told_linker(&Configuration::of(configuration), environment, ARM, &cfgs)
        };
        let (nothing, variable) = (Environment::new(), "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER");
        assert_eq!(told(&[], &nothing), None);
        let set = Environment::from([(variable.into(), "ld".into())]);
        assert_eq!(told(&[], &set), Some(format!("`{variable}`")));
        for (text, counts) in [
            ("target.aarch64-unknown-linux-gnu.linker = 'ld'", true),
            ("target.'cfg(target_os = \"linux\")'.linker = 'ld'", true),
            ("target.aarch64-unknown-linux-musl.linker = 'ld'", false),
            ("target.aarch64-unknown-linux-gnu.runner = 'qemu-aarch64'", false),
        ] {
            assert_eq!(told(&[text], &nothing), counts.then(|| "cargo's configuration".into()), "{text}");
        }
    }

    #[test]
    fn a_gcc_is_known_by_its_names_and_includes_its_siblings() {
        let dir = tempfile::tempdir().unwrap();
        let names = gcc_names("x86_64-unknown-linux-gnu", ARM);
        assert_eq!(names, ["aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu-gcc"]);
        assert_eq!(gcc_names(ARM, ARM).last().unwrap(), "gcc");
        assert_eq!(gcc_names(ARM, "aarch64-unknown-linux-musl").last().unwrap(), "musl-gcc");
        assert_eq!(gcc_names("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-musl").len(), 2);
        let file = |name: &str| dir.path().join(name);
        std::fs::write(file("aarch64-linux-gnu-ar"), "").unwrap();
        let found = gcc(file("aarch64-linux-gnu-gcc"));
        assert_eq!((found.cxx, found.ar), (None, Some(file("aarch64-linux-gnu-ar"))));
    }

    #[test]
    fn rustups_toolchains_are_known_by_their_place() {
        let toolchain = rustup_toolchain(Path::new("/home/me/.rustup/toolchains/stable-x86_64-unknown-linux-gnu"));
        assert_eq!(toolchain.as_deref(), Some("stable-x86_64-unknown-linux-gnu"));
        assert_eq!(rustup_toolchain(Path::new("/usr")), None);
    }
}
