//! Errors for missing tools, with the command that installs them on this system. Nothing is installed unasked.

use super::findings::{Compiler, Distro, Findings, System, is_musl};
use crate::error::BuildError;

impl System {
    fn apt(&self, packages: &str) -> Option<String> {
        let sudo = if self.root { "" } else { "sudo " };
        let has_apt = matches!(self.distribution, Distro::Debian(_) | Distro::Ubuntu);
        has_apt.then(|| format!("{sudo}apt-get install {packages}"))
    }

    /// Installs zig, as cargo's linker.
    fn zig(&self) -> &'static str {
        if self.distribution == Distro::Macos { "brew install cargo-zigbuild" } else { ZIG }
    }
}

pub(super) fn standard_library(target: &str, found: &Findings) -> BuildError {
    let error = BuildError::new(format!(
        "cannot build for `{}`: the standard library for `{target}` is not installed",
        architecture(target)
    ));
    if found.named {
        let rustc = found.own.program.display();
        return error.hint(format!("`{rustc}` is set as the compiler: set one that has it, or none"));
    }
    let system = &found.system;
    let error = match &system.toolchain {
        Some(toolchain) => error.hint(format!("run `rustup target add --toolchain {toolchain} {target}`")),
        None => error,
    };
    let debian = debian_architecture(target);
    match system.apt(&format!("rustc-web libstd-rust-web-dev:{debian}")) {
        Some(install) if system.distribution == Distro::Debian("12".into()) && !is_musl(target) => {
            let sudo = if system.root { "" } else { "sudo " };
            let add = format!("{sudo}dpkg --add-architecture {debian} && {sudo}apt-get update");
            error.hint(format!("{}run `{add} && {install}`", if system.toolchain.is_some() { "or " } else { "" }))
        }
        _ if system.toolchain.is_some() => error,
        _ => error.hint(format!("install Rust from https://rustup.rs, then run `rustup target add {target}`")),
    }
}

pub(super) fn linker(target: &str, found: &Findings) -> BuildError {
    let error =
        BuildError::new(format!("cannot build for `{}`: no linker for `{target}` is installed", architecture(target)));
    let zig = found.system.zig();
    match packages_of_gcc(target).and_then(|packages| found.system.apt(packages)) {
        Some(install) => error.hint(format!("run `{install}`")).hint(format!("or run `{zig}`, which links with zig")),
        None => error.hint(format!("run `{zig}`, which links with zig")),
    }
}

/// The system linker.
pub(super) fn cc(target: &str, found: &Findings) -> BuildError {
    let cpu = architecture(target);
    let error = BuildError::new(format!("cannot build for `{cpu}`: no linker is installed: `cc` is not in `PATH`"));
    match found.system.apt("gcc libc6-dev") {
        Some(install) => error.hint(format!("run `{install}`")),
        None if found.system.distribution == Distro::Macos => error.hint("run `xcode-select --install`"),
        None => error.hint("install gcc or clang"),
    }
}

pub(super) fn gcc(target: &str, found: &Findings) -> BuildError {
    let name = if is_musl(target) { "musl" } else { "gnu" };
    let cpu = cpu(target);
    let error = BuildError::new(format!("cannot link with gcc: `{cpu}-linux-{name}-gcc` is not in `PATH`"));
    match packages_of_gcc(target).and_then(|packages| found.system.apt(packages)) {
        Some(install) => error.hint(format!("run `{install}`")),
        None => error.hint("install it, or let lamstream choose with `linker = \"auto\"`"),
    }
}

/// Zig's packages of Python are the same on every system.
const ZIG: &str = "pip install cargo-zigbuild ziglang";

pub(super) fn zig(target: &str, found: &Findings) -> BuildError {
    let error = BuildError::new(format!("cannot link for `{target}` with zig: `cargo-zigbuild` is not installed"));
    match found.system.zig() {
        ZIG => error.hint(format!("run `{ZIG}`, in a virtual environment that is active when lamstream runs")),
        install => error.hint(format!("run `{install}`")),
    }
}

pub(super) fn rust_lld(target: &str, compiler: &Compiler) -> BuildError {
    let program = compiler.program.display();
    BuildError::new(format!(
        "cannot link for `{target}` with `rust-lld`: the toolchain of `{program}` does not include it"
    ))
    .hint("use a toolchain of rustup, which includes it, or set another `linker`")
}

pub(super) fn musl_for_rust_lld(target: &str) -> BuildError {
    BuildError::new(format!("cannot link for `{target}` with `rust-lld`: it does not include a C library"))
        .hint(format!("set `target = \"{}-unknown-linux-musl\"`, which includes one", cpu(target)))
}

fn architecture(target: &str) -> &str {
    if cpu(target) == "aarch64" { "arm64" } else { "x86_64" }
}

fn cpu(target: &str) -> &str {
    target.split('-').next().unwrap_or(target)
}

fn debian_architecture(target: &str) -> &str {
    if cpu(target) == "aarch64" { "arm64" } else { "amd64" }
}

/// Of Debian and Ubuntu; neither has a cross gcc for musl.
fn packages_of_gcc(target: &str) -> Option<&'static str> {
    match target {
        "aarch64-unknown-linux-gnu" => Some("gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
        "x86_64-unknown-linux-gnu" => Some("gcc-x86-64-linux-gnu libc6-dev-amd64-cross"),
        _ => None,
    }
}
