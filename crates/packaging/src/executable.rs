//! Whether machine code fits a machine: Linux has ELF files, macOS has Mach-O files.

use object::Object as _;
use object::read::macho::{FatArch as _, MachOFatFile32};

use crate::architecture::Architecture;
use crate::elf;
use crate::error::BuildError;
use crate::machine::{Machine, OperatingSystem};
use crate::runtime::Platform;

/// The first bytes of a Mach-O file for one 64-bit processor, and of one for several processors.
const MACH_O: [&[u8]; 2] = [&[0xcf, 0xfa, 0xed, 0xfe], &[0xca, 0xfe, 0xba, 0xbe]];

/// Refuses a binary that cannot start on a machine; on Linux, in `provided.al2023`. Messages call it `subject`.
pub(crate) fn check(binary: &[u8], machine: Machine, subject: &str) -> Result<(), BuildError> {
    if machine.system == OperatingSystem::Linux {
        return elf::check(binary, machine.architecture, subject);
    }
    let refused = |why: &str| {
        BuildError::new(format!("cannot run {subject} in the local cloud: {why}"))
            .hint("build it for this machine: the local cloud runs code as it is, without a virtual machine")
    };
    if !is_mach_o(binary) {
        let what = if binary.starts_with(b"\x7fELF") { "is built for Linux" } else { "is not an executable of macOS" };
        return Err(refused(&format!("it {what}, and this machine runs macOS")));
    }
    let found = architectures(binary).map_err(|error| refused("it is not a complete executable").because(error))?;
    let wanted = match machine.architecture {
        Architecture::Arm64 => object::Architecture::Aarch64,
        Architecture::X86_64 => object::Architecture::X86_64,
    };
    if found.contains(&wanted) {
        return Ok(());
    }
    Err(refused(&format!("it was built for another processor than `{}`", machine.architecture)))
}

/// Refuses a program that a web app starts if it cannot start on the platform; on Linux, also one for a newer glibc.
pub(crate) fn check_program(program: &[u8], platform: &Platform, subject: &str) -> Result<(), BuildError> {
    let machine = platform.machine();
    if machine.system == OperatingSystem::Linux && elf::is_elf(program) {
        return elf::check_program(program, platform, subject);
    }
    check(program, machine, subject)
}

/// Whether these first bytes are those of machine code.
pub(crate) fn is_machine_code(head: &[u8]) -> bool {
    is_mach_o(head) || elf::is_elf(head)
}

/// Refuses machine code of another system, and on Linux of another processor, by its first bytes.
pub(crate) fn check_head(head: &[u8], machine: Machine, subject: &str) -> Result<(), BuildError> {
    if !is_foreign(head, machine.system) {
        return match machine.system {
            OperatingSystem::Linux => elf::check_machine(head, machine.architecture, subject),
            OperatingSystem::Macos => Ok(()),
        };
    }
    let system = machine.system;
    let error = BuildError::new(format!("cannot use {subject} on {system}: it was built for another system"));
    Err(error.hint(format!("install it for {system}, or exclude it")))
}

/// Whether these first bytes are those of machine code for another system.
pub(crate) fn is_foreign(head: &[u8], system: OperatingSystem) -> bool {
    match system {
        OperatingSystem::Linux => is_mach_o(head),
        OperatingSystem::Macos => head.starts_with(b"\x7fELF"),
    }
}

fn is_mach_o(head: &[u8]) -> bool {
    MACH_O.iter().any(|magic| head.starts_with(magic))
}

/// The processors that a Mach-O file is for.
fn architectures(binary: &[u8]) -> object::Result<Vec<object::Architecture>> {
    match MachOFatFile32::parse(binary) {
        Ok(fat) => Ok(fat.arches().iter().map(|part| part.architecture()).collect()),
        Err(_) => Ok(vec![object::File::parse(binary)?.architecture()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: [u8; 4] = [0x0c, 0, 0, 0x01];
    const X86: [u8; 4] = [0x07, 0, 0, 0x01];

    /// An executable without any load command.
    fn thin(cpu: [u8; 4]) -> Vec<u8> {
        [MACH_O[0], &cpu, &[0, 0, 0, 0, 2, 0, 0, 0], &[0; 16]].concat()
    }

    /// One for several processors, each without any bytes.
    fn universal(cpus: &[[u8; 4]]) -> Vec<u8> {
        let mut bytes = [MACH_O[1], &(cpus.len() as u32).to_be_bytes()].concat();
        for cpu in cpus {
            bytes.extend(cpu.iter().rev().chain(&[0; 16]));
        }
        bytes
    }

    fn on(system: OperatingSystem, architecture: Architecture) -> Machine {
        Machine { system, architecture }
    }

    fn mac() -> Machine {
        on(OperatingSystem::Macos, Architecture::Arm64)
    }

    #[test]
    fn on_macos_a_binary_must_be_for_its_processor() {
        let checked = |bytes: &[u8]| check(bytes, mac(), "the binary").map_err(|error| error.message);
        assert_eq!(checked(&thin(ARM)), Ok(()));
        assert_eq!(checked(&universal(&[X86, ARM])), Ok(()));
        let refused = |why: &str| Err(format!("cannot run the binary in the local cloud: it {why}"));
        assert_eq!(checked(&thin(X86)), refused("was built for another processor than `arm64`"));
        assert_eq!(checked(&universal(&[X86])), refused("was built for another processor than `arm64`"));
        assert_eq!(checked(b"\x7fELF\x02"), refused("is built for Linux, and this machine runs macOS"));
        assert_eq!(checked(b"MZ"), refused("is not an executable of macOS, and this machine runs macOS"));
        assert_eq!(checked(MACH_O[0]), refused("is not a complete executable"));
    }

    #[test]
    fn on_linux_a_binary_of_macos_is_refused() {
        let error = check(&thin(ARM), Architecture::Arm64.into(), "the binary").unwrap_err();
        assert_eq!(error.message, "cannot use the binary: it is a macOS executable");
    }

    #[test]
    fn machine_code_of_another_system_is_known_by_its_first_bytes() {
        let refused = |head: &[u8], machine| check_head(head, machine, "`x.so`").map_err(|error| error.message);
        let lambda = Machine::from(Architecture::Arm64);
        let other = |system: &str| Err(format!("cannot use `x.so` on {system}: it was built for another system"));
        assert_eq!(refused(&thin(ARM), lambda), other("Linux"));
        assert_eq!(refused(&universal(&[ARM]), lambda), other("Linux"));
        assert_eq!(refused(b"\x7fELF\x02", mac()), other("macOS"));
        assert_eq!(
            (refused(&thin(ARM), mac()), refused(b"text", mac()), refused(b"text", lambda)),
            (Ok(()), Ok(()), Ok(()))
        );
    }
}
