//! What these tests need beyond cargo. Where it is not there a test says so in one line and ends, but fails in CI.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";

pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

const ZIG: &str = "cargo-zigbuild==0.24.0\nziglang==0.17.1\n";

/// Whether this machine is one that builds for arm64 and runs it without being one.
pub(crate) fn arm64() -> bool {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        eprintln!("not tested: this machine is no Linux on x86_64");
        return false;
    }
    let tools = ["aarch64-linux-gnu-gcc", "qemu-aarch64"];
    let mut missing: Vec<&str> = tools.into_iter().filter(|tool| !starts(tool, "--version")).collect();
    if !["rustc", "/usr/bin/rustc"].into_iter().any(|rustc| has_std(rustc.as_ref(), TARGET)) {
        missing.push("the standard library for arm64");
    }
    let reason = format!("{} is missing; .ci/arm64 installs it", missing.join(", "));
    missing.is_empty() || none::<()>(&reason).is_some()
}

/// A compiler with the standard library of musl for this machine's processor. Just `rustc` is cargo's own.
pub(crate) fn musl() -> Option<PathBuf> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        eprintln!("not tested: this machine is no Linux on x86_64");
        return None;
    }
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("musl/bin/rustc");
    let found = ["rustc".into(), made].into_iter().find(|rustc| has_std(rustc, MUSL));
    found.or_else(|| none("the standard library for musl is missing; .ci/musl installs it"))
}

/// The same, where there is a C compiler for musl as well.
pub(crate) fn musl_with_c() -> Option<PathBuf> {
    let rustc = musl()?;
    if ["x86_64-linux-musl-gcc", "musl-gcc"].into_iter().any(|gcc| starts(gcc, "--version")) {
        return Some(rustc);
    }
    none("a C compiler for musl is missing; .ci/musl installs it")
}

/// The `bin` directory of an environment with zig and cargo-zigbuild, installed under `target/` on first use.
pub(crate) fn zig() -> Option<PathBuf> {
    installed().map_or_else(|reason| none(&reason), Some)
}

fn none<T>(reason: &str) -> Option<T> {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
    eprintln!("not tested: {reason}");
    None
}

fn starts(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

fn has_std(rustc: &Path, target: &str) -> bool {
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    let directory = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    directory
        .and_then(fs::read_dir)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

fn installed() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zig");
    fs::create_dir_all(&home).map_err(|error| format!("cannot make {}: {error}", home.display()))?;
    let lock = File::create(home.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (ready, venv) = (home.join("ready"), home.join("venv"));
    if fs::read_to_string(&ready).ok().as_deref() != Some(ZIG) {
        done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let python = venv.join("bin/python");
        done(Command::new(python).args(["-m", "pip", "install", "--quiet"]).args(ZIG.lines()))?;
        fs::write(&ready, ZIG).map_err(|error| error.to_string())?;
    }
    Ok(venv.join("bin"))
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?} cannot start: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
