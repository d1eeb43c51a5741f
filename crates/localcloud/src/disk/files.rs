//! Files that are written completely or not at all, and directory trees that are deleted whatever their modes are.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::random;

/// The suffix of drafts, and of what is being deleted.
pub(crate) const DRAFT: &str = ".tmp";

/// A path in a directory for something that is not complete yet.
pub(crate) fn draft_in(directory: &Path) -> PathBuf {
    directory.join(format!("{}{DRAFT}", random::uuid()))
}

/// Creates a directory, and those above it, for its owner alone.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a new file that only its owner may read, and syncs it to disk. A file that cannot be written completely is
/// removed.
///
/// # Errors
/// Those of the disk, with the file's path.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| {
        let _ = fs::remove_file(path);
        format!("cannot write `{}`", path.display())
    })
}

/// Replaces a file by another one, or leaves it as it is.
///
/// # Errors
/// Those of the disk, with the file's path.
pub(crate) fn replace(path: &Path, draft: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_private(draft, bytes)?;
    fs::rename(draft, path).with_context(|| {
        let _ = fs::remove_file(draft);
        format!("cannot write `{}`", path.display())
    })
}

/// Deletes a file, or a directory with everything in it. Functions may create directories that even their owner cannot
/// write to; but the owner can change the modes.
///
/// # Errors
/// Those of the disk. It is not an error if the path does not exist.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let remove = || match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    let removed = match remove() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            make_writable(path)?;
            remove()
        }
        removed => removed,
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Whether what a path really is, with all links followed, is one of these directories or in it.
pub(crate) fn leads_into(path: &Path, directories: &[&Path]) -> bool {
    let Ok(real) = path.canonicalize() else { return false };
    directories.iter().any(|directory| directory.canonicalize().is_ok_and(|directory| real.starts_with(directory)))
}

/// Makes every directory of a tree writable for its owner. Symbolic links are not followed.
fn make_writable(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(found.permissions().mode() & 0o7777 | 0o700))?;
    for entry in fs::read_dir(path)? {
        match make_writable(&entry?.path()) {
            // Another thread or process is deleting here as well.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

/// Whether an error is the disk's fault, and not that of the file's name.
pub(crate) fn is_disk_error(error: &io::Error) -> bool {
    let by_the_name = [
        ErrorKind::AlreadyExists,
        ErrorKind::NotADirectory,
        ErrorKind::IsADirectory,
        ErrorKind::InvalidInput,
        ErrorKind::InvalidFilename,
    ];
    !by_the_name.contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_goes_whatever_its_modes_are() {
        let outer = tempfile::tempdir().expect("a directory");
        let (root, kept) = (outer.path().join("root"), outer.path().join("kept"));
        fs::create_dir_all(root.join("a/b/c")).expect("directories");
        fs::create_dir(&kept).expect("a directory");
        fs::write(root.join("a/b/c/file"), "x").expect("a file");
        std::os::unix::fs::symlink(&kept, root.join("a/link")).expect("a link");
        for (path, mode) in [(&kept, 0o555), (&root.join("a/b/c"), 0o555), (&root.join("a/b"), 0), (&root, 0o555)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
        }
        remove_tree(&root).expect("removed");
        assert!(!root.exists());
        assert_eq!(fs::metadata(&kept).expect("what a link leads to").permissions().mode() & 0o777, 0o555);
        remove_tree(&root).expect("what is gone already");
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_as_it_is() {
        let outer = tempfile::tempdir().expect("a directory");
        let (path, draft) = (outer.path().join("file"), outer.path().join("draft"));
        replace(&path, &draft, b"old").expect("written");
        std::os::unix::fs::symlink("/dev/full", &draft).expect("a link");
        let error = replace(&path, &draft, b"new").expect_err("a full disk");
        assert!(format!("{error:#}").contains("draft`"), "{error:#}");
        assert_eq!(fs::read(&path).expect("the file"), b"old");
        assert!(!draft.is_symlink());
    }
}
