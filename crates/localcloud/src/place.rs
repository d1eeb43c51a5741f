//! Which directories are ours: made step by step with the marker last, deleted with the marker last but the lock.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};

use crate::disk::{make_directory, remove_tree, write_private};
use crate::world::World;
use crate::{LOCK, MARKER};

/// The file with the key pair.
pub(crate) const KEY_PAIR: &str = "credentials.json";
/// The file with all that exists.
pub(crate) const STATE: &str = "state.json";
/// What holds code, logs, layers, the places of instances, and objects.
pub(crate) const DIRECTORIES: [&str; 5] = ["code", "logs", "opt", "run", "s3"];

/// Files that this cloud, or the program around it, keeps in a data directory, beside the marker and the key pair.
const FILES: [&str; 9] =
    [LOCK, "lock", "daemon.lock", "daemon.json", "daemon.json.new", "daemon.log", "cloud.log", STATE, "state.json.tmp"];

/// What a path is to this cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Absent,
    Empty,
    /// A data directory, perhaps one that is half made or half deleted.
    Ours,
    Foreign,
}

/// Looks at a directory.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn standing(data: &Path) -> std::io::Result<Standing> {
    if data.join(MARKER).is_file() {
        return Ok(Standing::Ours);
    }
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::Absent),
        entries => entries?,
    };
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let names: Option<Vec<String>> = entries.iter().map(|entry| entry.file_name().into_string().ok()).collect();
    Ok(match names {
        Some(names) if names.is_empty() => Standing::Empty,
        Some(names) if is_unfinished(data, &names) => Standing::Ours,
        // It may have got its marker, which comes last, since it was looked for.
        _ if data.join(MARKER).is_file() => Standing::Ours,
        _ => Standing::Foreign,
    })
}

/// Whether a directory without the marker is one that was not made or not deleted to the end: it has no name that is
/// not ours, and something that only we make. Others have directories named `code`, too.
fn is_unfinished(data: &Path, names: &[String]) -> bool {
    let is_directory = |name: &str| DIRECTORIES.contains(&name) && data.join(name).is_dir();
    let known = |name: &String| {
        FILES.contains(&name.as_str()) || name == KEY_PAIR || is_key_pair_draft(name) || is_directory(name)
    };
    let is_empty_file =
        |name: &str| fs::symlink_metadata(data.join(name)).is_ok_and(|file| file.is_file() && file.len() == 0);
    let nothing_in =
        |name: &String| !is_directory(name) || fs::read_dir(data.join(name)).is_ok_and(|mut all| all.next().is_none());
    names.iter().all(known)
        && (names.iter().any(|name| name == LOCK || is_key_pair_draft(name))
            || crate::data::read_key_pair(data).is_ok_and(|pair| pair.access_key_id.starts_with("LOCL"))
            || fs::read(data.join(STATE)).is_ok_and(|text| serde_json::from_slice::<World>(&text).is_ok())
            || ["lock", "daemon.lock"].into_iter().any(is_empty_file) && names.iter().all(nothing_in))
}

fn is_key_pair_draft(name: &str) -> bool {
    let id = name.strip_prefix("credentials.").and_then(|rest| rest.strip_suffix(".tmp"));
    id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
}

/// Makes a directory that nobody else can read, or takes one that is empty or ours.
///
/// # Errors
/// When it cannot be made, or holds something else: taking it would let `erase` delete that.
pub(crate) fn prepare(data: &Path) -> anyhow::Result<()> {
    loop {
        make_directory(data).with_context(|| format!("cannot create `{}`", data.display()))?;
        let standing = standing(data).with_context(|| format!("cannot read `{}`", data.display()))?;
        if standing == Standing::Foreign {
            bail!("`{}` is neither empty nor a data directory of the local cloud", data.display());
        }
        match fs::set_permissions(data, Permissions::from_mode(0o700)) {
            // Another process was just deleting it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => return done.with_context(|| format!("cannot use `{}`", data.display())),
        }
    }
}

/// Marks a directory as ours, once it is one.
///
/// # Errors
/// When the marker cannot be written.
pub(crate) fn mark(data: &Path) -> anyhow::Result<()> {
    if data.join(MARKER).is_file() {
        return Ok(());
    }
    write_private(&data.join(MARKER), b"a data directory of the local cloud; `reset` deletes it\n")
}

/// Deletes a data directory. Wherever this is cut off, what is left is a data directory: without its state it is as
/// good as new, and it is known by its marker, then by its lock.
///
/// # Errors
/// When it is not ours, or something in it cannot be deleted.
pub(crate) fn erase(data: &Path) -> anyhow::Result<()> {
    match standing(data).with_context(|| format!("cannot read `{}`", data.display()))? {
        Standing::Absent | Standing::Empty => return Ok(()),
        Standing::Ours => {}
        Standing::Foreign => {
            bail!("`{}` is not a local cloud's directory: nothing was deleted", data.display())
        }
    }
    let entries = fs::read_dir(data).with_context(|| format!("cannot read `{}`", data.display()))?;
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()?;
    let order =
        |name: &std::ffi::OsString| [STATE, "", MARKER, LOCK].iter().position(|known| name == known).unwrap_or(1);
    names.sort_by_key(order);
    for name in names {
        let path = data.join(name);
        remove_tree(&path).with_context(|| format!("cannot delete `{}`", path.display()))?;
    }
    // A directory that is a mount point, a link, or in use again stays behind, empty or in use.
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
            &[(KEY_PAIR, PAIR), ("daemon.log", "x"), ("code/a/bootstrap", "x")],
            &[(STATE, NO_STATE), ("run/", "")],
            &[("daemon.lock", "")],
            &[("daemon.lock", ""), ("daemon.log", "x")],
            &[("lock", ""), ("code/", ""), ("logs/", ""), ("opt/", "")],
            &[(MARKER, ""), ("anything", "x")],
        ] {
            let outer = directory(entries);
            assert_eq!(standing(outer.path()).expect("readable"), Standing::Ours, "{entries:?}");
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
            &[(KEY_PAIR, PAIR), ("thesis.txt", "x")],
            &[(KEY_PAIR, "{}")],
            &[(STATE, "{}"), ("code/", "")],
            &[("credentials.old.tmp", "")],
            &[("daemon.log", "x")],
        ] {
            let outer = directory(entries);
            assert_eq!(standing(outer.path()).expect("readable"), Standing::Foreign, "{entries:?}");
            prepare(outer.path()).expect_err("refused");
            erase(outer.path()).expect_err("refused");
            for (name, _) in entries {
                assert!(outer.path().join(name).exists(), "{name}");
            }
        }
        assert_eq!(standing(directory(&[]).path()).expect("readable"), Standing::Empty);
    }
}
