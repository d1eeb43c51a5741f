//! Which files this machine can execute.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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
    if native || head.starts_with(b"#!") { Ok(()) } else { Err(rustix::io::Errno::NOEXEC.into()) }
}

/// Whether the kernel has interpreters for other binaries, such as qemu.
fn emulates() -> bool {
    let known = std::fs::read_dir("/proc/sys/fs/binfmt_misc").into_iter().flatten().flatten();
    known.map(|entry| entry.file_name()).any(|name| name != "register" && name != "status")
}
