//! Which files this machine can execute, and why it does not execute the others.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::io::Errno;

use super::start_error::{CANNOT_START, INVALID_ENTRYPOINT, StartError};

/// This machine's processor in the header of an ELF file.
const MACHINE: [u8; 2] = if cfg!(target_arch = "aarch64") { [183, 0] } else { [62, 0] };

/// Refuses what the kernel would refuse, with the same error. Without this, the C library would pass the file to a
/// shell.
///
/// # Errors
/// `ENOEXEC` if the file is neither a script nor a binary for this machine; those of reading it.
pub(super) fn refuse_foreign(path: &Path) -> io::Result<()> {
    let mut head = Vec::new();
    File::open(path)?.take(20).read_to_end(&mut head)?;
    let machine = head.get(18..20);
    let native = head.starts_with(b"\x7fELF") && (machine == Some(&MACHINE) || emulates() && machine.is_some());
    if native || head.starts_with(b"#!") { Ok(()) } else { Err(Errno::NOEXEC.into()) }
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
        Some(Errno::NOEXEC) => StartError::new(INVALID_ENTRYPOINT, format!("fork/exec {shown}: exec format error")),
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

/// Whether the kernel has interpreters for other binaries, such as qemu.
fn emulates() -> bool {
    let known = std::fs::read_dir("/proc/sys/fs/binfmt_misc").into_iter().flatten().flatten();
    known.map(|entry| entry.file_name()).any(|name| name != "register" && name != "status")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn each_refusal_of_the_kernel_has_its_own_words() {
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
