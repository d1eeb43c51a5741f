//! Wheels made for these tests, so that no test of packaging depends on what an index has today.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The first bytes of a shared library for arm64.
pub(crate) const ELF_OF_ARM64: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0\x01\0\0\0";

/// Writes `NAME-VERSION-TAG.whl` with these files beside what every wheel has.
pub(crate) fn wheel(directory: &Path, name: &str, version: &str, tag: &str, files: &[(&str, &[u8])]) -> PathBuf {
    wheel_with(directory, name, version, tag, files, "")
}

/// The same with more lines of metadata.
pub(crate) fn wheel_with(
    directory: &Path,
    name: &str,
    version: &str,
    tag: &str,
    files: &[(&str, &[u8])],
    more: &str,
) -> PathBuf {
    let path = directory.join(format!("{name}-{version}-{tag}.whl"));
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let info = format!("{name}-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}");
    let wheel = format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n");
    let scripts = format!("[console_scripts]\n{name} = {name}:main\n");
    let own = [("METADATA", metadata), ("WHEEL", wheel), ("entry_points.txt", scripts)];
    let mut record = String::new();
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
        record.push_str(&format!("{name},,\n"));
    };
    files.iter().for_each(|(name, bytes)| add(name, bytes));
    own.iter().for_each(|(name, text)| add(&format!("{info}/{name}"), text.as_bytes()));
    zip.start_file(format!("{info}/RECORD"), SimpleFileOptions::default()).unwrap();
    zip.write_all(record.as_bytes()).unwrap();
    zip.finish().unwrap();
    path
}

/// A directory with a pure package, and with one that there is for arm64 alone.
pub(crate) fn index(directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    let pure: [(&str, &[u8]); 2] =
        [("pure/__init__.py", b"def main(): pass\n"), ("pure/tests/test_pure.py", b"assert False\n")];
    wheel(directory, "pure", "1.0", "py3-none-any", &pure);
    wheel(directory, "pure", "2.0", "py3-none-any", &pure);
    wheel(
        directory,
        "native",
        "1.0",
        "cp313-cp313-manylinux2014_aarch64",
        &[("native/__init__.py", b""), ("native/fast.so", ELF_OF_ARM64)],
    );
    wheel(directory, "leaf", "1.0", "py3-none-any", &[("leaf/__init__.py", b"")]);
}
