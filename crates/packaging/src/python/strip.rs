//! Removes what installers leave behind that differs between machines. Nothing that a package imports is removed.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use walkdir::WalkDir;

const BYTECODE: &str = "__pycache__";
/// Files about the installation, not about the package.
const OF_THE_INSTALLATION: [&str; 6] =
    ["INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json", "WHEEL.metadata"];

/// Leaves only what is the same on every machine.
pub(super) fn strip(place: &Path) -> io::Result<()> {
    let mut walk = WalkDir::new(place).min_depth(1).contents_first(false).into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().is_dir() && name == BYTECODE {
            std::fs::remove_dir_all(entry.path())?;
            walk.skip_current_dir();
        } else if entry.file_type().is_file() && is_of_the_installation(entry.path(), &name, entry.depth()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    let scripts = place.join("bin");
    for entry in std::fs::read_dir(&scripts).into_iter().flatten().flatten() {
        let bytes = std::fs::read(entry.path())?;
        if let Some(script) = without_interpreter(&bytes) {
            std::fs::write(entry.path(), script)?;
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o755))?;
        }
    }
    records(place)
}

fn is_of_the_installation(path: &Path, name: &str, depth: usize) -> bool {
    let in_dist_info = path.parent().is_some_and(|parent| parent.to_string_lossy().ends_with(".dist-info"));
    // uv locks the directory that it installs into.
    let is_uvs = depth == 1 && name == ".lock";
    // A package may come without sources.
    let is_compiled = name.ends_with(".pyc") && path.with_extension("py").is_file();
    (in_dist_info && OF_THE_INSTALLATION.contains(&name)) || is_compiled || is_uvs
}

/// A script names the Python that installed it, which Lambda does not have. A long path goes through a shell.
fn without_interpreter(script: &[u8]) -> Option<Vec<u8>> {
    const ANY: &[u8] = b"#!/usr/bin/env python3\n";
    let end = script.iter().position(|byte| *byte == b'\n')?;
    let first = String::from_utf8_lossy(&script[..end]);
    let rest = if first.starts_with("#!/bin/sh") && script[end + 1..].starts_with(b"'''exec' ") {
        let end_of_shell = script.windows(6).position(|window| window == b"\n' '''")?;
        script[end_of_shell..].splitn(3, |byte| *byte == b'\n').nth(2)?
    } else if first.starts_with("#!") && first.contains("python") {
        &script[end + 1..]
    } else {
        return None;
    };
    Some([ANY, rest].concat())
}

/// Rewrites the lists of files of all packages.
pub(super) fn records(place: &Path) -> io::Result<()> {
    for entry in WalkDir::new(place).max_depth(2) {
        let entry = entry?;
        if entry.file_name() == "RECORD" {
            record(place, entry.path())?;
        }
    }
    Ok(())
}

/// A package's list of files, without those that were removed or changed.
fn record(place: &Path, path: &Path) -> io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let stays = |line: &&str| {
        let file = line.split(',').next().unwrap_or_default().trim_matches('"');
        !file.starts_with("../") && !file.starts_with("bin/") && place.join(file).exists()
    };
    let mut lines: Vec<&str> = text.lines().filter(stays).collect();
    lines.sort_unstable();
    std::fs::write(path, lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_lose_the_interpreter_of_the_machine() {
        let plain = without_interpreter(b"#!/root/x/bin/python3.11\nimport sys\n").unwrap();
        assert_eq!(plain, b"#!/usr/bin/env python3\nimport sys\n");
        let long = b"#!/bin/sh\n'''exec' \"/a/very long/path/python\" \"$0\" \"$@\"\n' '''\nimport sys\n";
        assert_eq!(without_interpreter(long).unwrap(), b"#!/usr/bin/env python3\nimport sys\n");
        assert_eq!(without_interpreter(b"#!/bin/bash\nx\n"), None);
        assert_eq!(without_interpreter(b"\x7fELF"), None);
    }

    #[test]
    fn what_a_package_imports_stays() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        let stays = ["pure/tests/runner.py", "pure/tests/test_x.py", "closed/__init__.pyc", "tests/test_x.py"];
        let goes = ["pure/__pycache__/x.pyc", "pure/tests/runner.pyc"];
        stays.iter().chain(&goes).for_each(|name| write(name));
        strip(place.path()).unwrap();
        assert!(stays.iter().all(|name| place.path().join(name).exists()));
        assert!(!goes.iter().any(|name| place.path().join(name).exists()));
    }
}
