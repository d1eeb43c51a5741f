//! What is refused before it could be uploaded, made from a real binary by changing a few bytes.

use std::io::{Cursor, Write};

use packaging::Architecture;
use packaging::Package;
use tokio::sync::OnceCell;
use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::bench::{Bench, built};

/// One binary for all tests here.
async fn binary() -> Vec<u8> {
    static BINARY: OnceCell<Vec<u8>> = OnceCell::const_new();
    let build = async || {
        let bench = Bench::of("several");
        let mut options = bench.options("");
        options.bin = Some("one".into());
        built(&options).await.unwrap()
    };
    BINARY.get_or_init(build).await.clone()
}

fn host() -> Architecture {
    Architecture::host().unwrap()
}

fn foreign() -> Architecture {
    Architecture::ALL.into_iter().find(|architecture| *architecture != host()).unwrap()
}

/// Replaces every occurrence of a text by one of the same length.
fn patch(binary: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        binary.windows(from.len()).enumerate().filter(|(_, window)| *window == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "{} does not occur", String::from_utf8_lossy(from));
    places.into_iter().for_each(|at| binary[at..at + to.len()].copy_from_slice(to));
}

fn zip(mode: u32, contents: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(mode);
    writer.start_file("notes.txt", options).unwrap();
    writer.start_file("bootstrap", options).unwrap();
    writer.write_all(contents).unwrap();
    writer.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_binary_becomes_the_same_zip_each_time() {
    let binary = binary().await;
    let (one, other) =
        (Package::of_binary(&binary, host(), false).unwrap(), Package::of_binary(&binary, host(), false).unwrap());
    assert_eq!(one, other);
    assert!(one.size() < binary.len() / 2, "{one:?}");
    let mut archive = ZipArchive::new(Cursor::new(&one.zip)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["bootstrap"]);
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_index(0).unwrap(), &mut unpacked).unwrap();
    assert!(unpacked == binary);
}

#[tokio::test]
async fn a_binary_for_another_architecture_is_refused() {
    let binary = binary().await;
    let error = Package::of_binary(&binary, foreign(), false).unwrap_err();
    assert_eq!(error.message, format!("cannot use the binary for `{}`: it was built for `{}`", foreign(), host()));
    let mut patched = binary;
    let machine = if host() == Architecture::X86_64 { 183u16 } else { 62 };
    patched[18..20].copy_from_slice(&machine.to_le_bytes());
    let error = Package::of_binary(&patched, host(), false).unwrap_err();
    assert_eq!(error.message, format!("cannot use the binary for `{}`: it was built for `{}`", host(), foreign()));
}

#[tokio::test]
async fn a_binary_that_needs_a_newer_glibc_is_refused_with_version_symbol_and_way_out() {
    let mut binary = binary().await;
    patch(&mut binary, b"GLIBC_2.34\0", b"GLIBC_2.38\0");
    let error = Package::of_binary(&binary, host(), false).unwrap_err();
    let (before, after) = error.message.split_once("(for `").expect("it names a symbol");
    assert_eq!(before, "cannot use the binary: it needs `GLIBC_2.38` ");
    let (symbol, rest) = after.split_once('`').unwrap();
    assert!(!symbol.is_empty(), "{error:?}");
    assert_eq!(rest, "), but `provided.al2023` has glibc 2.34");
    assert!(error.hints.iter().any(|hint| hint.contains("musl")), "{error:?}");
    assert!(error.hints.iter().any(|hint| hint.contains("zigbuild")), "{error:?}");
}

#[tokio::test]
async fn a_zip_built_elsewhere_is_inspected_and_kept_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("chat.zip");
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Package::read(&file, host(), Some("bootstrap"))
    };
    let binary = binary().await;
    let good = zip(0o755, &binary);
    assert_eq!(read(&good).unwrap().zip, good);
    let ours = Package::of_binary(&binary, host(), false).unwrap();
    assert_eq!(read(&ours.zip).unwrap(), ours);
    assert!(read(&zip(0o755, b"#!/bin/sh\n")).is_ok());
    let name = format!("cannot use the package `{}`", file.display());
    let refused = |bytes: &[u8]| read(bytes).unwrap_err().message;
    assert_eq!(refused(b"not a zip"), format!("{name}: it is not a zip file"));
    assert_eq!(refused(&zip(0o755, b"text")), format!("{name}: it is not an ELF file"));
    let denied = format!("{name}: Lambda cannot execute its `bootstrap`, which has mode `0644`");
    assert_eq!(refused(&zip(0o644, &binary)), denied);
    let mut newer = binary;
    patch(&mut newer, b"GLIBC_2.34\0", b"GLIBC_2.39\0");
    assert!(refused(&zip(0o755, &newer)).starts_with(&format!("{name}: it needs `GLIBC_2.39`")));
}
