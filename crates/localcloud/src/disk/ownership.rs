//! Decides which directories belong to the local cloud. The marker is written last when a directory is created, and
//! deleted last, except for the lock, when it is erased.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};

use super::files::{make_directory, remove_tree, write_private};
use super::{key_pair, state};

/// The file that marks a directory as one of the local cloud's.
pub const MARKER: &str = ".lamstream-local-cloud";
/// A file of a data directory that this crate leaves to the program around it, as a lock for starting, stopping and
/// erasing clouds there; [`erase`] deletes it last.
pub const LOCK: &str = ".lamstream-local-cloud.lock";

/// The directories of code, its files, logs, layers, Python's compiled modules, instances, objects, and of the places where
/// functions see their code.
pub(crate) const DIRECTORIES: [&str; 8] = ["code", "files", "logs", "opt", "pycache", "run", "s3", "task"];

/// The files that this crate, or the program around it, keeps in a data directory, except for the marker and the key
/// pair.
const FILES: [&str; 10] = [
    LOCK,
    "lock",
    "daemon.lock",
    "daemon.json",
    "daemon.json.new",
    "daemon.error",
    "daemon.log",
    "cloud.log",
    state::FILE,
    state::DRAFT,
];

/// The owner of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    Absent,
    Empty,
    /// A data directory of a local cloud, perhaps one whose creation or deletion was interrupted.
    Ours,
    Foreign,
}

/// Determines the owner of a directory.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn ownership(data: &Path) -> std::io::Result<Ownership> {
    if data.join(MARKER).is_file() {
        return Ok(Ownership::Ours);
    }
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ownership::Absent),
        entries => entries?,
    };
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let names: Option<Vec<String>> = entries.iter().map(|entry| entry.file_name().into_string().ok()).collect();
    Ok(match names {
        Some(names) if names.is_empty() => Ownership::Empty,
        Some(names) if is_unfinished(data, &names) => Ownership::Ours,
        // The marker, which is written last, may have been created since the check above.
        _ if data.join(MARKER).is_file() => Ownership::Ours,
        _ => Ownership::Foreign,
    })
}

/// Whether a directory without the marker is one whose creation or deletion was interrupted: all of its names are the
/// local cloud's, and at least one of its entries is something that only the local cloud creates. Other programs have
/// directories named `code`, too.
fn is_unfinished(data: &Path, names: &[String]) -> bool {
    let is_directory = |name: &str| DIRECTORIES.contains(&name) && data.join(name).is_dir();
    let known = |name: &String| {
        FILES.contains(&name.as_str()) || name == key_pair::FILE || key_pair::is_draft(name) || is_directory(name)
    };
    let is_empty_file =
        |name: &str| fs::symlink_metadata(data.join(name)).is_ok_and(|file| file.is_file() && file.len() == 0);
    let nothing_in =
        |name: &String| !is_directory(name) || fs::read_dir(data.join(name)).is_ok_and(|mut all| all.next().is_none());
    names.iter().all(known)
        && (names.iter().any(|name| name == LOCK || key_pair::is_draft(name))
            || key_pair::read(data).is_ok_and(|pair| pair.access_key_id.starts_with(key_pair::PREFIX))
            || fs::read(data.join(state::FILE)).is_ok_and(|text| state::is_state(&text))
            || ["lock", "daemon.lock"].into_iter().any(is_empty_file) && names.iter().all(nothing_in))
}

/// Creates a directory that only its owner can read, or takes one that is empty or the local cloud's.
///
/// # Errors
/// If it cannot be created, or holds something else: taking it would let `erase` delete that.
pub(crate) fn prepare(data: &Path) -> anyhow::Result<()> {
    loop {
        make_directory(data).with_context(|| format!("cannot create `{}`", data.display()))?;
        let ownership = ownership(data).with_context(|| format!("cannot read `{}`", data.display()))?;
        if ownership == Ownership::Foreign {
            bail!("`{}` is neither empty nor a data directory of the local cloud", data.display());
        }
        match fs::set_permissions(data, Permissions::from_mode(0o700)) {
            // Another process has deleted it in the meantime.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => return done.with_context(|| format!("cannot use `{}`", data.display())),
        }
    }
}

/// Marks a complete data directory as the local cloud's.
///
/// # Errors
/// If the marker cannot be written.
pub(crate) fn mark(data: &Path) -> anyhow::Result<()> {
    if data.join(MARKER).is_file() {
        return Ok(());
    }
    write_private(&data.join(MARKER), b"a data directory of the local cloud; `reset` deletes it\n")
}

/// Deletes a data directory. If this is interrupted, what is left is still recognised as a data directory: by its
/// marker, or by its lock once the marker is gone. It is then as good as new, since its state is deleted first.
///
/// # Errors
/// If it is not the local cloud's, or something in it cannot be deleted.
pub(crate) fn erase(data: &Path) -> anyhow::Result<()> {
    match ownership(data).with_context(|| format!("cannot read `{}`", data.display()))? {
        Ownership::Absent | Ownership::Empty => return Ok(()),
        Ownership::Ours => {}
        Ownership::Foreign => {
            bail!("`{}` is not a local cloud's directory: nothing was deleted", data.display())
        }
    }
    let entries = fs::read_dir(data).with_context(|| format!("cannot read `{}`", data.display()))?;
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()?;
    let order =
        |name: &std::ffi::OsString| [state::FILE, "", MARKER, LOCK].iter().position(|known| name == known).unwrap_or(1);
    names.sort_by_key(order);
    for name in names {
        let path = data.join(name);
        remove_tree(&path).with_context(|| format!("cannot delete `{}`", path.display()))?;
    }
    // A directory that is a mount point, a symbolic link, or in use again cannot be removed, which is fine.
    let _ = fs::remove_dir(data);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(entries: &[(&str, &str)]) -> tempfile::TempDir {
        let outer = tempfile::tempdir().expect("a directory");
        for (name, content) in entries {
            let path = outer.path().join(name);
            match name.strip_suffix('/') {
                Some(_) => fs::create_dir_all(path),
                None => fs::create_dir_all(path.parent().expect("a parent")).and_then(|()| fs::write(&path, content)),
            }
            .expect("an entry");
        }
        outer
    }

    const PAIR: &str = r#"{"access_key_id":"LOCLX","secret_access_key":"s"}"#;
    const NO_STATE: &str = r#"{"roles":{},"regions":{}}"#;
    const DRAFT: &str = "credentials.8f0e2d53-7f0b-4c0a-9a52-6a8f5b0c3d11.tmp";

    #[test]
    fn half_of_a_data_directory_is_ours() {
        for entries in [
            &[(MARKER, "")][..],
            &[(LOCK, "")],
            &[(LOCK, "12\n"), ("code/", ""), ("logs/us%2Deast%2D1/x", "y")],
            &[(DRAFT, "")],
            &[(key_pair::FILE, PAIR), ("daemon.log", "x"), ("code/a/bootstrap", "x")],
            &[(state::FILE, NO_STATE), ("run/", "")],
            &[("daemon.lock", "")],
            &[("daemon.lock", ""), ("daemon.log", "x")],
            &[("lock", ""), ("code/", ""), ("logs/", ""), ("opt/", "")],
            &[(MARKER, ""), ("anything", "x")],
        ] {
            let outer = directory(entries);
            assert_eq!(ownership(outer.path()).expect("readable"), Ownership::Ours, "{entries:?}");
            prepare(outer.path()).expect("usable");
            erase(outer.path()).expect("erased");
            assert!(!outer.path().exists(), "{entries:?}");
        }
    }

    #[test]
    fn what_others_have_is_not_ours() {
        for entries in [
            &[("code/", "")][..],
            &[("code/main.rs", "x"), ("logs/a", "x")],
            &[("lock", ""), ("code/main.rs", "x")],
            &[("lock", "x")],
            &[(LOCK, ""), ("thesis.txt", "x")],
            &[(key_pair::FILE, PAIR), ("thesis.txt", "x")],
            &[(key_pair::FILE, "{}")],
            &[(state::FILE, "{}"), ("code/", "")],
            &[("credentials.old.tmp", "")],
            &[("daemon.log", "x")],
        ] {
            let outer = directory(entries);
            assert_eq!(ownership(outer.path()).expect("readable"), Ownership::Foreign, "{entries:?}");
            prepare(outer.path()).expect_err("refused");
            erase(outer.path()).expect_err("refused");
            for (name, _) in entries {
                assert!(outer.path().join(name).exists(), "{name}");
            }
        }
        assert_eq!(ownership(directory(&[]).path()).expect("readable"), Ownership::Empty);
    }
}
