//! Unpacks uploads, which are not trusted.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::contents::{AddError, Linking};
use super::directory::Directory;
use super::files::{draft_in, is_disk_error, remove_tree, replace};
use crate::wire::error::Fault;

/// The most bytes that may come out of a zip.
const LARGEST: u64 = 262_144_000;

const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
const SET_ID: u32 = 0o6000;

/// AWS's message for everything that is not a valid zip.
const REFUSAL: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";

fn refuse(reason: impl std::fmt::Display) -> Fault {
    Fault::parameter(format!("{REFUSAL} ({reason})"))
}

/// Stores a zip under its digest and unpacks it into the directory of that name, completely or not at all.
pub(crate) fn unpack(data: &Directory, digest: &str, zip: &[u8]) -> Result<(), Fault> {
    let target = data.code(digest);
    if target.is_dir() {
        return Ok(());
    }
    let draft = draft_in(&data.code(""));
    let kept = unpack_into(&draft, zip, LARGEST, &data.contents.link()).and_then(|()| {
        replace(&data.zip(digest), &draft_in(&data.code("")), zip).map_err(Fault::unwritten)?;
        // If the same code is uploaded twice at the same time, one of the two directories is used for both.
        match fs::rename(&draft, &target) {
            Err(error) if !target.is_dir() => Err(unwritten(&target, error)),
            _ => Ok(()),
        }
    });
    if draft.exists() {
        let _ = remove_tree(&draft);
    }
    kept
}

fn unwritten(path: &Path, error: io::Error) -> Fault {
    Fault::unwritten(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())))
}

/// The error for a file that cannot be created: it is the zip's fault if no file can have that name, and else the
/// disk's.
fn refuse_or_unwritten(path: &Path, name: &str, error: io::Error) -> Fault {
    if is_disk_error(&error) { unwritten(path, error) } else { refuse(format!("`{name}`: {error}")) }
}

/// The longest target of a link.
const LONGEST_TARGET: u64 = 4096;

fn unpack_into(root: &Path, zip: &[u8], largest: u64, known: &Linking<'_>) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| Fault::parameter(REFUSAL))?;
    make_directory(root, "")?;
    let (mut links, mut closed) = (Vec::new(), Vec::new());
    let mut left = largest;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(refuse)?;
        let raw = std::str::from_utf8(entry.name_raw()).map_err(refuse)?.to_owned();
        let name = inside(&raw)?;
        let path = root.join(&name);
        let mode = entry.unix_mode().unwrap_or(if entry.is_dir() { 0o755 } else { 0o644 });
        if !matches!(mode & KIND, 0 | REGULAR | DIRECTORY | LINK) {
            return Err(refuse(format!("`{raw}` is a special file")));
        }
        // The zip crate hides these bits, so they are read from the high half of the external attributes.
        let at = usize::try_from(entry.central_header_start()).map_err(refuse)? + 40;
        let bits = zip.get(at..at + 2).map_or(0, |bits| u32::from(u16::from_le_bytes([bits[0], bits[1]])));
        if bits & SET_ID != 0 {
            return Err(refuse(format!("`{raw}` would run as another user")));
        }
        // On Lambda, a function is another user than the owner of its files. Here it is the same, so the owner gets
        // the permissions of others.
        let others = mode & 0o5;
        if entry.is_dir() {
            make_directory(&path, &raw)?;
            closed.extend((others != 0o5).then_some(path));
            continue;
        }
        make_directory(path.parent().unwrap_or(root), &raw)?;
        if mode & KIND == LINK {
            let mut target = String::new();
            entry.take(LONGEST_TARGET).read_to_string(&mut target).map_err(refuse)?;
            if target.is_empty() || target.contains('\0') {
                return Err(refuse(format!("`{raw}` is a link to nothing")));
            }
            links.push((path, target, raw));
            continue;
        }
        drop(entry);
        left -= add_file(&mut archive, index, known, (&path, &raw, others * 0o111), left)?;
    }
    // Last, so that nothing is written through a link. As on AWS, a link may lead anywhere: the function may follow it,
    // and this cloud never does.
    for (path, target, raw) in links {
        symlink(target, &path).map_err(|error| refuse_or_unwritten(&path, &raw, error))?;
    }
    // From the inside out: what is in a closed directory can no longer be reached.
    closed.sort_by(|one, other| other.cmp(one));
    for path in closed {
        fs::set_permissions(&path, Permissions::from_mode(0o000)).map_err(|error| unwritten(&path, error))?;
    }
    Ok(())
}

/// Creates a file with its name and mode, or links it if its content is known. Returns its size.
fn add_file(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    known: &Linking<'_>,
    (path, name, mode): (&Path, &str, u32),
    left: u64,
) -> Result<u64, Fault> {
    let content = content(archive, index, mode).map_err(refuse)?;
    match known.place(&content, path) {
        Some(size) if size <= left => return Ok(size),
        Some(_) => return Err(too_large()),
        None => {}
    }
    // The sizes in the headers are not trusted: the bytes that come out are counted.
    let mut entry = archive.by_index(index).map_err(refuse)?;
    let added =
        known.add(&content, (path, mode), |file| copy(&mut entry, file, left, (path, name)).map_err(Refused::Content));
    added.map_err(|refused| match refused {
        Refused::Content(fault) => fault,
        Refused::File(AddError::Uncreated(error)) => refuse_or_unwritten(path, name, error),
        Refused::File(AddError::Unwritten(error)) => Fault::unwritten(error),
    })
}

/// Why a file of a package is not there.
enum Refused {
    Content(Fault),
    File(AddError),
}

impl From<AddError> for Refused {
    fn from(error: AddError) -> Self {
        Self::File(error)
    }
}

/// Names the content of an entry without unpacking it. Equal names mean equal bytes: the same compressed bytes, with the
/// same checksum to compare with, always unpack alike.
fn content(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, mode: u32) -> zip::result::ZipResult<String> {
    let mut entry = archive.by_index_raw(index)?;
    let mut digest = Sha256::new();
    digest.update(format!("{:?} {} {mode:o} ", entry.compression(), entry.crc32()));
    let mut compressed = Vec::new();
    entry.read_to_end(&mut compressed)?;
    digest.update(&compressed);
    Ok(hex::encode(digest.finalize()))
}

fn too_large() -> Fault {
    Fault::parameter(format!("Unzipped size must be smaller than {LARGEST} bytes"))
}

fn copy(from: &mut impl Read, to: &mut impl Write, left: u64, (path, name): (&Path, &str)) -> Result<u64, Fault> {
    let mut buffer = vec![0; 64 * 1024];
    let mut copied = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(refuse(format!("`{name}`: {error}"))),
        };
        copied += count as u64;
        if copied > left {
            return Err(too_large());
        }
        to.write_all(&buffer[..count]).map_err(|error| unwritten(path, error))?;
    }
}

fn make_directory(path: &Path, name: &str) -> Result<(), Fault> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|error| refuse_or_unwritten(path, name, error))
}

/// A path below the root that consists only of names.
fn inside(name: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain || name.is_empty() || name.contains('\\') || name.contains('\0') {
        return Err(refuse(format!("`{name}` leads out of the package")));
    }
    Ok(path.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::unpack_into;
    use crate::disk::contents::Contents;

    fn zip(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).expect("an entry");
        writer.write_all(content).expect("content");
        writer.finish().expect("a zip").into_inner()
    }

    fn attempt(zip: &[u8], largest: u64) -> (Result<(), String>, tempfile::TempDir) {
        let outer = tempfile::tempdir().expect("a directory");
        let contents = Contents::new(outer.path().join("files"));
        std::fs::create_dir(outer.path().join("files")).expect("a directory");
        let result = unpack_into(&outer.path().join("code"), zip, largest, &contents.link());
        let result = result.map_err(|fault| fault.message);
        (result, outer)
    }

    #[test]
    fn a_good_zip_keeps_its_executable_bit() {
        use std::os::unix::fs::PermissionsExt;
        let (result, outer) = attempt(&zip("sub/bootstrap", 0o755, b"x"), 10);
        result.expect("unpacked");
        let mode = outer.path().join("code/sub/bootstrap").metadata().expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o555);
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../evil", "a/../../evil", "/evil", "a\\..\\evil"] {
            let (result, outer) = attempt(&zip(name, 0o644, b"x"), 10);
            assert!(result.is_err(), "{name}");
            assert!(!outer.path().join("evil").exists());
        }
    }

    #[test]
    fn links_are_kept_and_nothing_is_written_through_them() {
        let linked = |links: &[(&str, &str)]| {
            let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
            for (name, target) in links {
                writer.add_symlink(*name, *target, SimpleFileOptions::default()).expect("an entry");
            }
            writer.start_file("a/b/file", SimpleFileOptions::default()).expect("an entry");
            writer.write_all(b"x").expect("content");
            attempt(&writer.finish().expect("a zip").into_inner(), 100)
        };
        for (name, target) in [("link", "a/b"), ("c/d/link", "../../a/b"), ("a/link", "./b"), ("a/link", "nowhere")] {
            let (result, outer) = linked(&[(name, target)]);
            result.expect("unpacked");
            let link = outer.path().join("code").join(name);
            assert_eq!(link.read_link().expect("a link"), std::path::Path::new(target));
            assert_eq!(link.join("file").exists(), target != "nowhere");
        }
        for target in ["/etc", "..", "../..", "a/../..", "../outside", "/nowhere"] {
            let (result, outer) = linked(&[("link", target)]);
            result.expect("unpacked");
            assert_eq!(outer.path().join("code/link").read_link().expect("a link"), std::path::Path::new(target));
        }
        for target in ["", "a\0b"] {
            assert!(linked(&[("link", target)]).0.is_err_and(|message| message.contains("to nothing")), "{target:?}");
        }
        // Wherever the link is in the zip, and wherever it leads.
        for target in ["b", "..", "/tmp"] {
            let refusal = linked(&[("a", target), ("a/b/link", "../c")]).0;
            assert!(refusal.is_err_and(|message| message.contains("exists")), "{target}");
        }
    }

    #[test]
    fn what_others_may_not_read_is_unreadable() {
        use std::os::unix::fs::PermissionsExt;
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let with = |mode| SimpleFileOptions::default().unix_permissions(mode);
        for (name, mode) in [("closed/", 0o700), ("closed/in/", 0o700), ("open/", 0o755)] {
            writer.add_directory(name, with(mode)).expect("an entry");
        }
        for (name, mode) in [("own", 0o600), ("run", 0o700), ("group", 0o640), ("all", 0o644), ("closed/in/f", 0o644)] {
            writer.start_file(name, with(mode)).expect("an entry");
            writer.write_all(b"x").expect("content");
        }
        let (result, outer) = attempt(&writer.finish().expect("a zip").into_inner(), 100);
        result.expect("unpacked");
        let mode = |name: &str| {
            let found = outer.path().join("code").join(name).metadata().expect("the file");
            found.permissions().mode() & 0o777
        };
        let modes = ["own", "run", "group", "all", "closed", "open"].map(mode);
        assert_eq!(modes, [0, 0, 0, 0o444, 0, 0o755]);
        crate::disk::files::remove_tree(&outer.path().join("code")).expect("removed");
    }

    #[test]
    fn setuid_is_refused() {
        // The writer masks these bits, so they are set in the central directory: `external attributes`, high half.
        let mut setuid = zip("bootstrap", 0o755, b"x");
        let at = setuid.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
        setuid[at + 40..at + 42].copy_from_slice(&0o104_755_u32.to_le_bytes()[..2]);
        assert!(attempt(&setuid, 100).0.is_err_and(|message| message.contains("another user")));
    }

    #[test]
    fn bytes_are_counted_as_they_come_out() {
        let bomb = zip("zeros", 0o644, &vec![0; 1_000_000]);
        assert!(bomb.len() < 10_000);
        assert!(attempt(&bomb, 999_999).0.is_err_and(|message| message.contains("262144000")));
        assert!(attempt(&bomb, 1_000_000).0.is_ok());
    }
}
