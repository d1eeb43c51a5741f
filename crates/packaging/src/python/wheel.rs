//! Wheels: what their names and tags mean.

use std::path::{Path, PathBuf};

use super::requirement::normalised;
use crate::elf;
use crate::error::BuildError;
use crate::machine::OperatingSystem;
use crate::runtime::Platform;

/// The name and the version of a wheel or a source archive, by its file name.
pub(super) fn of_file(file: &str) -> Option<(String, String)> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        return Some((normalised(parts.next()?), parts.next()?.to_owned()));
    }
    let stem = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"].iter().find_map(|end| file.strip_suffix(end))?;
    let (name, version) = stem.rsplit_once('-')?;
    Some((normalised(name), version.to_owned()))
}

/// Refuses a wheel that was built on this machine and may contain machine code for it.
///
/// # Errors
/// With the package, and where it was built from.
pub(super) fn refuse_compiled(name: &str, wheel: &Path, platform: &Platform, source: &str) -> Result<(), BuildError> {
    let file = wheel.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let tags: Vec<&str> = file.rsplitn(4, '-').take(3).collect();
    let tag = tags.iter().rev().copied().collect::<Vec<_>>().join("-");
    refuse_tags(name, &[tag], platform, source)
}

/// Refuses a built package if none of its tags matches the platform. No tags at all are accepted.
///
/// # Errors
/// With the package, its tags, and where it was built from.
pub(super) fn refuse_tags(name: &str, tags: &[String], platform: &Platform, source: &str) -> Result<(), BuildError> {
    let (runtime, architecture, target) = (&platform.runtime, platform.architecture, platform.machine());
    let python = format!("cp{}", runtime.version().replace('.', ""));
    let fits_machine = |machine: &str| match target.system {
        OperatingSystem::Linux => machine.contains("linux") && machine.ends_with(target.cpu()),
        OperatingSystem::Macos => {
            machine.starts_with("macosx_") && (machine.ends_with(target.cpu()) || machine.ends_with("_universal2"))
        }
    };
    let fits = |tag: &String| {
        let parts: Vec<&str> = tag.split('-').collect();
        let [of, abi, machine] = parts[..] else { return true };
        let is_of_python = abi == "none" || abi == "abi3" || of.split('.').any(|of| of == python);
        machine == "any" || (is_of_python && fits_machine(machine))
    };
    if tags.is_empty() || tags.iter().any(fits) {
        return Ok(());
    }
    let cpu = architecture.cpu();
    let message = format!(
        "cannot install `{name}` for `{runtime}` on `{architecture}`: no wheel is available for {cpu}, and a build here is for this machine"
    );
    Err(BuildError::new(message)
        .because(format!("its wheel is for `{}`, built from {source}", tags.join("`, `")))
        .hint("build its wheel for the target elsewhere, and list the file: `vendor/NAME.whl`"))
}

/// Libraries that each of Lambda's images for Python has: those that manylinux allows.
const OF_THE_SYSTEM: [&str; 15] = [
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libexpat.so.1",
    "libgcc_s.so.1",
    "libm.so.6",
    "libnsl.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libstdc++.so.6",
    "libutil.so.1",
    "libz.so.1",
    "linux-vdso.so.1",
];

/// Refuses machine code that was compiled on this machine and that Lambda could not load: it needs a newer glibc than the
/// runtime has, or a library that neither the runtime nor the package has.
///
/// # Errors
/// With the file, and what it needs.
pub(super) fn refuse_libraries(name: &str, files: &[PathBuf], platform: &Platform) -> Result<(), BuildError> {
    let (runtime, has) = (&platform.runtime, platform.runtime.glibc());
    let refused = |file: &Path, cause: String| {
        let message = format!("cannot install `{name}` for `{runtime}`: it was compiled for this machine");
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        BuildError::new(message).because(format!("its `{file}` needs {cause}")).hint("use a version that has a wheel")
    };
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_default();
        if let Some((major, minor)) = elf::newest_glibc(&bytes).filter(|needed| *needed > has) {
            let cause = format!("glibc {major}.{minor}, and `{runtime}` has {}.{}", has.0, has.1);
            return Err(refused(file, cause));
        }
        let is_own = |library: &String| {
            files.iter().any(|file| file.file_name().is_some_and(|name| name.to_str() == Some(library)))
        };
        let is_there = |library: &String| {
            OF_THE_SYSTEM.contains(&&**library) || library.starts_with("libpython") || is_own(library)
        };
        if let Some(library) = elf::libraries(&bytes).iter().find(|library| !is_there(library)) {
            return Err(refused(file, format!("the library `{library}`, which `{runtime}` does not have")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::Runtime;

    #[test]
    fn what_this_machine_has_built_must_be_for_the_targets_system_and_processor() {
        let lambda = Platform::on_lambda(Runtime::parse("python3.13").unwrap(), Architecture::X86_64);
        let mac = Platform { system: OperatingSystem::Macos, ..lambda.clone() };
        let fits = |tag: &str, platform| refuse_tags("six", &[tag.to_owned()], platform, "its source").is_ok();
        let tags = ["cp313-cp313-linux_x86_64", "cp313-abi3-manylinux_2_17_x86_64", "py3-none-any"];
        assert_eq!(tags.map(|tag| fits(tag, &lambda)), [true; 3]);
        assert_eq!(tags.map(|tag| fits(tag, &mac)), [false, false, true]);
        let tags =
            ["cp313-cp313-macosx_14_0_x86_64", "cp313-cp313-macosx_10_13_universal2", "cp313-cp313-macosx_14_0_arm64"];
        assert_eq!(tags.map(|tag| fits(tag, &lambda)), [false; 3]);
        assert_eq!(tags.map(|tag| fits(tag, &mac)), [true, true, false]);
    }

    #[test]
    fn files_say_what_they_hold() {
        assert_eq!(of_file("My_Pkg-1.0-py3-none-any.whl"), Some(("my-pkg".into(), "1.0".into())));
        assert_eq!(of_file("my-pkg-1.0.tar.gz"), Some(("my-pkg".into(), "1.0".into())));
        assert_eq!(of_file("README.md"), None);
    }
}
