//! Which of an app's lists counts: a lock before a list, because a list may allow other versions.

use std::path::{Path, PathBuf};

use super::list::List;
use super::project::{self, Project};
use super::target::Target;
use super::{lock, requirements_txt};
use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool;

/// The list of the app in a directory, if it has a known one.
pub(crate) fn in_directory(directory: &Path) -> Option<PathBuf> {
    let others = [requirements_txt::FILE, project::FILE, "Pipfile"];
    let others = others.iter().map(|name| directory.join(name)).find(|file| file.is_file());
    lock_of(directory).or(others)
}

/// The file that counts for a list that the manifest names: the lock of a project.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let locks = lock::in_directory(&tool::around(file));
    let lock = match name {
        project::FILE => locks.into_iter().find(|lock| !lock.ends_with("Pipfile.lock")),
        "Pipfile" => locks.into_iter().find(|lock| lock.ends_with("Pipfile.lock")),
        _ => None,
    };
    lock.unwrap_or_else(|| file.to_owned())
}

/// The lock of a directory. That of a workspace is at its root, and found by the project.
fn lock_of(directory: &Path) -> Option<PathBuf> {
    let of_root = || {
        let root = Project::of(directory).ok().flatten()?.workspace_root()?;
        root.directory.join("uv.lock").is_file().then(|| directory.join(project::FILE))
    };
    lock::in_directory(directory).into_iter().next().or_else(of_root)
}

/// Says which other lists of the directory are not used.
///
/// # Errors
/// When a `requirements.txt` requires a package that the lock does not have: either may be the older one.
pub(super) fn compare(list: &List, platform: &Platform, notes: &mut Vec<String>) -> Result<(), BuildError> {
    let Some(locked) = list.locked() else { return Ok(()) };
    let directory = tool::around(&list.file);
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let used = name(&list.file);
    let mut unused: Vec<PathBuf> =
        lock::in_directory(&directory).into_iter().filter(|file| *file != list.file).collect();
    let file = directory.join(requirements_txt::FILE);
    if file.is_file() {
        let listed = requirements_txt::listed(&file, &tool::text(&file)?, &directory)?;
        let target = Target::of(platform);
        let needed = listed.conditions.iter().filter(|(_, condition)| target.holds(condition, []) != Some(false));
        let needed = needed.filter_map(|(name, _)| Some((name.clone(), listed.places.get(name)?.clone())));
        lock::refuse_unlocked(&list.file, &locked, &file, &needed.collect::<Vec<_>>())?;
        unused.push(file);
    }
    for file in unused {
        let other = name(&file);
        notes.push(format!("`{other}` is not used, because `{used}` is there; set `dependencies` to it to use it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_counts_before_a_list_and_a_list_before_a_project() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(place.path().join(name), "").unwrap();
        let found = || in_directory(place.path()).map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
        assert_eq!(found(), None);
        for name in ["Pipfile", "pyproject.toml", "requirements.txt", "pylock.toml", "Pipfile.lock", "pdm.lock"] {
            write(name);
            assert_eq!(found().as_deref(), Some(name));
        }
        let file = |name: &str| beside(&place.path().join(name)).file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            ["pyproject.toml", "Pipfile", "requirements.txt"].map(file),
            ["pdm.lock", "Pipfile.lock", "requirements.txt"]
        );
    }
}
