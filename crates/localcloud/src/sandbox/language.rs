//! Runtimes of a language, such as `python3.13`, with this machine's interpreters.
//!
//! The part of such a runtime that calls a handler is AWS's and not available here. Instead, the wrapper script in
//! `AWS_LAMBDA_EXEC_WRAPPER` starts the app, with this machine's interpreter of that version, or of the nearest one.

use std::collections::HashMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::start_error::{CANNOT_START, StartError};
use crate::sync::lock;

/// An interpreter of this machine.
#[derive(Clone, Debug)]
struct Interpreter {
    program: PathBuf,
    /// The second number of Python's version, the first of Node's.
    version: u32,
}

/// The names of a language's runtimes and programs, and how to ask a program for its version.
struct Language {
    prefix: &'static str,
    suffix: &'static str,
    /// The name of the program, without a version.
    program: &'static str,
    version_arguments: &'static [&'static str],
    /// The names that scripts use for the program.
    names: &'static [&'static str],
}

const LANGUAGES: [Language; 2] = [
    Language {
        prefix: "python3.",
        suffix: "",
        program: "python3",
        version_arguments: &["-I", "-S", "-c", "import sys; print(sys.version_info[1], sys.executable)"],
        names: &["python", "python3"],
    },
    Language {
        prefix: "nodejs",
        suffix: ".x",
        program: "node",
        version_arguments: &["-p", "process.versions.node.split('.')[0] + ' ' + process.execPath"],
        names: &["node"],
    },
];

/// Links the interpreter of a runtime into a directory for the path, under the names that it has on AWS. Returns a
/// warning if it is of another version.
///
/// # Errors
/// A [`StartError`] if this machine has none, or those of the disk.
pub(super) fn provide(runtime: &str, bin: &Path) -> anyhow::Result<Option<String>> {
    let Some((language, wanted)) = language(runtime) else { return Ok(None) };
    let found = nearest(language, wanted).ok_or_else(|| {
        let program = language.program;
        let why = format!(
            "the local cloud has no `{program}` to run `{runtime}` with: `{program}` was not on the PATH of the command that \
             started it"
        );
        StartError::new(CANNOT_START, why)
    })?;
    std::fs::create_dir_all(bin)?;
    for name in language.names {
        symlink(&found.program, bin.join(name))?;
    }
    if language.program == "python3" {
        symlink(&found.program, bin.join(format!("python3.{wanted}")))?;
    }
    let here = format!("{}{}{}", language.prefix, found.version, language.suffix);
    Ok((found.version != wanted).then(|| format!("this machine has no `{runtime}`: the function runs with `{here}`")))
}

/// The program that runs a language's runtime and that this process does not find on its path; `None` if it does, or if
/// the runtime is not one of a language.
pub fn missing_interpreter(runtime: &str) -> Option<&'static str> {
    let (language, wanted) = language(runtime)?;
    nearest(language, wanted).is_none().then_some(language.program)
}

/// The language of a runtime, and the version.
fn language(runtime: &str) -> Option<(&'static Language, u32)> {
    LANGUAGES.iter().find_map(|language| Some((language, wanted(language, runtime)?)))
}

fn wanted(language: &Language, runtime: &str) -> Option<u32> {
    runtime.strip_prefix(language.prefix)?.strip_suffix(language.suffix)?.parse().ok()
}

/// The installed interpreter of the nearest version. The result is kept until the cloud ends.
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

/// The directories of the path, and those in which version managers keep versions that are not on it.
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
    // An empty entry would be the directory that the cloud happens to be in.
    let path = std::env::split_paths(&path).filter(|directory| directory.is_absolute()).collect::<Vec<_>>();
    path.into_iter().chain(versions.map(|entry| entry.path().join("bin"))).collect()
}

/// Asks a program for its version: a version manager may have shims for versions that are not installed.
fn asked(language: &Language, program: &Path) -> Option<Interpreter> {
    if !program.is_file() {
        return None;
    }
    let mut command = Command::new(program);
    command.args(language.version_arguments).stdin(Stdio::null()).stderr(Stdio::null());
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
        let _turn = crate::sync::turn();
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
