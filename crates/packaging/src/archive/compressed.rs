//! What the last package of a directory was compressed to, so that the next one compresses only what changed.
//!
//! A store is a zip in the cache. Its entries are named by the SHA-256 of their uncompressed content, the level of
//! compression and their mode, and the file is named by the SHA-256 of its own bytes: a damaged store is as good as none.
//! Without any store the package has the same bytes; it only takes longer.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use zip::ZipArchive;
use zip::result::{ZipError, ZipResult};
use zip::write::ZipWriter;

use crate::digest;

/// The directories whose stores are kept, the latest first.
const KEPT: usize = 32;

/// The compressed files of one directory's last package.
#[derive(Default)]
pub(crate) struct Store {
    /// Where it is kept, and how its name starts; `None` if nothing is kept.
    place: Option<(PathBuf, String)>,
    archive: Option<ZipArchive<Cursor<Arc<[u8]>>>>,
    keys: BTreeSet<String>,
}

impl Store {
    /// The store of `directory` in a cache. A store that cannot be read is an empty one.
    pub(crate) fn open(cache: &Path, directory: &Path) -> Store {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let place = cache.join("compressed");
        let prefix = digest::sha256(directory.as_os_str().as_encoded_bytes())[..16].to_owned();
        let bytes = files(&place, &prefix).into_iter().find_map(|file| {
            let bytes = std::fs::read(&file).ok()?;
            (file.file_stem()?.to_str()? == format!("{prefix}-{}", digest::sha256(&bytes))).then_some(bytes)
        });
        let archive = bytes.and_then(|bytes| ZipArchive::new(Cursor::new(bytes.into())).ok());
        let keys = archive.iter().flat_map(|archive| archive.file_names().flatten().map(|name| name.into_owned()));
        Store { keys: keys.collect(), place: Some((place, prefix)), archive }
    }

    /// What a file is called in the store; nothing if no store is kept.
    pub(super) fn key(&self, bytes: &[u8], executable: bool, level: i32) -> String {
        if self.place.is_none() {
            return String::new();
        }
        format!("{}-{level}{}", digest::sha256(bytes), if executable { "-x" } else { "" })
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Copies a compressed file to a zip, where it is called `name`.
    ///
    /// # Errors
    /// When the store does not [have](Store::has) it.
    pub(crate) fn copy(&self, key: &str, name: &str, to: &mut ZipWriter<Cursor<Vec<u8>>>) -> ZipResult<()> {
        let mut archive = self.archive.clone().ok_or(ZipError::FileNotFound)?;
        to.raw_copy_file_rename(archive.by_name(key)?, name)
    }

    /// Replaces the store by the files of a package, given by their names in it and their keys. Saves time only, so it
    /// reports no error.
    pub(crate) fn save(&self, package: &[u8], files: &[(&str, String)]) {
        let Some((place, prefix)) = &self.place else { return };
        let Ok(store) = of_package(package, files) else { return };
        let name = format!("{prefix}-{}.zip", digest::sha256(&store));
        let saved = std::fs::create_dir_all(place).and_then(|()| {
            let mut file = tempfile::NamedTempFile::new_in(place)?;
            file.write_all(&store)?;
            file.persist(place.join(&name)).map_err(|error| error.error)
        });
        if saved.is_ok() {
            remove_old(place, prefix, &name);
        }
    }
}

fn of_package(package: &[u8], files: &[(&str, String)]) -> ZipResult<Vec<u8>> {
    let mut package = ZipArchive::new(Cursor::new(package))?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut written = BTreeSet::new();
    for (name, key) in files {
        if written.insert(key) {
            writer.raw_copy_file_rename(package.by_name(name)?, key)?;
        }
    }
    Ok(writer.finish()?.into_inner())
}

/// Removes the other stores of the same directory, and those of directories that were not packed for long.
fn remove_old(place: &Path, prefix: &str, name: &str) {
    let mut others = Vec::new();
    for file in files(place, "") {
        let is_of_directory =
            file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix));
        if !is_of_directory {
            let time = file.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            others.push((time, file));
        } else if !file.ends_with(name) {
            let _ = std::fs::remove_file(file);
        }
    }
    others.sort();
    others.iter().rev().skip(KEPT - 1).for_each(|(_, file)| drop(std::fs::remove_file(file)));
}

/// The stores whose names start with `prefix`.
fn files(place: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let is_store = |name: &str| name.starts_with(prefix) && name.ends_with(".zip");
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_store)).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{BEST, Entry, Source, pack_again, pack_all};

    fn pack(store: &Store, files: &[(&str, &[u8], bool)]) -> Vec<u8> {
        let entries = files.iter().map(|(name, bytes, executable)| Entry {
            name,
            content: Source::Bytes(bytes),
            executable: *executable,
        });
        let entries: Vec<Entry<'_>> = entries.collect();
        let plain = pack_all(&entries, "it").unwrap();
        assert!(pack_again(&entries, store, "it").unwrap() == plain);
        plain
    }

    #[test]
    fn a_package_has_the_same_bytes_with_and_without_its_store() {
        let cache = tempfile::tempdir().unwrap();
        let open = || Store::open(cache.path(), Path::new("/app"));
        let (large, text) = (vec![7; 1_000_000], "text ".repeat(3000).into_bytes());
        let (empty, edited): (&[u8], &[u8]) = (b"", b"edited");
        assert!(!open().has(&open().key(&large, false, BEST)));
        pack(&open(), &[("a", &large, false), ("b", &text, true), ("ümlaut", &text, true), ("c", empty, false)]);
        let store = open();
        assert_eq!(
            [(&*large, false), (&text, true), (empty, false), (&text, false)]
                .map(|(bytes, x)| store.has(&open().key(bytes, x, BEST))),
            [true, true, true, false]
        );
        // The same content elsewhere, with another mode, and without what was there.
        pack(&store, &[("a", edited, false), ("d/e", &large, false), ("x", &text, false), ("ümlaut", &text, true)]);
        // A store is replaced only when much is new.
        assert!(!open().has(&open().key(edited, false, BEST)));
        pack(&open(), &[("a", &text, false)]);
        assert!(open().has(&open().key(&text, false, BEST)) && !open().has(&open().key(&large, false, BEST)));
        assert!(!Store::open(cache.path(), Path::new("/other")).has(&open().key(&text, false, BEST)));
    }

    #[test]
    fn a_damaged_store_is_not_used() {
        let cache = tempfile::tempdir().unwrap();
        let open = || Store::open(cache.path(), Path::new("/app"));
        let text = "text ".repeat(3000).into_bytes();
        pack(&open(), &[("a", &text, false)]);
        let file = files(&cache.path().join("compressed"), "").pop().unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        // In the compressed content.
        bytes[120] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        assert!(!open().has(&open().key(&text, false, BEST)));
        pack(&open(), &[("a", &text, false)]);
        assert!(open().has(&open().key(&text, false, BEST)));
    }

    #[test]
    fn stores_of_many_directories_do_not_pile_up() {
        let cache = tempfile::tempdir().unwrap();
        for number in 0..KEPT + 5 {
            pack(&Store::open(cache.path(), Path::new(&format!("/app-{number}"))), &[("a", b"text", false)]);
        }
        assert_eq!(files(&cache.path().join("compressed"), "").len(), KEPT);
    }
}
