//! Where the local cloud finds Lambda Web Adapter, from which it makes the adapter's layers.
//!
//! lamstream includes the adapter: `main` is the adapter when it is started under the adapter's name. AWS publishes later
//! versions in layers and images only, so one that was taken from there can be used instead.

use super::cache::cache;
use anyhow::{Context, anyhow};
use object::{Architecture, Object};
use packaging::OperatingSystem;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The adapters of this machine; the first that exists is used. They are `$LAMSTREAM_ADAPTER`, alone if it is set, or the
/// installed one and this program.
pub(crate) fn programs() -> Vec<PathBuf> {
    match named() {
        Some(named) => vec![named],
        None => installed().into_iter().chain([localcloud::this_program()]).collect(),
    }
}

/// `$LAMSTREAM_ADAPTER`, as an absolute path.
pub(crate) fn named() -> Option<PathBuf> {
    let named = std::env::var_os("LAMSTREAM_ADAPTER").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.map(|path| std::path::absolute(&path).unwrap_or(path))
}

/// Where an adapter is, or would be installed.
fn installed() -> Option<PathBuf> {
    Some(cache()?.join("adapter").join(::adapter::NAME))
}

fn place() -> anyhow::Result<PathBuf> {
    installed().context("cannot find a home directory for the cache: set LAMSTREAM_CACHE_DIR")
}

/// Installs an executable that was built elsewhere, given as the bytes of `file`, and returns its path.
///
/// # Errors
/// When it is not an executable for this machine, or the cache cannot be written.
pub(crate) fn install(file: &Path, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let program = place()?;
    check(bytes, OperatingSystem::host()).map_err(|why| anyhow!("cannot use `{}`: {why}", file.display()))?;
    let write = || {
        fs::create_dir_all(program.parent().unwrap_or(Path::new("/")))?;
        let draft = program.with_extension("new");
        fs::write(&draft, bytes)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755))?;
        fs::rename(&draft, &program)
    };
    write().with_context(|| format!("cannot write `{}`", program.display()))?;
    Ok(program)
}

/// Whether these bytes are an executable for this machine, with its system.
///
/// # Errors
/// Why they are not.
fn check(bytes: &[u8], system: OperatingSystem) -> Result<(), String> {
    let magic = match system {
        OperatingSystem::Linux => b"\x7fELF",
        OperatingSystem::Macos => b"\xcf\xfa\xed\xfe",
    };
    if !bytes.starts_with(magic) {
        return Err(format!("it is not a {system} executable"));
    }
    let file = object::File::parse(bytes).map_err(|error| format!("it is not a complete executable: {error}"))?;
    let here = match std::env::consts::ARCH {
        "aarch64" => Architecture::Aarch64,
        _ => Architecture::X86_64,
    };
    match file.architecture() {
        found if found == here => Ok(()),
        found => Err(format!("it is for {found:?}, but this machine is {here:?}")),
    }
}

/// Why an adapter cannot be used, such as that of `$LAMSTREAM_ADAPTER`; `None` if it can.
pub(crate) fn fault(program: &Path) -> Option<String> {
    let found = match program.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Some("it does not exist".to_owned()),
        Err(error) => return Some(error.to_string()),
        Ok(found) if !found.is_file() => return Some("it is not a file".to_owned()),
        Ok(found) => found,
    };
    let bytes = match fs::read(program) {
        Err(error) => return Some(error.to_string()),
        Ok(bytes) => bytes,
    };
    let is_executable = found.permissions().mode() & 0o111 != 0;
    check(&bytes, OperatingSystem::host()).err().or_else(|| (!is_executable).then(|| "it is not executable".to_owned()))
}

/// Removes the installed adapter, and returns whether there was one.
///
/// # Errors
/// When the cache cannot be written.
pub(crate) fn remove() -> anyhow::Result<bool> {
    let program = place()?;
    match fs::remove_file(&program) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot remove `{}`", program.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_must_be_for_the_system_that_runs_it() {
        let own = fs::read(std::env::current_exe().expect("this program")).expect("it can be read");
        let (here, other) = match OperatingSystem::host() {
            OperatingSystem::Linux => (OperatingSystem::Linux, OperatingSystem::Macos),
            OperatingSystem::Macos => (OperatingSystem::Macos, OperatingSystem::Linux),
        };
        assert_eq!(check(&own, here), Ok(()));
        assert_eq!(check(&own, other), Err(format!("it is not a {other} executable")));
        assert!(check(&own[..4], here).is_err_and(|why| why.starts_with("it is not a complete executable")));
    }
}
