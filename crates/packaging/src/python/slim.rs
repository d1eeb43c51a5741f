//! Removes the tests of packages, and proves that every package can be imported without them.
//!
//! Some packages import their own tests. So each top-level module is imported before and after, in a process of its own
//! without network and with an empty home; tests that an import needs are put back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use walkdir::WalkDir;

use super::strip;
use crate::error::BuildError;
use crate::interpreter::{Interpreter, minor};
use crate::machine::Machine;
use crate::runtime::Platform;
use crate::tool;

/// The usual names of a package's tests; other directories may have them, too.
const TESTS: [&str; 2] = ["tests", "test"];

/// Imports the modules that it gets as arguments after the packages' directory, and prints the names of those that it could.
/// Each has a process and a minute of its own, and neither network nor another user's files.
const IMPORT: &str = r#"
import os, signal, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        signal.alarm(60)
        try:
            import ctypes
            ctypes.CDLL(None).unshare(0x10000000 | 0x40000000)
        except Exception:
            pass
        try:
            __import__(name)
        except BaseException:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        print(name, flush=True)
"#;

/// The Python that can import the packages of a platform: one of its version, on its processor. Without one there is a
/// note, and the packages stay whole.
pub(super) fn importer(platform: &Platform, notes: &mut Vec<String>) -> Option<Interpreter> {
    let wanted = minor(platform.runtime.version()).unwrap_or_default();
    let is_here = Machine::host() == Some(platform.machine());
    let found = Interpreter::nearest(wanted).filter(|found| is_here && found.minor == wanted);
    if found.is_none() {
        notes.push(format!(
            "`slim` is not applied: to prove that the packages still work takes Python {} on {} and {}, which this machine does not have",
            platform.runtime.version(),
            platform.system,
            platform.architecture
        ));
    }
    found
}

/// Removes the tests, except those that are imported.
///
/// # Errors
/// When a file cannot be moved, or Python does not start.
pub(super) async fn slim(place: &Path, importer: &Interpreter, notes: &mut Vec<String>) -> Result<(), BuildError> {
    let failed = |error: io::Error| BuildError::new(format!("cannot write `{}`", place.display())).because(error);
    let modules = modules(place);
    let before = import(importer, place, &modules).await?;
    let around = place.parent().unwrap_or(place);
    let aside = tempfile::Builder::new().prefix(".making-").tempdir_in(around).map_err(failed)?;
    let mut moved = BTreeMap::new();
    for (at, path) in tests(place).into_iter().enumerate() {
        let to = aside.path().join(at.to_string());
        std::fs::rename(&path, &to).map_err(failed)?;
        moved.insert(path, to);
    }
    loop {
        let after = import(importer, place, &before.iter().cloned().collect::<Vec<_>>()).await?;
        let broken: Vec<&String> = before.difference(&after).collect();
        if broken.is_empty() || moved.is_empty() {
            break;
        }
        // First the tests of the packages themselves, then all others: a package may import those of another.
        let is_of_broken = |path: &PathBuf| broken.iter().any(|module| path.starts_with(place.join(module)));
        let mut back: Vec<PathBuf> = moved.keys().filter(|path| is_of_broken(path)).cloned().collect();
        if back.is_empty() {
            back = moved.keys().cloned().collect();
        }
        for path in back {
            if let Some(from) = moved.remove(&path) {
                std::fs::rename(from, &path).map_err(failed)?;
                let inner = path.strip_prefix(place).unwrap_or(&path).display().to_string();
                notes.push(format!("`slim` keeps `{inner}`, because a package imports it"));
            }
        }
    }
    strip::records(place).map_err(failed)
}

/// The directories of tests inside packages. A top-level one is a package of that name.
fn tests(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut walk = WalkDir::new(place).min_depth(1).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        let is_named = entry.file_name().to_str().is_some_and(|name| TESTS.contains(&name));
        if entry.file_type().is_dir() && entry.depth() > 1 && is_named && holds_tests(entry.path()) {
            found.push(entry.path().to_owned());
            walk.skip_current_dir();
        }
    }
    found
}

/// Whether a Python test runner would find tests in it.
fn holds_tests(directory: &Path) -> bool {
    WalkDir::new(directory).into_iter().flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy();
        name == "conftest.py" || (name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py")))
    })
}

/// The top-level modules in a directory.
fn modules(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let module = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let is_package = || entry.path().join("__init__.py").is_file() || entry.path().join("__init__.pyc").is_file();
        let stem = match name.split_once('.') {
            None if entry.path().is_dir() && is_package() => name.clone(),
            Some((stem, end)) if end == "py" || end.ends_with("so") => stem.to_owned(),
            _ => return None,
        };
        stem.chars().all(|letter| letter.is_alphanumeric() || letter == '_').then_some(stem)
    };
    let found: BTreeSet<String> = entries.filter_map(module).collect();
    found.into_iter().collect()
}

/// The modules that can be imported.
async fn import(importer: &Interpreter, place: &Path, modules: &[String]) -> Result<BTreeSet<String>, BuildError> {
    let home = tool::scratch()?;
    let mut command = Command::new(&importer.program);
    command.args(["-I", "-S", "-c", IMPORT]).arg(tool::absolute(place)).args(modules);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home.path()).env("TMPDIR", home.path());
    command.current_dir(home.path());
    let text = tool::output("Python", command).await;
    let text = text.map_err(|said| tool::failed("cannot import the packages".to_owned(), &said))?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tests_go_unless_something_imports_them() {
        let around = tempfile::tempdir().unwrap();
        let place = around.path().join("packages");
        let write = |name: &str, text: &str| {
            let path = place.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for package in ["plain", "needy", "other", "third", "dbt"] {
            write(&format!("{package}/tests/__init__.py"), "");
        }
        write("plain/__init__.py", "");
        write("plain/tests/test_x.py", "assert False");
        write("needy/__init__.py", "from . import tests");
        write("needy/tests/conftest.py", "");
        write("other/__init__.py", "");
        write("third/__init__.py", "");
        write("third/tests/test_y.py", "");
        write("dbt/__init__.py", "");
        write("dbt/tests/builtin.sql", "");
        write("broken/__init__.py", "import nothing_of_that_name");
        write("single.py", "");
        write("plain-1.dist-info/RECORD", "plain/__init__.py,,\nplain/tests/test_x.py,,\n");
        let version = Interpreter::nearest(99).unwrap();
        let mut notes = Vec::new();
        slim(&place, &version, &mut notes).await.unwrap();
        let is_there = |name: &str| place.join(name).is_dir();
        assert!(!is_there("plain/tests"));
        assert!(!is_there("third/tests") && is_there("needy/tests") && is_there("dbt/tests"), "{notes:?}");
        assert!(notes.iter().any(|note| note.contains("`needy/tests`")), "{notes:?}");
        assert_eq!(std::fs::read_to_string(place.join("plain-1.dist-info/RECORD")).unwrap(), "plain/__init__.py,,\n");
        assert_eq!(modules(&place), ["broken", "dbt", "needy", "other", "plain", "single", "third"]);
        // Which package's tests another one needs is not known, so all that are left stay.
        write("third/tests/test_y.py", "");
        write("other/__init__.py", "import third.tests.test_y");
        slim(&place, &version, &mut notes).await.unwrap();
        assert!(is_there("third/tests"), "{notes:?}");
    }
}
