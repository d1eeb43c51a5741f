//! Crates in places that stay, so that a second run of these tests builds little, and zips that qemu runs.

use crate::support::bench::{Bench, said};
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory of this name under `target/`, with copies of these files and directories of the repository in it.
pub(crate) fn copies(name: &str, paths: &[(&str, &str)]) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cross").join(name);
    for (from, to) in paths {
        copy(&root().join(from), &place.join(to));
    }
    place
}

/// The fixture crate of this name, and a manifest that has it built for arm64 with these keys.
pub(crate) fn fixture(name: &str, place: &str, keys: &str) -> PathBuf {
    let place = copies(place, &[(&format!("crates/packaging/tests/fixtures/{name}"), name)]);
    let keys = format!("crate = \"{name}\"\narchitecture = \"arm64\"\n{keys}");
    fs::write(place.join("deploy.toml"), format!("app = \"shop\"\n[functions.chat]\n{keys}\n")).unwrap();
    place
}

/// Skips files that are already the same, because cargo rebuilds by modification time.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else if fs::read(from).unwrap() != fs::read(to).unwrap_or_default() || !to.exists() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// What `lamstream build` made, and what it said.
pub(crate) struct Built {
    pub zip: PathBuf,
    pub story: String,
}

/// Builds the manifest's one function for arm64. `first` comes first in `PATH`.
pub(crate) fn build(bench: &Bench, place: &Path, first: Option<&Path>) -> Built {
    let manifest = place.join("deploy.toml");
    let out = bench.path("out");
    let arguments = ["-v", "build", "--arch", "arm64", "--manifest", manifest.to_str().unwrap()];
    let mut command = bench.command(&arguments);
    command.arg("--out").arg(&out);
    if let Some(first) = first {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([first.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
        command.env("PATH", path);
        // Zig keeps what it has compiled in the home directory, and the bench's is new each time.
        let caches = place.join("caches");
        command.env("CARGO_ZIGBUILD_CACHE_DIR", caches.join("zigbuild"));
        command.env("ZIG_GLOBAL_CACHE_DIR", caches.join("zig"));
    }
    built(&mut command)
}

/// Runs a `lamstream build` of one function.
pub(crate) fn built(command: &mut Command) -> Built {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let zip = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    Built { zip, story: String::from_utf8(output.stderr).unwrap() }
}

/// Deploys into a local cloud of its own, and gives what the URL answers. The deploy has checked that it streams.
pub(crate) fn answer(zip: &Path, path: &str) -> Vec<u8> {
    let check =
        format!("check = {{ method = \"POST\", path = \"/{path}\", query = {{ query = \"hello\" }}, streams = true }}");
    let keys = format!("crate = \"unused\"\nurl = {{ auth = \"none\" }}\n{check}");
    let bench = Bench::new(&format!("app = \"shop\"\n[functions.chat]\n{keys}\n"));
    let package = format!("--package={}", zip.display());
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &package]);
    assert_eq!(code, 0, "{document:#}");
    let function = &document["functions"][0];
    assert_eq!(function["verified"]["streamed"], true, "{document:#}");
    let url = format!("{}{path}?query=hello", function["url"].as_str().unwrap());
    let curl = Command::new("curl").args(["-sSN", "-X", "POST", &url]).output().unwrap();
    assert!(curl.status.success(), "{curl:?}");
    curl.stdout
}

/// The binary in a package.
pub(crate) fn bootstrap(zip: &Path) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(fs::read(zip).unwrap())).unwrap();
    let mut function = Vec::new();
    archive.by_name("bootstrap").unwrap().read_to_end(&mut function).unwrap();
    function
}

/// The same function as a zip for this machine: a shell starts qemu, and qemu the function.
pub(crate) fn under_qemu(zip: &Path) -> PathBuf {
    let function = bootstrap(zip);
    let script = "#!/bin/sh\nexec qemu-aarch64 -L /usr/aarch64-linux-gnu \"$LAMBDA_TASK_ROOT/function\"\n";
    let wrapped = zip.with_extension("qemu.zip");
    fs::write(&wrapped, zipped(&[("bootstrap", script.as_bytes()), ("function", &function)])).unwrap();
    wrapped
}

pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in files {
        writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        writer.write_all(contents).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
