//! The files of unpacked code, by their content: what versions have in common is on the disk once, and only what is new
//! is unpacked.
//!
//! Files of different content never have the same time of modification, and the same file keeps its own. So programs that
//! cache by size and time, such as Python with its compiled modules, never take one version's file for another's.

use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime};

use super::files::{draft_in, replace};
use crate::random;
use crate::sync::lock;

/// The earliest time of modification: 1 January 1980, which files have on Lambda, in seconds since 1970.
const EARLIEST: u64 = 315_532_800;
/// The first time is up to 17 years later. It is random, since files from before the reservations were lost may be left.
const FIRST: u64 = 1 << 29;
/// How many times are reserved on disk at once.
const RESERVED: u64 = 4096;
/// The file with the first time that is not reserved. It is not the name of a content.
const NEXT: &str = "next";

/// The files of all code.
#[derive(Debug)]
pub(crate) struct Contents {
    root: PathBuf,
    /// Whether versions share files, which is safe only if no function can write to its code.
    shared: AtomicBool,
    times: Mutex<Option<Times>>,
    /// Held for reading while files are linked, so that none is removed between its creation and its first link.
    linking: RwLock<()>,
}

/// The times of modification that no file has yet, in seconds since 1970.
#[derive(Debug)]
struct Times {
    next: u64,
    /// The first one that may be in use after a restart.
    reserved: u64,
}

/// Keeps files from being removed.
pub(crate) struct Linking<'a> {
    contents: &'a Contents,
    _guard: RwLockReadGuard<'a, ()>,
}

impl Contents {
    /// Versions do not share files until [`Contents::share`].
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, shared: AtomicBool::new(false), times: Mutex::default(), linking: RwLock::default() }
    }

    /// From now on, versions share files: no function can write to its code.
    pub(crate) fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }

    pub(crate) fn link(&self) -> Linking<'_> {
        let guard = self.linking.read().unwrap_or_else(PoisonError::into_inner);
        Linking { contents: self, _guard: guard }
    }

    /// Removes the files that no code has any more. What cannot be removed is tried again the next time.
    pub(crate) fn remove_unused(&self) {
        let Ok(_alone) = self.linking.try_write() else { return };
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let is_unused = |found: Metadata| found.is_file() && found.nlink() == 1;
            if entry.file_name() != NEXT && entry.metadata().is_ok_and(is_unused) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn read_next(&self) -> Option<u64> {
        fs::read_to_string(self.root.join(NEXT)).ok()?.trim().parse().ok()
    }

    /// A time of modification that no other file has.
    fn new_time(&self) -> anyhow::Result<SystemTime> {
        let mut times = lock(&self.times);
        let times = times.get_or_insert_with(|| {
            let next = self.read_next().unwrap_or_else(|| EARLIEST + random::number(0..FIRST));
            Times { next, reserved: next }
        });
        if times.next >= times.reserved {
            let reserved = times.next + RESERVED;
            replace(&self.root.join(NEXT), &draft_in(&self.root), reserved.to_string().as_bytes())?;
            times.reserved = reserved;
        }
        times.next += 1;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(times.next - 1))
    }
}

impl Linking<'_> {
    /// The directory of the files that versions share, if they do.
    fn shared(&self) -> Option<&Path> {
        self.contents.shared.load(Ordering::Relaxed).then_some(&self.contents.root)
    }

    /// Links the file of a content to a path, and returns its size; `None` if the content is new, or cannot be linked.
    pub(crate) fn place(&self, content: &str, path: &Path) -> Option<u64> {
        let known = self.shared()?.join(content);
        fs::hard_link(&known, path).ok()?;
        known.symlink_metadata().ok().map(|found| found.len())
    }

    /// Creates a file at a path with what `write` writes, and with a time of modification of its own. It is the file of
    /// this content from now on, if links are possible.
    ///
    /// # Errors
    /// Those of `write`, and of the disk.
    pub(crate) fn add<T, E: From<AddError>>(
        &self,
        content: &str,
        (path, mode): (&Path, u32),
        write: impl FnOnce(&mut File) -> Result<T, E>,
    ) -> Result<T, E> {
        let created = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        let mut file = created.map_err(AddError::Uncreated)?;
        let written = write(&mut file)?;
        let timed = self.contents.new_time().map_err(AddError::Unwritten)?;
        file.flush().and_then(|()| file.set_times(FileTimes::new().set_modified(timed))).map_err(|error| {
            AddError::Unwritten(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())))
        })?;
        let Some(known) = self.shared().map(|root| root.join(content)) else { return Ok(written) };
        // Another upload may have been faster: then its file is this content's. Without links, every version has files of
        // its own.
        if fs::hard_link(path, &known).is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
            let draft = draft_in(path.parent().unwrap_or(path));
            if fs::hard_link(&known, &draft).is_ok() {
                fs::rename(&draft, path).map_err(AddError::Uncreated)?;
            }
        }
        Ok(written)
    }
}

/// Why a file could not be added.
pub(crate) enum AddError {
    /// It could not be created, perhaps because of its name.
    Uncreated(io::Error),
    Unwritten(anyhow::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn contents(&self) -> Contents {
            let root = self.0.path().join("files");
            fs::create_dir_all(&root).expect("a directory");
            Contents::new(root)
        }

        /// Places a file of this content, and returns its inode, its time of modification, and its text.
        fn put(&self, contents: &Contents, name: &str, content: &str) -> (u64, i64, String) {
            let (path, linking) = (self.0.path().join(name), contents.link());
            if linking.place(content, &path).is_none() {
                let write = |file: &mut File| file.write_all(content.as_bytes()).map_err(AddError::Uncreated);
                assert!(linking.add(content, (&path, 0o444), write).is_ok(), "{name}");
            }
            let found = path.metadata().expect("the file");
            (found.ino(), found.mtime(), fs::read_to_string(path).expect("a text"))
        }
    }

    #[test]
    fn a_content_is_one_file_and_no_other_content_has_its_time() {
        let place = Place(tempfile::tempdir().expect("a directory"));
        let contents = place.contents();
        contents.share();
        let (one, again, other) =
            (place.put(&contents, "a", "one"), place.put(&contents, "b", "one"), place.put(&contents, "c", "two"));
        assert_eq!(one, again);
        assert!(one.0 != other.0 && one.1 != other.1 && other.2 == "two", "{one:?} {other:?}");
        // What is gone from the disk may still be known to a cache, before and after a restart.
        for name in ["a", "b", "c"] {
            fs::remove_file(place.0.path().join(name)).expect("it goes");
        }
        contents.remove_unused();
        assert_eq!(fs::read_dir(place.0.path().join("files")).expect("names").count(), 1);
        let later = place.put(&contents, "a", "six");
        let restarted = place.contents();
        restarted.share();
        let last = place.put(&restarted, "d", "ten");
        let times = [one.1, other.1, later.1, last.1];
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        restarted.remove_unused();
        assert_eq!(place.put(&restarted, "e", "ten"), last);
    }

    #[test]
    fn functions_that_can_write_to_their_code_share_no_file() {
        let place = Place(tempfile::tempdir().expect("a directory"));
        let contents = place.contents();
        let (one, again) = (place.put(&contents, "a", "one"), place.put(&contents, "b", "one"));
        assert!(one.0 != again.0 && one.1 != again.1, "{one:?} {again:?}");
    }
}
