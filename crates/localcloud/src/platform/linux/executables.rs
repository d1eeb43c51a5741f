//! Which files this machine can execute.

use std::path::PathBuf;

/// This machine's processor in the header of an ELF file.
const MACHINE: [u8; 2] = if cfg!(target_arch = "aarch64") { [183, 0] } else { [62, 0] };

/// The executable of this process, also after it was replaced or deleted.
pub(crate) fn this_program() -> PathBuf {
    "/proc/self/exe".into()
}

/// Whether a file with these first bytes is an executable that the kernel starts.
pub(crate) fn is_native(head: &[u8]) -> bool {
    let machine = head.get(18..20);
    head.starts_with(b"\x7fELF") && (machine == Some(&MACHINE) || emulates() && machine.is_some())
}

/// Why a file with these first bytes cannot run here although it may run on Lambda.
pub(crate) fn only_on_lambda(_head: &[u8]) -> Option<&'static str> {
    None
}

/// Whether the kernel has interpreters for other binaries, such as qemu.
fn emulates() -> bool {
    let known = std::fs::read_dir("/proc/sys/fs/binfmt_misc").into_iter().flatten().flatten();
    known.map(|entry| entry.file_name()).any(|name| name != "register" && name != "status")
}
