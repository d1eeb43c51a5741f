//! Runtimes with a language of their own, on a machine that has its own versions of it.
//!
//! AWS's own part of such a runtime, which calls a handler's function, is not here: what runs is what a wrapper script
//! (`AWS_LAMBDA_EXEC_WRAPPER`) starts in its place, with the machine's interpreter of that version, or of the nearest.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::cloud::lock;

/// An interpreter of this machine.
#[derive(Clone, Debug)]
struct Interpreter {
    program: PathBuf,
    /// Of Python the second number of its version, of Node the first.
    version: u32,
}

/// How a language names its runtimes and its programs.
struct Language {
    before: &'static str,
    behind: &'static str,
    /// Before the version in the names of its programs; without it, the one program there is.
    program: &'static str,
    question: &'static [&'static str],
    /// What the program is called for scripts.
    names: &'static [&'static str],
}

const LANGUAGES: [Language; 2] = [
    Language {
        before: "python3.",
        behind: "",
        program: "python3",
        question: &["-I", "-S", "-c", "import sys; print(sys.version_info[1], sys.executable)"],
        names: &["python", "python3"],
    },
    Language {
        before: "nodejs",
        behind: ".x",
        program: "node",
        question: &["-p", "process.versions.node.split('.')[0] + ' ' + process.execPath"],
        names: &["node"],
    },
];

/// Puts the interpreter of a runtime into a directory for the path, under the names that it has on AWS. Gives a warning
/// where it is of another version.
///
/// # Errors
/// When this machine has none, or the disk refuses.
pub(super) fn provide(runtime: &str, bin: &Path) -> io::Result<Option<String>> {
    let named = |language: &&Language| wanted(language, runtime).is_some();
    let Some(language) = LANGUAGES.iter().find(named) else { return Ok(None) };
    let wanted = wanted(language, runtime).unwrap_or_default();
    let found = nearest(language, wanted)
        .ok_or_else(|| io::Error::other(format!("this machine has no {} to run `{runtime}` with", language.program)))?;
    std::fs::create_dir_all(bin)?;
    for name in language.names {
        symlink(&found.program, bin.join(name))?;
    }
    if language.program == "python3" {
        symlink(&found.program, bin.join(format!("python3.{wanted}")))?;
    }
    let here = format!("{}{}{}", language.before, found.version, language.behind);
    Ok((found.version != wanted).then(|| format!("this machine has no `{runtime}`: the function runs with `{here}`")))
}

fn wanted(language: &Language, runtime: &str) -> Option<u32> {
    runtime.strip_prefix(language.before)?.strip_suffix(language.behind)?.parse().ok()
}

/// What was found once is there until the cloud ends.
fn nearest(language: &Language, wanted: u32) -> Option<Interpreter> {
    static FOUND: Mutex<Option<HashMap<(&str, u32), Interpreter>>> = Mutex::new(None);
    let known = lock(&FOUND).as_ref().and_then(|found| found.get(&(language.program, wanted)).cloned());
    let found = known.or_else(|| search(language, wanted))?;
    lock(&FOUND).get_or_insert_default().insert((language.program, wanted), found.clone());
    Some(found)
}

fn search(language: &Language, wanted: u32) -> Option<Interpreter> {
    let exact = format!("{}.{wanted}", language.program);
    let candidates = directories().into_iter().map(|directory| directory.join(&exact));
    let exact = candidates.filter_map(|program| asked(language, &program)).find(|found| found.version == wanted);
    exact.or_else(|| {
        let entries =
            directories().into_iter().flat_map(|directory| std::fs::read_dir(directory).into_iter().flatten());
        let programs = entries.flatten().filter(|entry| {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(language.program));
            rest.is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix('.').is_some_and(|rest| rest.parse::<u32>().is_ok())
            })
        });
        let found = programs.filter_map(|entry| asked(language, &entry.path()));
        found.min_by_key(|found| (found.version.abs_diff(wanted), std::cmp::Reverse(found.version)))
    })
}

/// Those of the path, and those where tools keep versions that are not on it.
fn directories() -> Vec<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME").unwrap_or_default();
    let kept = [
        set("PYENV_ROOT").unwrap_or_else(|| home.join(".pyenv")).join("versions"),
        set("NVM_DIR").unwrap_or_else(|| home.join(".nvm")).join("versions/node"),
        home.join(".local/share/uv/python"),
    ];
    let versions = kept.iter().flat_map(|kept| std::fs::read_dir(kept).into_iter().flatten().flatten());
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(versions.map(|entry| entry.path().join("bin"))).collect()
}

/// What a program says of itself. The shims of version managers are there for versions that are not.
fn asked(language: &Language, program: &Path) -> Option<Interpreter> {
    if !program.is_file() {
        return None;
    }
    let mut command = Command::new(program);
    command.args(language.question).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, program) = text.trim().split_once(' ')?;
    Some(Interpreter { program: program.into(), version: version.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_here_is_replaced_by_the_nearest() {
        let directory = tempfile::tempdir().expect("a directory");
        let warning = provide("python3.99", directory.path()).expect("a Python").expect("a warning");
        assert!(warning.starts_with("this machine has no `python3.99`: the function runs with `python3."), "{warning}");
        let output = Command::new(directory.path().join("python")).args(["-c", "print(1)"]).output().expect("it runs");
        assert_eq!(output.stdout, b"1\n");
        assert!(directory.path().join("python3.99").exists());
    }

    #[test]
    fn other_runtimes_are_left_to_the_wrapper() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(provide("java21", directory.path()).expect("nothing to do").is_none());
    }
}
