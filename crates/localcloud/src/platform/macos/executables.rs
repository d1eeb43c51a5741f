//! Which files this machine can execute.

use std::path::PathBuf;

/// The beginnings of executables for 64-bit processors, and of files with several of them.
const MACH_O: [u8; 4] = [0xcf, 0xfa, 0xed, 0xfe];
const UNIVERSAL: [u8; 4] = [0xca, 0xfe, 0xba, 0xbe];

/// The executable of this process. If it is replaced, this is the new one.
pub(crate) fn this_program() -> PathBuf {
    std::env::current_exe().unwrap_or_default()
}

/// Whether a file with these first bytes is an executable that the kernel starts. One for another processor may be started
/// by Rosetta.
pub(crate) fn is_native(head: &[u8]) -> bool {
    head.starts_with(&MACH_O) || head.starts_with(&UNIVERSAL)
}

/// Why a file with these first bytes cannot run here although it may run on Lambda.
pub(crate) fn only_on_lambda(head: &[u8]) -> Option<&'static str> {
    head.starts_with(b"\x7fELF").then_some("it is built for Linux, and this machine runs macOS")
}
