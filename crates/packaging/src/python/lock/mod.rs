//! Locks: each as the packages that a function needs from it, whatever machine installs.
//!
//! A [graph] follows what the project requires through the lock. A lock that does not match its project is refused.

mod graph;

mod pdm;
mod pipfile;
mod poetry;
mod pylock;
mod uv;

use std::path::{Path, PathBuf};

pub(super) use poetry::refuse_unlisted;
pub(super) use uv::UvLock;

use super::dependency::Dependency;
use super::requirement::normalised;
use super::sources::{Declarations, Source};
use super::target::Target;
use crate::address;
use crate::error::BuildError;
use crate::runtime::Platform;

/// The locks of a directory, in their order of precedence: another one may be an export.
const NAMES: [&str; 5] = ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"];

/// The locks in a directory.
pub(super) fn in_directory(directory: &Path) -> Vec<PathBuf> {
    NAMES.iter().map(|name| directory.join(name)).filter(|file| file.is_file()).collect()
}

/// Whether a file is a `pylock.toml`, or a `pylock.NAME.toml`.
pub(super) fn is_pylock(name: &str) -> bool {
    name == "pylock.toml" || (name.starts_with("pylock.") && name.ends_with(".toml"))
}

/// The packages of a lock that is read here; `None` if the file is none. uv reads its own.
///
/// # Errors
/// When it cannot be read, or does not match its project or the platform.
pub(super) fn packages(
    file: &Path,
    platform: &Platform,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<Dependency>>, BuildError> {
    let (target, runtime) = (Target::of(platform), platform.runtime.as_str());
    match file.file_name().and_then(|name| name.to_str()) {
        Some("poetry.lock") => poetry::packages(file, &target, runtime).map(Some),
        Some("pdm.lock") => pdm::packages(file, &target, runtime).map(Some),
        Some("Pipfile.lock") => pipfile::packages(file, &target, platform.runtime.version(), notes).map(Some),
        Some(name) if is_pylock(name) => pylock::packages(file, &target, runtime).map(Some),
        _ => Ok(None),
    }
}

/// Refuses a list next to a lock that names a package which the lock does not have: it is not known which one counts.
///
/// # Errors
/// With the package.
pub(super) fn refuse_unlocked(
    lock: &Path,
    locked: &[String],
    list: &Path,
    listed: &[(String, String)],
) -> Result<(), BuildError> {
    let missing = listed.iter().find(|(name, _)| !locked.contains(&normalised(name)));
    let Some((name, place)) = missing else { return Ok(()) };
    Err(BuildError::new(format!(
        "cannot tell which packages to install: `{}` and `{}` differ",
        lock.display(),
        list.display()
    ))
    .at(&["dependencies", "web"])
    .because(format!("`{place}` requires `{name}`, which the lock does not have"))
    .hint("update the lock, or set `dependencies` to the file that counts"))
}

/// Refuses packages of `uv.lock` from an index although the project declares another source: the lock is older.
///
/// # Errors
/// With the package, and where its source is declared.
pub(super) fn refuse_undeclared(
    packages: &[Dependency],
    declarations: &Declarations,
    lock: &Path,
) -> Result<(), BuildError> {
    for package in packages {
        let entries = declarations.get(&package.name).map(Vec::as_slice).unwrap_or_default();
        let is_always = entries.iter().all(|entry| entry.condition.is_empty());
        let declared = entries.first().filter(|_| is_always);
        if let Some(declared) = declared.filter(|declared| !is_from(&package.source, &declared.source)) {
            let (name, lock, found) = (&package.name, lock.display(), package.source.shown());
            let cause = format!("`{}` declares that it comes from {}", declared.place, declared.source.shown());
            return Err(BuildError::new(format!("cannot install `{name}`: `{lock}` resolves it from {found}"))
                .because(cause)
                .hint("update the lock: `uv lock`"));
        }
    }
    Ok(())
}

/// Whether a package that was locked from one source may come from the declared one. uv itself compares what is not from
/// an index.
fn is_from(locked: &Source, declared: &Source) -> bool {
    match (locked, declared) {
        (Source::Default, Source::Index { address: Some(wanted), .. }) => address::is_public(wanted),
        (Source::Index { address: Some(found), .. }, Source::Index { address: Some(wanted), .. }) => {
            address::is_same(wanted, found)
        }
        (Source::Index { .. }, Source::Index { .. }) => true,
        (Source::Default | Source::Index { .. }, declared) => *declared == Source::Default,
        _ => true,
    }
}
