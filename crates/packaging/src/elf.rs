//! Reads what a binary needs from `provided.al2023`, and refuses a binary that could not start there.

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader, Sym};

use crate::architecture::Architecture;
use crate::error::BuildError;
use crate::runtime::Platform;

/// What Lambda starts crates' binaries in.
const RUNTIME: &str = "provided.al2023";

/// Its glibc; its loader refuses a binary that needs a newer one before `main` runs.
const GLIBC: (u32, u32) = (2, 34);

/// Where a function may have its own loader: in its layers and in its package.
const OWN_LOADERS: [&str; 2] = ["/opt/", "/var/task/"];

/// The headers of an ELF file, as far as they matter.
#[derive(Debug, PartialEq, Eq)]
struct Elf {
    machine: u16,
    executable: bool,
    linux: bool,
    /// The loader that it needs; `None` if it is linked statically.
    loader: Option<String>,
    needs: Vec<Need>,
}

/// A symbol version of glibc that the binary needs to start.
#[derive(Debug, PartialEq, Eq)]
struct Need {
    /// As spelled in the file: `GLIBC_2.34`.
    version: String,
    /// A symbol that needs it, if the symbol table still names one.
    symbol: Option<String>,
}

/// Refuses a binary that cannot start on `provided.al2023` with this architecture. Messages call it `subject`.
pub(crate) fn check(binary: &[u8], architecture: Architecture, subject: &str) -> Result<(), BuildError> {
    if !is_elf(binary) {
        return Err(not_an_elf(binary, subject));
    }
    judge(&complete(binary, subject)?, architecture, subject)
}

/// Refuses an ELF file that cannot start on this platform.
pub(crate) fn check_program(program: &[u8], platform: &Platform, subject: &str) -> Result<(), BuildError> {
    let elf = complete(program, subject)?;
    let (runtime, has) = (&platform.runtime, platform.runtime.glibc());
    misfit(&elf, platform.architecture, runtime.as_str(), subject)?;
    match newest(&elf, has) {
        None => Ok(()),
        Some(need) => {
            let (major, minor) = has;
            let error = BuildError::new(too_new(need, runtime.as_str(), has, subject));
            Err(error
                .hint(format!("build it on a distribution with glibc {major}.{minor} or older, or link it statically")))
        }
    }
}

/// Whether these are the first bytes of an ELF file.
pub(crate) fn is_elf(head: &[u8]) -> bool {
    head.starts_with(&elf::ELFMAG)
}

fn complete(binary: &[u8], subject: &str) -> Result<Elf, BuildError> {
    read(binary).map_err(|error| {
        BuildError::new(format!("cannot use {subject}: it is not a complete 64-bit ELF file")).because(error)
    })
}

/// Refuses an ELF file of another architecture, by its first bytes.
pub(crate) fn check_machine(head: &[u8], architecture: Architecture, subject: &str) -> Result<(), BuildError> {
    // The machine is at the same offset in every ELF file; both of Lambda's are little-endian.
    let found = match head {
        [0x7f, b'E', b'L', b'F', rest @ ..] if rest.len() >= 16 => u16::from_le_bytes([rest[14], rest[15]]),
        _ => return Ok(()),
    };
    if found == machine(architecture) {
        return Ok(());
    }
    let found = name(found);
    let error = BuildError::new(format!("cannot use {subject} for `{architecture}`: it was built for `{found}`"));
    Err(error.hint(format!("install it for `{architecture}`, or set `architecture = \"{found}\"`")))
}

/// The newest glibc that an ELF file needs, if it is one and needs any.
pub(crate) fn newest_glibc(bytes: &[u8]) -> Option<(u32, u32)> {
    read(bytes).ok()?.needs.iter().filter_map(|need| parse(&need.version)).max()
}

/// The names of the libraries that an ELF file is linked with.
pub(crate) fn libraries(bytes: &[u8]) -> Vec<String> {
    let read = || -> object::Result<Vec<String>> {
        let header = FileHeader64::<Endianness>::parse(bytes)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, bytes)?;
        let Some((entries, strings)) = sections.dynamic(endian, bytes)? else { return Ok(Vec::new()) };
        let strings = sections.strings(endian, bytes, strings)?;
        let needed = entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED);
        let name = |offset: u32| strings.get(offset).map(|name| String::from_utf8_lossy(name).into_owned()).ok();
        Ok(needed.filter_map(|entry| name(entry.val32(endian)?)).collect())
    };
    read().unwrap_or_default()
}

fn read(binary: &[u8]) -> object::Result<Elf> {
    let header = FileHeader64::<Endianness>::parse(binary)?;
    let endian = header.endian()?;
    let mut loader = None;
    for segment in header.program_headers(endian, binary)? {
        if let Some(path) = segment.interpreter(endian, binary)? {
            loader = Some(String::from_utf8_lossy(path).into_owned());
        }
    }
    let kind = header.e_type(endian);
    let os_abi = header.e_ident().os_abi;
    Ok(Elf {
        machine: header.e_machine(endian).0,
        // A shared library has no entry point, unlike a position-independent executable of the same type.
        executable: kind == elf::ET_EXEC || (kind == elf::ET_DYN && header.e_entry(endian) != 0),
        linux: os_abi == elf::ELFOSABI_SYSV || os_abi == elf::ELFOSABI_LINUX,
        loader,
        needs: needs(header, endian, binary)?,
    })
}

fn needs(header: &FileHeader64<Endianness>, endian: Endianness, binary: &[u8]) -> object::Result<Vec<Need>> {
    let sections = header.sections(endian, binary)?;
    let Some((mut files, strings)) = sections.gnu_verneed(endian, binary)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, binary, strings)?;
    let symbols = sections.symbols(endian, binary, elf::SHT_DYNSYM)?;
    let versions = sections.versions(endian, binary)?.unwrap_or_default();
    let mut needs = Vec::new();
    while let Some((_, mut entries)) = files.next()? {
        while let Some(entry) = entries.next()? {
            let version = String::from_utf8_lossy(entry.name(endian, strings)?).into_owned();
            // The loader only warns about a version that only weak symbols need.
            if !version.starts_with("GLIBC_") || entry.vna_flags.get(endian).contains(elf::VER_FLG_WEAK) {
                continue;
            }
            let index = entry.vna_other(endian).index();
            let symbol = symbols
                .enumerate()
                .find(|(at, symbol)| {
                    symbol.st_name(endian) != 0 && versions.version_index(endian, *at).index() == index
                })
                .and_then(|(_, symbol)| symbols.symbol_name(endian, symbol).ok())
                .map(|name| String::from_utf8_lossy(name).into_owned());
            needs.push(Need { version, symbol });
        }
    }
    Ok(needs)
}

fn judge(elf: &Elf, architecture: Architecture, subject: &str) -> Result<(), BuildError> {
    misfit(elf, architecture, RUNTIME, subject)?;
    match newest(elf, GLIBC) {
        None => Ok(()),
        Some(need) => Err(with_ways_out(BuildError::new(too_new(need, RUNTIME, GLIBC, subject)), architecture)),
    }
}

/// Refuses what is not an executable for this processor, or needs a loader that the runtime does not have.
fn misfit(elf: &Elf, architecture: Architecture, runtime: &str, subject: &str) -> Result<(), BuildError> {
    if !elf.linux || !elf.executable {
        let what = if elf.executable { "not for Linux" } else { "not an executable" };
        return Err(BuildError::new(format!("cannot use {subject}: it is an ELF file, but {what}"))
            .hint("Lambda starts a Linux executable named `bootstrap`: package the crate's binary, not its library"));
    }
    if elf.machine != machine(architecture) {
        let found = name(elf.machine);
        let error = BuildError::new(format!("cannot use {subject} for `{architecture}`: it was built for `{found}`"));
        return Err(match Architecture::parse(&found) {
            Some(other) => error.hint(format!("build it for `{architecture}`, or set `architecture = \"{other}\"`")),
            None => error.hint(format!("build it for `{architecture}`")),
        });
    }
    if let Some(loader) = &elf.loader
        && loader != expected_loader(architecture)
        && !OWN_LOADERS.iter().any(|prefix| loader.starts_with(prefix))
    {
        return Err(BuildError::new(format!(
            "cannot use {subject}: it needs the loader `{loader}`, which `{runtime}` does not have"
        ))
        .hint("link it statically, or build it against glibc 2.34 or older"));
    }
    Ok(())
}

/// The newest version of glibc that the file needs, if the runtime `has` only an older one.
fn newest(elf: &Elf, has: (u32, u32)) -> Option<&Need> {
    elf.needs.iter().filter(|need| is_newer(&need.version, has)).max_by_key(|need| parse(&need.version))
}

/// `2.38` from `GLIBC_2.38` (and `2.2.5` counts as 2.2). `None` for the names of features, such as `GLIBC_ABI_DT_RELR`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("GLIBC_")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn is_newer(version: &str, has: (u32, u32)) -> bool {
    match parse(version) {
        Some(version) => version > has,
        // glibc named its first such feature, packed relocations, in 2.36; GLIBC_PRIVATE is as old as glibc.
        None => version.starts_with("GLIBC_ABI_"),
    }
}

fn too_new(need: &Need, runtime: &str, (major, minor): (u32, u32), subject: &str) -> String {
    let by = need.symbol.as_ref().map(|symbol| format!(" (for `{symbol}`)")).unwrap_or_default();
    format!("cannot use {subject}: it needs `{}`{by}, but `{runtime}` has glibc {major}.{minor}", need.version)
}

fn with_ways_out(error: BuildError, architecture: Architecture) -> BuildError {
    let cpu = architecture.cpu();
    error
        .hint("build on a distribution with glibc 2.34 or older, such as Amazon Linux 2023 or Debian 11")
        .hint(format!("or link it statically: set `build.target = \"{cpu}-unknown-linux-musl\"` in the manifest"))
        .hint(format!(
            "or target that glibc: set `build.linker = \"zig\"` in the manifest, or run \
         `cargo zigbuild --release --target {cpu}-unknown-linux-gnu.2.34`"
        ))
}

fn not_an_elf(bytes: &[u8], subject: &str) -> BuildError {
    let what = match bytes {
        [] => "is empty",
        [b'M', b'Z', ..] => "is a Windows executable",
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => "is a macOS executable",
        [b'#', b'!', ..] => "is a script",
        _ => "is not an ELF file",
    };
    BuildError::new(format!("cannot use {subject}: it {what}")).hint("Lambda needs a Linux executable")
}

fn machine(architecture: Architecture) -> u16 {
    match architecture {
        Architecture::X86_64 => elf::EM_X86_64.0,
        Architecture::Arm64 => elf::EM_AARCH64.0,
    }
}

fn name(number: u16) -> String {
    Architecture::ALL
        .into_iter()
        .find(|architecture| machine(*architecture) == number)
        .map_or_else(|| format!("ELF machine {number}"), |architecture| architecture.to_string())
}

fn expected_loader(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "/lib64/ld-linux-x86-64.so.2",
        Architecture::Arm64 => "/lib/ld-linux-aarch64.so.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtime;

    fn elf(versions: &[&str]) -> Elf {
        Elf {
            machine: 62,
            executable: true,
            linux: true,
            loader: Some("/lib64/ld-linux-x86-64.so.2".into()),
            needs: versions
                .iter()
                .map(|version| Need { version: version.to_string(), symbol: Some(format!("of_{version}")) })
                .collect(),
        }
    }

    fn refused(elf: &Elf, architecture: Architecture) -> String {
        judge(elf, architecture, "the binary").unwrap_err().message
    }

    #[test]
    fn glibc_up_to_2_34_passes() {
        assert_eq!(
            judge(&elf(&["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_PRIVATE"]), Architecture::X86_64, "the binary"),
            Ok(())
        );
        assert_eq!(judge(&elf(&[]), Architecture::X86_64, "the binary"), Ok(()));
    }

    #[test]
    fn the_highest_too_new_version_is_named_with_its_symbol_and_the_ways_out() {
        let error =
            judge(&elf(&["GLIBC_2.9", "GLIBC_2.38", "GLIBC_2.36"]), Architecture::X86_64, "the binary").unwrap_err();
        assert_eq!(
            error.message,
            "cannot use the binary: it needs `GLIBC_2.38` (for `of_GLIBC_2.38`), but `provided.al2023` has glibc 2.34"
        );
        assert!(error.hints.iter().any(|hint| hint.contains("x86_64-unknown-linux-musl")), "{error:?}");
        assert!(error.hints.iter().any(|hint| hint.contains("x86_64-unknown-linux-gnu.2.34")), "{error:?}");
    }

    #[test]
    fn a_program_needs_the_glibc_of_its_runtime() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let refused = |runtime: &str, architecture| {
            let platform = Platform::on_lambda(Runtime::parse(runtime).unwrap(), architecture);
            check_program(&own, &platform, "`server`").err().map(|error| error.message)
        };
        let host = Architecture::host().unwrap();
        let other = Architecture::ALL.into_iter().find(|other| *other != host).unwrap();
        assert_eq!(
            refused("nodejs22.x", other),
            Some(format!("cannot use `server` for `{other}`: it was built for `{host}`"))
        );
        let told = refused("nodejs18.x", host).unwrap();
        assert!(told.ends_with("but `nodejs18.x` has glibc 2.26"), "{told}");
    }

    #[test]
    fn packed_relocations_are_too_new_as_well() {
        assert!(refused(&elf(&["GLIBC_ABI_DT_RELR"]), Architecture::X86_64).contains("`GLIBC_ABI_DT_RELR`"));
    }

    #[test]
    fn another_architecture_is_refused_by_both_names() {
        assert_eq!(
            refused(&elf(&[]), Architecture::Arm64),
            "cannot use the binary for `arm64`: it was built for `x86_64`"
        );
        let riscv = Elf { machine: 243, ..elf(&[]) };
        assert!(refused(&riscv, Architecture::X86_64).contains("`ELF machine 243`"));
    }

    #[test]
    fn libraries_strange_systems_and_strange_loaders_are_refused() {
        assert!(refused(&Elf { executable: false, ..elf(&[]) }, Architecture::X86_64).contains("not an executable"));
        assert!(refused(&Elf { linux: false, ..elf(&[]) }, Architecture::X86_64).contains("not for Linux"));
        let musl = Elf { loader: Some("/lib/ld-musl-x86_64.so.1".into()), ..elf(&[]) };
        assert!(refused(&musl, Architecture::X86_64).contains("`/lib/ld-musl-x86_64.so.1`"));
        assert_eq!(
            judge(&Elf { loader: Some("/opt/lib/ld.so".into()), ..elf(&[]) }, Architecture::X86_64, "the binary"),
            Ok(())
        );
        assert_eq!(judge(&Elf { loader: None, ..elf(&[]) }, Architecture::X86_64, "the binary"), Ok(()));
    }

    #[test]
    fn what_is_no_elf_is_named() {
        let message = |bytes: &[u8]| check(bytes, Architecture::X86_64, "the binary").unwrap_err().message;
        assert_eq!(message(b""), "cannot use the binary: it is empty");
        assert_eq!(message(b"MZ\x90"), "cannot use the binary: it is a Windows executable");
        assert_eq!(message(b"\xcf\xfa\xed\xfe"), "cannot use the binary: it is a macOS executable");
        assert_eq!(message(b"hello"), "cannot use the binary: it is not an ELF file");
        assert_eq!(message(b"\x7fELF\x02"), "cannot use the binary: it is not a complete 64-bit ELF file");
    }

    #[test]
    fn this_very_test_can_be_read() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let elf = read(&own).unwrap();
        assert!(elf.executable && elf.linux, "{elf:?}");
        assert_eq!(Some(name(elf.machine)), Architecture::host().map(|host| host.to_string()));
    }
}
