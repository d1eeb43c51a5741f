//! Which files this machine can execute, and why it does not execute the others.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::io::Errno;

use super::start_error::{CANNOT_START, INVALID_ENTRYPOINT, StartError};
use crate::platform::executables;

/// Refuses what the kernel would refuse, with the same error. Without this, the C library would pass the file to a
/// shell.
///
/// # Errors
/// `ENOEXEC` if the file is neither a script nor a binary for this machine; those of reading it.
pub(super) fn refuse_foreign(path: &Path) -> io::Result<()> {
    let head = head(path)?;
    if executables::is_native(&head) || head.starts_with(b"#!") { Ok(()) } else { Err(Errno::NOEXEC.into()) }
}

/// The first bytes of a file, as far as they show what it is.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(20).read_to_end(&mut head)?;
    Ok(head)
}

/// Why the kernel refused to execute a program, which the function sees as `shown`. What AWS would refuse, too, is in AWS's
/// words.
pub(super) fn refusal(program: &Path, shown: &str, error: &io::Error) -> StartError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT) if !program.exists() => {
            StartError::new(INVALID_ENTRYPOINT, format!("Couldn't find valid bootstrap(s): [{shown}]"))
        }
        // The file exists, so the error is about the program that the kernel starts in its place.
        Some(Errno::NOENT) => match interpreter(program) {
            Some(interpreter) => {
                let why = format!("fork/exec {shown}: this machine has no `{interpreter}`, which it is to be run with");
                StartError::new(CANNOT_START, why)
            }
            None => StartError::new(CANNOT_START, format!("fork/exec {shown}: this machine has no loader for it")),
        },
        Some(Errno::ACCESS) => StartError::new(INVALID_ENTRYPOINT, format!("fork/exec {shown}: permission denied")),
        Some(Errno::NOEXEC) => match executables::only_on_lambda(&head(program).unwrap_or_default()) {
            Some(why) => StartError::new(CANNOT_START, format!("fork/exec {shown}: {why}")),
            None => StartError::new(INVALID_ENTRYPOINT, format!("fork/exec {shown}: exec format error")),
        },
        _ => StartError::new(CANNOT_START, format!("fork/exec {shown}: {error}")),
    }
}

/// The program that the first line of a script names.
fn interpreter(script: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(script).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line).trim_start_matches([' ', '\t']).to_owned();
    let program = line.split([' ', '\t']).next()?;
    Some(program.escape_debug().to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn each_refusal_of_the_kernel_has_its_own_words() {
        let _turn = crate::sync::turn();
        let directory = tempfile::tempdir().expect("a directory");
        let (shown, path) = ("/var/task/bootstrap", directory.path().join("bootstrap"));
        let refused = || {
            let error = Command::new(&path).spawn().expect_err("it is refused");
            let refusal = refusal(&path, shown, &error);
            (refusal.kind, refusal.why)
        };
        assert_eq!(refused(), (INVALID_ENTRYPOINT, format!("Couldn't find valid bootstrap(s): [{shown}]")));
        for (text, mode, kind, why) in [
            ("#!/bin/sh\n", 0o644, INVALID_ENTRYPOINT, "permission denied"),
            ("#! /nowhere/python3 -u\n", 0o755, CANNOT_START, "this machine has no `/nowhere/python3`, which it"),
            ("#!/bin/sh\r\n", 0o755, CANNOT_START, "this machine has no `/bin/sh\\r`, which it"),
        ] {
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
            let (of, said) = refused();
            assert!(of == kind && said.starts_with(&format!("fork/exec {shown}: {why}")), "{text:?}: {of} {said}");
        }
        std::fs::write(&path, "neither").expect("a file");
        let error = refuse_foreign(&path).expect_err("it is neither");
        assert_eq!(refusal(&path, shown, &error).why, format!("fork/exec {shown}: exec format error"));
    }
}
