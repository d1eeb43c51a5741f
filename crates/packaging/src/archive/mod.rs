//! Zips: written deterministically, and read without trusting them.

mod compressed;
mod deflated;
mod parallel;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use zip::read::ZipArchive;
use zip::result::{ZipError, ZipResult};
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{DateTime, System};

use crate::error::BuildError;
pub(crate) use compressed::Store;
use deflated::Deflated;
use parallel::in_order;

/// How messages name a package that is made here.
const BINARY: &str = "the binary";

/// The file at the zip's root that Lambda runs.
const BOOTSTRAP: &str = "bootstrap";

/// The most bytes that a zip may unpack to.
const UNZIPPED_LIMIT: u64 = 262_144_000;

/// Lambda's user does not own the files, so it needs the permissions of others.
const OTHERS_READ_AND_EXECUTE: u32 = 0o005;

/// Less than a second for 10 MB. The levels above it save another 0.1 % and take half as long again.
const BEST: i32 = 10;
/// For packages of more than [`LARGE`] bytes.
const QUICK: i32 = 6;
/// For what is neither uploaded nor kept.
const QUICKEST: i32 = 1;
const LARGE: u64 = 20_000_000;

/// One file of a package.
pub(crate) struct Entry<'a> {
    /// With `/` between its parts.
    pub name: &'a str,
    pub content: Source<'a>,
    pub executable: bool,
}

/// Where a file's content comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Bytes(&'a [u8]),
    At(&'a Path),
    /// A link with this text.
    Link(&'a str),
}

/// Zips a bootstrap. Equal bytes in, equal bytes out, whatever the time, place and platform. One that is `is_quick` is for
/// this machine only.
pub(crate) fn pack(bootstrap: &[u8], is_quick: bool) -> Result<Vec<u8>, BuildError> {
    check_unzipped(bootstrap.len() as u64, BINARY)?;
    let level = if is_quick { QUICKEST } else { BEST };
    let entry = Entry { name: BOOTSTRAP, content: Source::Bytes(bootstrap), executable: true };
    write_with(&[entry], level, &Store::default(), BINARY, |_, _| {})
}

/// Refuses files that are too large for Lambda to unpack, by their names and sizes.
pub(crate) fn check_sizes(sizes: &[(&str, u64)], subject: &str) -> Result<(), BuildError> {
    let total = sizes.iter().map(|(_, size)| size).sum();
    check_unzipped(total, subject).map_err(|error| error.hint(largest(sizes)))
}

/// Zips files in the given order, each with its name, its content and whether it is executable, and without any other
/// metadata. Messages call their origin `subject`.
pub(crate) fn pack_all(entries: &[Entry<'_>], subject: &str) -> Result<Vec<u8>, BuildError> {
    write_with(entries, level(entries), &Store::default(), subject, |_, _| {})
}

/// The same bytes, sooner: what `store` has is not compressed again. The store is replaced when much of the package is new.
pub(crate) fn pack_again(entries: &[Entry<'_>], store: &Store, subject: &str) -> Result<Vec<u8>, BuildError> {
    let mut files = Vec::new();
    let (mut new, mut all) = (0, 0);
    let zip = write_with(entries, level(entries), store, subject, |entry, file| {
        all += file.size;
        new += if file.is_new() { file.size } else { 0 };
        files.push((entry.name, file.key.clone()));
    })?;
    if new * 10 > all {
        store.save(&zip, &files);
    }
    Ok(zip)
}

/// The level at which files are compressed, by their size alone, so that it is the same everywhere.
fn level(entries: &[Entry<'_>]) -> i32 {
    let size = |entry: &Entry<'_>| match entry.content {
        Source::Bytes(bytes) => bytes.len() as u64,
        Source::At(path) => path.metadata().map_or(0, |file| file.len()),
        Source::Link(_) => 0,
    };
    if entries.iter().map(size).sum::<u64>() > LARGE { QUICK } else { BEST }
}

/// A file, ready for a zip.
struct Packed {
    /// In bytes, before compression.
    size: u64,
    /// What a store calls it.
    key: String,
    /// `None` if the store has it.
    compressed: Option<Deflated>,
}

impl Packed {
    fn is_new(&self) -> bool {
        self.compressed.is_some()
    }
}

/// `each` sees the files in order.
fn write_with<'e>(
    entries: &'e [Entry<'e>],
    level: i32,
    store: &Store,
    subject: &str,
    mut each: impl FnMut(&'e Entry<'e>, &Packed),
) -> Result<Vec<u8>, BuildError> {
    let failed = |error: ZipError| BuildError::new(format!("cannot zip {subject}")).because(error);
    let options = SimpleFileOptions::default().last_modified_time(DateTime::DEFAULT).system(System::Unix);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let add = |entry: &'e Entry<'e>, packed: Result<Option<Packed>, BuildError>| {
        let Some(file) = packed? else {
            let Source::Link(text) = entry.content else { return Ok(()) };
            return writer.add_symlink(entry.name, text, options).map_err(failed);
        };
        each(entry, &file);
        match file.compressed {
            Some(compressed) => compressed.copy(entry.name, &mut writer),
            None => store.copy(&file.key, entry.name, &mut writer),
        }
        .map_err(failed)
    };
    in_order(entries, |entry| compress(entry, level, store, subject), add)?;
    Ok(writer.finish().map_err(failed)?.into_inner())
}

/// `None` for a link, which is not compressed.
fn compress(entry: &Entry<'_>, level: i32, store: &Store, subject: &str) -> Result<Option<Packed>, BuildError> {
    let read;
    let bytes = match entry.content {
        Source::Link(_) => return Ok(None),
        Source::Bytes(bytes) => bytes,
        Source::At(path) => {
            let unreadable = |error| BuildError::new(format!("cannot read `{}`", path.display())).because(error);
            read = std::fs::read(path).map_err(unreadable)?;
            &read
        }
    };
    let (size, key) = (bytes.len() as u64, store.key(bytes, entry.executable, level));
    if store.has(&key) {
        return Ok(Some(Packed { size, key, compressed: None }));
    }
    let mode = if entry.executable { 0o100_755 } else { 0o100_644 };
    let compressed = Deflated::new(bytes, mode, level)
        .map_err(|error| BuildError::new(format!("cannot zip {subject}")).because(error))?;
    Ok(Some(Packed { size, key, compressed: Some(compressed) }))
}

/// The largest parts of a package, by the first part of their names.
fn largest(files: &[(&str, u64)]) -> String {
    let mut sizes = BTreeMap::<&str, u64>::new();
    for (name, size) in files {
        *sizes.entry(name.split('/').next().unwrap_or_default()).or_default() += size;
    }
    let mut sizes: Vec<(&str, u64)> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let named: Vec<String> =
        sizes.iter().take(5).map(|(name, size)| format!("`{name}` {} MB", size.div_ceil(1_000_000))).collect();
    format!("its largest parts: {}", named.join(", "))
}

/// Refuses what is not a zip, and what Lambda could not unpack. Messages call it `subject`.
pub(crate) fn check(zip: &[u8], subject: &str) -> Result<(), BuildError> {
    opened(zip, subject).map(drop)
}

fn opened<'z>(zip: &'z [u8], subject: &str) -> Result<ZipArchive<Cursor<&'z [u8]>>, BuildError> {
    let mut archive = ZipArchive::new(Cursor::new(zip))
        .map_err(|error| BuildError::new(format!("cannot use {subject}: it is not a zip file")).because(error))?;
    let unreadable = |error: ZipError| BuildError::new(format!("cannot unpack {subject}")).because(error);
    check_unzipped(unzipped(&mut archive).map_err(unreadable)?, subject)?;
    Ok(archive)
}

/// The file `started` of a zip that was made elsewhere, if Lambda could unpack and start it. Messages call the zip
/// `subject`.
pub(crate) fn unpack(zip: &[u8], started: Option<&str>, subject: &str) -> Result<Option<Vec<u8>>, BuildError> {
    let unreadable = |error: ZipError| BuildError::new(format!("cannot unpack {subject}")).because(error);
    let mut archive = opened(zip, subject)?;
    let Some(started) = started else { return Ok(None) };
    let Some(index) = archive.index_for_name(started) else {
        return Err(without(started, &archive, subject));
    };
    let entry = archive.by_index(index).map_err(unreadable)?;
    if !entry.is_file() {
        return Err(BuildError::new(format!("cannot use {subject}: its `{started}` is not a regular file")));
    }
    let mode = entry.unix_mode().unwrap_or(0);
    if mode & OTHERS_READ_AND_EXECUTE != OTHERS_READ_AND_EXECUTE {
        return Err(BuildError::new(format!(
            "cannot use {subject}: Lambda cannot execute its `{started}`, which has mode `{:04o}`",
            mode & 0o7777
        ))
        .hint(format!("run `chmod 755 {started}`, then zip it again with a tool that keeps file modes")));
    }
    // The size in the zip's directory may be wrong, so the inflated bytes are counted.
    let mut bytes = Vec::new();
    entry.take(UNZIPPED_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.into()))?;
    check_unzipped(bytes.len() as u64, subject)?;
    Ok(Some(bytes))
}

/// The names of the files in a zip that was made elsewhere.
pub(crate) fn names(zip: &[u8]) -> Vec<String> {
    let archive = ZipArchive::new(Cursor::new(zip));
    archive.map(|archive| archive.file_names().flatten().map(|name| name.into_owned()).collect()).unwrap_or_default()
}

fn unzipped(archive: &mut ZipArchive<Cursor<&[u8]>>) -> ZipResult<u64> {
    let mut total = 0u64;
    for index in 0..archive.len() {
        total = total.saturating_add(archive.by_index_raw(index)?.size());
    }
    Ok(total)
}

fn without(started: &str, archive: &ZipArchive<Cursor<&[u8]>>, subject: &str) -> BuildError {
    let error =
        BuildError::new(format!("cannot use {subject}: it has no `{started}` at its root")).at(&["run", "package"]);
    match archive.file_names().flatten().find(|name| name.ends_with(&format!("/{started}"))) {
        Some(deeper) => error.hint(format!("it has `{deeper}`: zip it from inside its directory")),
        None if started == BOOTSTRAP => error.hint("name the executable `bootstrap`"),
        None => error.hint(format!("add `{started}`, which starts the app; `lamstream build` makes such a package")),
    }
}

fn check_unzipped(size: u64, subject: &str) -> Result<(), BuildError> {
    if size <= UNZIPPED_LIMIT {
        return Ok(());
    }
    Err(BuildError::new(format!(
        "cannot use {subject}: it unpacks to {size} bytes, but Lambda's limit is {UNZIPPED_LIMIT}"
    ))
    .hint("exclude what it does not need, and strip debug information from binaries"))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use std::io::Write;

    fn zip(name: &str, mode: u32) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        writer.write_all(b"#!/bin/sh\n").unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn unpack_bootstrap(zip: &[u8]) -> Result<Vec<u8>, BuildError> {
        unpack(zip, Some(BOOTSTRAP), "the package").map(Option::unwrap_or_default)
    }

    fn refused(zip: &[u8]) -> BuildError {
        unpack_bootstrap(zip).unwrap_err()
    }

    /// Bytes that compress a little, like code, without keeping a file.
    fn sample() -> Vec<u8> {
        let mut state = 1u32;
        (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 28) as u8
            })
            .collect()
    }

    #[test]
    fn the_zip_never_changes() {
        let packed = pack(&sample(), false).unwrap();
        let digest = hex::encode(Sha256::digest(&packed));
        assert_eq!(digest, "cf0cf96f640ccab23f70c4d983e6634bc3628284d08b1710358d283931580133");
    }

    #[test]
    fn a_tree_has_the_bytes_that_one_processor_would_write() {
        let sample = sample();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().last_modified_time(DateTime::DEFAULT).system(System::Unix);
        let names: Vec<String> = (0..200).map(|number| format!("file-{number:03}")).collect();
        let entries = names.iter().enumerate().map(|(number, name)| {
            let content = &sample[number * 31..sample.len() - number * 900];
            let (content, executable) = if number % 7 == 3 {
                (Source::Link("file-000"), false)
            } else {
                (Source::Bytes(content), number % 2 == 0)
            };
            Entry { name, content, executable }
        });
        let entries: Vec<Entry<'_>> = entries.collect();
        for entry in &entries {
            match entry.content {
                Source::Link(text) => writer.add_symlink(entry.name, text, options).unwrap(),
                Source::Bytes(bytes) => {
                    let mode = if entry.executable { 0o100_755 } else { 0o100_644 };
                    Deflated::new(bytes, mode, BEST).unwrap().copy(entry.name, &mut writer).unwrap();
                }
                Source::At(_) => unreachable!(),
            }
        }
        assert!(pack_all(&entries, "it").unwrap() == writer.finish().unwrap().into_inner());
    }

    #[test]
    fn what_is_packed_can_be_unpacked_and_lambda_may_run_it() {
        let packed = pack(b"\x7fELF and so on", false).unwrap();
        assert_eq!(unpack_bootstrap(&packed).unwrap(), b"\x7fELF and so on");
        let mut archive = ZipArchive::new(Cursor::new(&packed)).unwrap();
        let entry = archive.by_index(0).unwrap();
        assert_eq!((entry.name().unwrap().as_ref(), entry.unix_mode()), ("bootstrap", Some(0o100_755)));
        assert_eq!(entry.last_modified(), Some(DateTime::DEFAULT));
    }

    #[test]
    fn foreign_zips_are_refused_with_what_is_wrong() {
        assert!(refused(b"PK no").message.contains("not a zip file"));
        let deeper = refused(&zip("target/bootstrap", 0o755));
        assert!(deeper.message.contains("no `bootstrap` at its root"));
        assert!(deeper.hints[0].contains("`target/bootstrap`"));
        assert!(refused(&zip("main", 0o755)).hints[0].contains("name the executable"));
        assert!(refused(&zip("bootstrap", 0o644)).message.contains("`0644`"));
        assert!(refused(&zip("bootstrap", 0o744)).message.contains("`0744`"));
        assert_eq!(unpack_bootstrap(&zip("bootstrap", 0o755)).unwrap(), b"#!/bin/sh\n");
    }

    #[test]
    fn a_link_named_bootstrap_is_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("bootstrap", "/bin/sh", SimpleFileOptions::default()).unwrap();
        let linked = writer.finish().unwrap().into_inner();
        assert!(refused(&linked).message.contains("not a regular file"));
    }

    #[test]
    fn sizes_are_held_to_lambdas_limits() {
        assert_eq!(check_unzipped(262_144_000, BINARY), Ok(()));
        let zeros = vec![0; 262_144_001];
        let zeros = Entry { name: "bootstrap", content: Source::Bytes(&zeros), executable: true };
        let many_zeros = write_with(&[zeros], QUICK, &Store::default(), BINARY, |_, _| {}).unwrap();
        assert!(refused(&many_zeros).message.contains("262144001 bytes"));
    }
}
