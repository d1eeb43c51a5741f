//! Packages of Python without a wheel: built from their source where the result fits, or refused with the true reason.

use crate::index::{Index, sha256};
use crate::packages::with_each_installer;
use crate::packaging::{MANIFEST, app, contents};
use crate::private::library;
use crate::support::bench::{Bench, said};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A source archive in the index. `tag` is that of the wheel that it is built to.
fn add_source(index: &Index, name: &str, tag: &str) -> PathBuf {
    let around = tempfile::tempdir().unwrap();
    let directory = around.path().join(format!("{name}-1"));
    library(&directory, name, "", "");
    let backend = std::fs::read_to_string(directory.join("backend.py")).unwrap();
    std::fs::write(directory.join("backend.py"), backend.replace("py3-none-any", tag)).unwrap();
    std::fs::write(directory.join("PKG-INFO"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")).unwrap();
    let files = index.root().join("files");
    std::fs::create_dir_all(&files).unwrap();
    let file = files.join(format!("{name}-1.tar.gz"));
    let made =
        Command::new("tar").arg("-czf").arg(&file).arg("-C").arg(around.path()).arg(format!("{name}-1")).status();
    assert!(made.unwrap().success());
    index.link(name, &file);
    file
}

fn build(list: &str, index: &Index, arguments: &[&str], uv: Option<&Path>) -> (Bench, Output) {
    let bench = app(MANIFEST, &[("requirements.txt", list)]);
    let mut command = bench.command(&[&["build", "--out", "out"], arguments].concat());
    command.env("PIP_INDEX_URL", index.simple()).env("UV_DEFAULT_INDEX", index.simple());
    command.env("UV_CACHE_DIR", bench.path("uv-cache")).env("UV_PYTHON_DOWNLOADS", "never");
    if let Some(uv) = uv {
        let path = std::env::var_os("PATH").unwrap();
        let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
    }
    let output = command.output().unwrap();
    (bench, output)
}

#[test]
fn a_pure_package_without_a_wheel_is_built() {
    let index = Index::start(false);
    let source = add_source(&index, "sourced", "py3-none-any");
    let leaf = index.add_wheel("leaf", "1.0", "public");
    index.add_wheel_with("needy", "1.0", "public", "Requires-Dist: sourced\n");
    let hashed =
        format!("sourced==1 --hash=sha256:{}\nleaf==1.0 \\\n  --hash=sha256:{}\n", sha256(&source), sha256(&leaf));
    with_each_installer(|uv| {
        for list in ["sourced\nleaf\n", "needy\n", &hashed] {
            let (bench, output) = build(list, &index, &[], uv);
            assert!(output.status.success(), "{list}: {}", said(&output));
            let found = contents(&bench.path("out/site.zip"));
            assert_eq!(found["sourced/__init__.py"].1, b"WHOSE = 'private'\n", "{list}");
        }
        let other = hashed.replace(&sha256(&source), &"0".repeat(64));
        let (_, output) = build(&other, &index, &[], uv);
        assert!(!output.status.success() && said(&output).contains("sourced"), "{}", said(&output));
    });
}

#[test]
fn a_directory_whose_version_only_its_build_knows_is_built() {
    let index = Index::start(false);
    let own = tempfile::tempdir().unwrap();
    library(own.path(), "own", "", "");
    for (file, from, to) in
        [("pyproject.toml", "version = '1'", "dynamic = ['version']"), ("backend.py", "project[\"version\"]", "'1.5'")]
    {
        let text = std::fs::read_to_string(own.path().join(file)).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(own.path().join(file), text.replace(from, to)).unwrap();
    }
    with_each_installer(|uv| {
        let (bench, output) = build(&format!("{}\n", own.path().display()), &index, &[], uv);
        assert!(output.status.success(), "{}", said(&output));
        let found = contents(&bench.path("out/site.zip"));
        assert!(found.contains_key("own-1.5.dist-info/METADATA"), "{:?}", found.keys());
    });
}

#[test]
fn a_package_that_cannot_be_installed_has_one_true_reason() {
    let index = Index::start(false);
    add_source(&index, "native", "cp313-cp313-linux_x86_64");
    index.add_wheel_with("needy", "1.0", "public", "Requires-Dist: nope\n");
    index.add_wheel("leaf", "1.0", "public");
    index.add_wheel("later", "1.0", "public");
    let page = index.root().join("simple/later/index.html");
    let text = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, text.replace("<a ", "<a data-requires-python=\"&gt;=3.14\" ")).unwrap();
    with_each_installer(|uv| {
        for (list, words, cause) in [
            (
                "nope\n",
                "cannot install `nope` for `python3.13` on `arm64`: it was not found in any index",
                "requirements.txt",
            ),
            ("needy\n", "cannot install `nope` for `python3.13` on `arm64`: it was not found in any index", "`needy"),
            (
                "leaf>=2\n",
                "cannot install `leaf>=2` for `python3.13` on `arm64`: no index has that version",
                "requirements.txt",
            ),
            ("later\n", "`python3.13` on `arm64`: it needs Python >=3.14", "requirements.txt"),
            (
                "native\n",
                "cannot install `native` for `python3.13` on `arm64`: no wheel is available for aarch64",
                "built from",
            ),
        ] {
            let (_, output) = build(list, &index, &["--arch", "arm64"], uv);
            let text = said(&output);
            let form = format!("{list} (uv: {}): {text}", uv.is_some());
            assert_eq!(output.status.code(), Some(1), "{form}");
            assert!(text.contains(words) && text.contains(cause), "{form}");
            // Neither tool's own words are added to that.
            assert_eq!(text.matches("cannot install").count(), 1, "{form}");
            assert!(!text.contains("ERROR:") && !text.contains("WARNING:"), "{form}");
        }
    });
}
