//! Which versions of Python and Node this machine has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::architecture::Architecture;
use crate::machine::OperatingSystem;
use crate::runtime::{Family, Platform};

/// A Python that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub program: PathBuf,
    /// The `x` of version 3.x.
    pub minor: u32,
}

impl Interpreter {
    /// The Python of this version or of the nearest one, the newer of two.
    pub(crate) fn nearest(minor: u32) -> Option<Interpreter> {
        let name = format!("python3.{minor}");
        let exact =
            directories().into_iter().map(|directory| directory.join(&name)).find_map(|program| asked(&program));
        if let Some(exact) = exact.filter(|found| found.minor == minor) {
            return Some(exact);
        }
        all().into_iter().min_by_key(|found| (found.minor.abs_diff(minor), std::cmp::Reverse(found.minor)))
    }
}

/// The platform for code that runs on this machine: its system, its processor, and its version of Python or Node. Another
/// Python could not load the extensions.
pub fn platform_here(wanted: &Platform) -> Platform {
    let architecture = Architecture::host().unwrap_or(wanted.architecture);
    let version = match wanted.runtime.family() {
        Family::Python => {
            minor(wanted.runtime.version()).and_then(Interpreter::nearest).map(|found| format!("3.{}", found.minor))
        }
        Family::Node => node_version(),
        _ => None,
    };
    let runtime = version.map_or_else(|| wanted.runtime.clone(), |version| wanted.runtime.with_version(&version));
    Platform { runtime, architecture, system: OperatingSystem::host() }
}

/// The `x` of each Python 3.x that this machine has.
pub fn pythons_here() -> Vec<u32> {
    all().into_iter().map(|found| found.minor).collect()
}

/// The major version of this machine's Node.js, if there is one.
pub fn node_here() -> Option<u32> {
    node_version()?.parse().ok()
}

/// The major version of this machine's Node. A Node that works is asked once.
fn node_version() -> Option<String> {
    static KNOWN: OnceLock<String> = OnceLock::new();
    if KNOWN.get().is_none() {
        let _ = KNOWN.set(ask_node()?);
    }
    KNOWN.get().cloned()
}

fn ask_node() -> Option<String> {
    let mut command = Command::new("node");
    command.args(["-p", "process.versions.node.split('.')[0]"]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let number: u32 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(number.to_string())
}

/// Of a version such as `3.13`.
pub(crate) fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("3.")?.parse().ok()
}

fn all() -> Vec<Interpreter> {
    let mut programs = Vec::new();
    for directory in directories() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name == "python3" || name.strip_prefix("python").is_some_and(|version| minor(version).is_some()) {
                programs.push(entry.path());
            }
        }
    }
    // Each takes as long as an interpreter takes to start.
    std::thread::scope(|scope| {
        let asking: Vec<_> = programs.iter().map(|program| scope.spawn(|| asked(program))).collect();
        asking.into_iter().filter_map(|asking| asking.join().ok().flatten()).collect()
    })
}

/// The directories of `PATH`, and those where version managers keep the others.
fn directories() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let pyenv = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    let kept = [pyenv.join("versions"), home.join(".local/share/uv/python")];
    let versions = kept.iter().flat_map(|kept| std::fs::read_dir(kept).into_iter().flatten().flatten());
    std::env::split_paths(&path).chain(versions.map(|entry| entry.path().join("bin"))).collect()
}

/// The Python behind a path, if it runs: version managers have shims for versions that are not installed. Each is asked
/// once, because a shim takes long to say even that it has no Python, and `dev` builds many times.
fn asked(program: &Path) -> Option<Interpreter> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Option<Interpreter>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known().get(program) {
        return found.clone();
    }
    let found = ask(program);
    known().insert(program.to_owned(), found.clone());
    found
}

fn ask(program: &Path) -> Option<Interpreter> {
    const QUESTION: &str = "import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else '')";
    if !program.is_file() {
        return None;
    }
    let mut command = Command::new(program);
    command.args(["-I", "-S", "-c", QUESTION]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let minor = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(Interpreter { program: program.to_owned(), minor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtime;

    #[test]
    fn a_python_that_is_not_here_is_replaced_by_one_that_is() {
        let wanted = Platform::on_lambda(Runtime::parse("python3.99").unwrap(), Architecture::Arm64);
        let here = platform_here(&wanted);
        let found = minor(here.runtime.version()).and_then(Interpreter::nearest).unwrap();
        assert_eq!(here.runtime.as_str(), format!("python3.{}", found.minor));
        assert!(asked(&found.program).is_some());
    }

    #[test]
    fn a_shim_without_a_python_is_asked_once() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let (shim, asked_for) = (directory.path().join("python3.98"), directory.path().join("asked"));
        std::fs::write(&shim, format!("#!/bin/sh\necho once >>'{}'\nexit 127\n", asked_for.display())).unwrap();
        std::fs::set_permissions(&shim, std::fs::Permissions::from_mode(0o755)).unwrap();
        for _ in 0..2 {
            assert_eq!(asked(&shim), None);
        }
        assert_eq!(std::fs::read_to_string(asked_for).unwrap(), "once\n");
    }

    #[test]
    fn node_is_the_one_that_is_here() {
        let wanted = Platform::on_lambda(Runtime::parse("nodejs99.x").unwrap(), Architecture::Arm64);
        let here = node_version().map_or("nodejs99.x".to_owned(), |version| format!("nodejs{version}.x"));
        assert_eq!(platform_here(&wanted).runtime.as_str(), here);
    }

    #[test]
    fn other_languages_stay_as_they_are() {
        let wanted = Platform::on_lambda(Runtime::parse("ruby3.4").unwrap(), Architecture::Arm64);
        assert_eq!(platform_here(&wanted).runtime, wanted.runtime);
    }
}
