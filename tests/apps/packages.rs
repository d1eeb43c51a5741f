//! Packages of Python, installed by pip and by uv for the target, from wheels made for these tests.

use crate::packaging::{MANIFEST, app, contents};
use crate::support::bench::{Bench, said};
use crate::support::python::tools;
use crate::wheels::{ELF_OF_ARM64, index, wheel};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

pub(crate) const UV: &str = "uv==0.13.9\n";

/// Builds with an index of its own; `uv` is the directory where it is, and pip installs where it is none.
fn build(bench: &Bench, arguments: &[&str], uv: Option<&Path>) -> Output {
    let wheels = bench.path("wheels");
    index(&wheels);
    let mut command = bench.command(&[&["build", "--out", "out"], arguments].concat());
    command
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", &wheels)
        .env("UV_NO_INDEX", "1")
        .env("UV_FIND_LINKS", &wheels);
    command.env("UV_CACHE_DIR", bench.path("uv-cache")).env("UV_OFFLINE", "1");
    if let Some(uv) = uv {
        let path = std::env::var_os("PATH").unwrap();
        let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
    }
    command.output().unwrap()
}

fn built(bench: &Bench, arguments: &[&str], uv: Option<&Path>) -> BTreeMap<String, (u32, Vec<u8>)> {
    let output = build(bench, arguments, uv);
    assert!(output.status.success(), "{}", said(&output));
    contents(&bench.path("out/site.zip"))
}

/// Once with pip, and once with uv where there is one.
pub(crate) fn with_each_installer(test: impl Fn(Option<&Path>)) {
    test(None);
    if let Some(uv) = tools("uv", UV) {
        test(Some(&uv));
    }
}

#[test]
fn wheels_of_the_target_lie_beneath_the_app_and_are_complete() {
    with_each_installer(|uv| {
        let bench =
            app(MANIFEST, &[("requirements.txt", "pure\nnative==1.0\n"), ("pure/__init__.py", "# the app's own\n")]);
        let found = built(&bench, &["--arch", "arm64"], uv);
        assert_eq!(found["native/fast.so"].1, ELF_OF_ARM64);
        assert_eq!(found["pure/__init__.py"].1, b"# the app's own\n");
        assert!(found["bin/pure"].1.starts_with(b"#!/usr/bin/env python3\n"));
        assert_eq!(found["bin/pure"].0, 0o755);
        assert!(found.contains_key("pure-2.0.dist-info/METADATA"), "{:?}", found.keys());
        assert!(found.contains_key("pure/tests/test_pure.py"), "{:?}", found.keys());
        assert!(!found.keys().any(|name| name.ends_with(".pyc") || name.ends_with("INSTALLER")));
        let record = String::from_utf8_lossy(&found["pure-2.0.dist-info/RECORD"].1).into_owned();
        assert!(
            record.contains("pure/__init__.py") && record.contains("tests/") && !record.contains("bin/"),
            "{record}"
        );
    });
}

#[test]
fn the_same_list_is_the_same_zip_from_two_machines() {
    with_each_installer(|uv| {
        let zip = || {
            let bench = app(MANIFEST, &[("requirements.txt", "pure==1.0\nleaf\n")]);
            built(&bench, &[], uv);
            std::fs::read(bench.path("out/site.zip")).unwrap()
        };
        assert_eq!(zip(), zip());
    });
}

#[test]
fn a_package_without_a_wheel_for_the_target_is_named() {
    with_each_installer(|uv| {
        let bench = app(MANIFEST, &[("requirements.txt", "pure\nnative==1.0\n")]);
        let output = build(&bench, &["--arch", "x86_64"], uv);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let words = "cannot install `native==1.0` for `python3.13` on `x86_64`: no wheel is available for x86_64";
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{}", said(&output));
        let ranged = app(MANIFEST, &[("requirements.txt", "native>=0.5\n")]);
        let output = build(&ranged, &["--arch", "x86_64"], uv);
        let named = String::from_utf8_lossy(&output.stderr).contains("cannot install `native");
        assert!(
            named && String::from_utf8_lossy(&output.stderr).contains("no wheel is available"),
            "{}",
            said(&output)
        );
        // Nothing half installed is taken for the whole.
        assert!(!build(&bench, &["--arch", "x86_64"], uv).status.success());
    });
}

#[test]
fn what_was_installed_once_is_not_installed_again() {
    let bench = app(MANIFEST, &[("requirements.txt", "-r more/list.txt\n"), ("more/list.txt", "pure==1.0\n")]);
    let first = built(&bench, &[], None);
    let cache = bench.path("home/.cache/lamstream/python");
    let count = || std::fs::read_dir(&cache).unwrap().count();
    assert_eq!((built(&bench, &[], None), count()), (first, 1));
    std::fs::write(bench.path("app/more/list.txt"), "pure==2.0\n").unwrap();
    assert!(built(&bench, &[], None).contains_key("pure-2.0.dist-info/METADATA"));
    assert_eq!(count(), 2);
}

#[test]
fn a_lock_of_poetry_gives_its_versions_and_no_development() {
    let project = "[tool.poetry.dependencies]\npython = '^3.11'\npure = '*'\n[tool.poetry.group.dev.dependencies]\nnative = '*'\n";
    let package =
        |name: &str, rest: &str| format!("[[package]]\nname = '{name}'\nversion = '1.0'\nfiles = []\n{rest}\n");
    let lock =
        [package("pure", "[package.dependencies]\nleaf = '*'"), package("leaf", ""), package("native", "")].concat();
    with_each_installer(|uv| {
        let bench = app(MANIFEST, &[("pyproject.toml", project), ("poetry.lock", &lock)]);
        let found = built(&bench, &[], uv);
        assert!(found.contains_key("leaf/__init__.py") && found.contains_key("pure-1.0.dist-info/METADATA"));
        assert!(!found.contains_key("native/fast.so"));
    });
}

#[test]
fn a_lock_of_uv_gives_its_versions_with_and_without_uv() {
    let project = "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['pure']\n";
    let files = [("pyproject.toml", project)];
    let Some(uv) = tools("uv", UV) else { return };
    let bench = app(MANIFEST, &files);
    index(&bench.path("wheels"));
    let locked = std::process::Command::new(uv.join("uv"))
        .args(["lock", "--offline", "--no-index", "--find-links", "../wheels"])
        .current_dir(bench.path("app"))
        .env("UV_PYTHON_DOWNLOADS", "never")
        .output()
        .unwrap();
    assert!(locked.status.success(), "{}", said(&locked));
    // A later version must not be taken for the locked one.
    let lock = std::fs::read_to_string(bench.path("app/uv.lock")).unwrap();
    assert!(lock.contains("pure-2.0"), "{lock}");
    std::fs::write(
        bench.path("app/uv.lock"),
        lock.replace("pure-2.0", "pure-1.0").replace("version = \"2.0\"", "version = \"1.0\""),
    )
    .unwrap();
    for uv in [Some(&*uv), None] {
        assert!(built(&bench, &[], uv).contains_key("pure-1.0.dist-info/METADATA"), "uv: {}", uv.is_some());
    }
}

#[test]
fn slim_leaves_out_tests_that_nothing_imports() {
    let output = std::process::Command::new("python3")
        .args(["-c", "import sys; print('python%d.%d' % sys.version_info[:2], end='')"])
        .output()
        .unwrap();
    let here = MANIFEST.replace("python3.13", &String::from_utf8(output.stdout).unwrap());
    with_each_installer(|uv| {
        for (slim, stays) in [("", true), ("slim = true\n", false)] {
            let bench = app(&format!("{here}{slim}"), &[("requirements.txt", "pure\n")]);
            let found = built(&bench, &["--arch", host()], uv);
            assert_eq!(found.contains_key("pure/tests/test_pure.py"), stays);
            assert!(found.contains_key("pure/__init__.py"));
        }
        // What cannot be imported here stays complete.
        let other = if host() == "arm64" { "x86_64" } else { "arm64" };
        let bench = app(&format!("{here}slim = true\n"), &[("requirements.txt", "pure\n")]);
        let output = build(&bench, &["--arch", other], uv);
        assert!(output.status.success() && said(&output).contains("`slim` is not applied"), "{}", said(&output));
    });
}

fn host() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

#[test]
fn what_is_on_this_machine_is_refused_or_installed_as_it_is_now() {
    with_each_installer(|uv| {
        let bench = app(MANIFEST, &[("requirements.txt", "vendor/own-1.0-py3-none-any.whl\n")]);
        let own = |text: &[u8]| {
            std::fs::create_dir_all(bench.path("app/vendor")).unwrap();
            wheel(&bench.path("app/vendor"), "own", "1.0", "py3-none-any", &[("own/__init__.py", text)]);
            built(&bench, &[], uv)["own/__init__.py"].1.clone()
        };
        assert_eq!(own(b"# one\n"), b"# one\n");
        assert_eq!(own(b"# two\n"), b"# two\n");
        std::fs::write(bench.path("app/requirements.txt"), "-e ./lib\n").unwrap();
        let output = build(&bench, &[], uv);
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot install `-e ./lib`"), "{}", said(&output));
    });
}

#[test]
fn an_extension_for_another_processor_is_refused() {
    let bench = app(MANIFEST, &[]);
    std::fs::write(bench.path("app/fast.cpython-313-x86_64-linux-gnu.so"), ELF_OF_ARM64).unwrap();
    let output = build(&bench, &["--arch", "x86_64"], None);
    let words =
        "cannot use the extension `fast.cpython-313-x86_64-linux-gnu.so` for `x86_64`: it was built for `arm64`";
    assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{}", said(&output));
    assert!(build(&bench, &["--arch", "arm64"], None).status.success());
    let told = app(MANIFEST, &[]);
    std::fs::write(told.path("app/attach_linux_arm64.so"), ELF_OF_ARM64).unwrap();
    let output = build(&told, &["--arch", "x86_64"], None);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("built for another architecture than `x86_64`: `attach_linux_arm64.so`")
    );
}
