//! The zip around a bootstrap: made the same way every time, and read without trusting it.

use std::io::{Cursor, Read, Write};

use zip::read::ZipArchive;
use zip::result::{ZipError, ZipResult};
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime, System};

use super::error::BuildError;

/// What messages call a package that is made here.
const BINARY: &str = "the binary";

/// What Lambda runs, at the zip's root.
const BOOTSTRAP: &str = "bootstrap";

/// The largest zip, in bytes, that can be uploaded directly.
const ZIPPED_LIMIT: u64 = 52_428_800;

/// The most bytes that a zip may unpack to.
const UNZIPPED_LIMIT: u64 = 262_144_000;

/// Lambda's user owns nothing in the package, so it needs what others may do.
const OTHERS_READ_AND_EXECUTE: u32 = 0o005;

/// Level 9 takes about a tenth of a second for a binary of 2 MB; what compresses better takes many times as long.
const LEVEL: i64 = 9;

/// Zips a bootstrap. Time, place and platform leave no trace: equal bytes in, equal bytes out.
pub fn pack(bootstrap: &[u8]) -> Result<Vec<u8>, BuildError> {
    check_unzipped(bootstrap.len() as u64, BINARY)?;
    let zip = write(bootstrap).map_err(|error| BuildError::new("cannot zip the binary").because(error))?;
    check_zipped(zip.len() as u64, BINARY)?;
    Ok(zip)
}

fn write(bootstrap: &[u8]) -> ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(bootstrap.len() / 2)));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o755);
    writer.start_file(BOOTSTRAP, options)?;
    writer.write_all(bootstrap)?;
    Ok(writer.finish()?.into_inner())
}

/// The bootstrap in a zip that was made elsewhere, if Lambda could unpack and start it. Messages speak of the zip as
/// `subject`.
pub fn unpack(zip: &[u8], subject: &str) -> Result<Vec<u8>, BuildError> {
    check_zipped(zip.len() as u64, subject)?;
    let unreadable = |error: ZipError| BuildError::new(format!("cannot unpack {subject}")).because(error);
    let mut archive = ZipArchive::new(Cursor::new(zip))
        .map_err(|error| BuildError::new(format!("cannot use {subject}: it is not a zip file")).because(error))?;
    check_unzipped(unzipped(&mut archive).map_err(unreadable)?, subject)?;
    let Some(index) = archive.index_for_name(BOOTSTRAP) else {
        return Err(without_bootstrap(&archive, subject));
    };
    let entry = archive.by_index(index).map_err(unreadable)?;
    if !entry.is_file() {
        return Err(BuildError::new(format!("cannot use {subject}: its `bootstrap` is not a regular file")));
    }
    let mode = entry.unix_mode().unwrap_or(0);
    if mode & OTHERS_READ_AND_EXECUTE != OTHERS_READ_AND_EXECUTE {
        return Err(BuildError::new(format!(
            "cannot use {subject}: its `bootstrap` has mode `{:04o}`, with which Lambda cannot start it",
            mode & 0o7777
        ))
        .hint("run `chmod 755 bootstrap` and zip it again, with a tool that keeps modes"));
    }
    // The size in the directory is a claim; what is really inflated is counted.
    let mut bootstrap = Vec::new();
    entry.take(UNZIPPED_LIMIT + 1).read_to_end(&mut bootstrap).map_err(|error| unreadable(error.into()))?;
    check_unzipped(bootstrap.len() as u64, subject)?;
    Ok(bootstrap)
}

fn unzipped(archive: &mut ZipArchive<Cursor<&[u8]>>) -> ZipResult<u64> {
    let mut total = 0u64;
    for index in 0..archive.len() {
        total = total.saturating_add(archive.by_index_raw(index)?.size());
    }
    Ok(total)
}

fn without_bootstrap(archive: &ZipArchive<Cursor<&[u8]>>, subject: &str) -> BuildError {
    let error = BuildError::new(format!("cannot use {subject}: it has no `bootstrap` at its root"));
    match archive.file_names().flatten().find(|name| name.ends_with("/bootstrap")) {
        Some(deeper) => error.hint(format!("it has `{deeper}`: zip it from within its directory")),
        None => error.hint("name the executable `bootstrap`"),
    }
}

fn check_zipped(size: u64, subject: &str) -> Result<(), BuildError> {
    if size <= ZIPPED_LIMIT {
        return Ok(());
    }
    Err(BuildError::new(format!(
        "cannot use {subject}: zipped it has {size} bytes, and Lambda takes at most {ZIPPED_LIMIT}"
    ))
    .hint("strip the binary of its debug information, and leave out what it does not need"))
}

fn check_unzipped(size: u64, subject: &str) -> Result<(), BuildError> {
    if size <= UNZIPPED_LIMIT {
        return Ok(());
    }
    Err(BuildError::new(format!(
        "cannot use {subject}: it unpacks to {size} bytes, and Lambda takes at most {UNZIPPED_LIMIT}"
    ))
    .hint("strip the binary of its debug information, and leave out what it does not need"))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn zip(name: &str, mode: u32) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        writer.write_all(b"#!/bin/sh\n").unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn refused(zip: &[u8]) -> BuildError {
        unpack(zip, "the package").unwrap_err()
    }

    /// Bytes that compress a little, as code does, without a file to keep.
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
        let packed = pack(&sample()).unwrap();
        let digest: String = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "b434cf89aaecb79e94da9f72c4b3b0a175dd843e2ec54e5e53532c2e342fa0df");
    }

    #[test]
    fn what_is_packed_can_be_unpacked_and_lambda_may_run_it() {
        let packed = pack(b"\x7fELF and so on").unwrap();
        assert_eq!(unpack(&packed, "the package").unwrap(), b"\x7fELF and so on");
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
        assert_eq!(unpack(&zip("bootstrap", 0o755), "the package").unwrap(), b"#!/bin/sh\n");
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
        assert_eq!(check_zipped(52_428_800, BINARY), Ok(()));
        assert!(check_zipped(52_428_801, BINARY).unwrap_err().message.contains("52428801 bytes"));
        assert_eq!(check_unzipped(262_144_000, BINARY), Ok(()));
        let many_zeros = write(&vec![0; 262_144_001]).unwrap();
        assert!(refused(&many_zeros).message.contains("262144001 bytes"));
    }
}
