//! Packages for the local cloud of a Mac, chosen by uv on this machine: whatever it is, they are those of the machine that
//! is asked for.

use crate::packages::UV;
use crate::packaging::contents;
use crate::support::python::tools;
use crate::wheels::{ELF_OF_ARM64, wheel};
use ::packaging::{App, Architecture, Dependencies, OperatingSystem, Platform, Runtime, Selection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process that packages: uv reads its settings from the environment.
const DIRECTORY: &str = "LAMSTREAM_TEST_DIRECTORY";

const LIST: &str = "native\nof-mac; sys_platform == 'darwin' and platform_machine == 'arm64'\n\
                    of-linux; sys_platform == 'linux' and platform_machine == 'aarch64'\n";
const MACH_O_OF_ARM64: &[u8] = b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn platform(system: OperatingSystem) -> Platform {
    let lambda = Platform::on_lambda(Runtime::parse("python3.13").unwrap(), Architecture::Arm64);
    Platform { system, ..lambda }
}

/// Packages the app for a system, in a process of its own.
#[test]
fn packaged_for_another_system() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (system, name) in [(OperatingSystem::Linux, "linux.zip"), (OperatingSystem::Macos, "macos.zip")] {
        let app = App {
            directory: directory.join("app"),
            project: directory.join("app"),
            selection: Selection::default(),
            dependencies: Dependencies::Auto,
            platform: platform(system),
            slim: false,
            script: None,
            started: None,
            handler: None,
            called: None,
            required: None,
            modules: Vec::new(),
            cache: directory.join("cache"),
        };
        let package = runtime.block_on(async {
            let checked = app.check().await.unwrap_or_else(|errors| panic!("{errors:?}"));
            checked.assemble(&|_| {}, &|| {}).await.unwrap_or_else(|error| panic!("{error:?}")).package
        });
        std::fs::write(directory.join(name), &package.zip).unwrap();
    }
}

#[test]
fn packages_are_those_of_the_system_that_runs_them() {
    let Some(uv) = tools("uv", UV) else { return };
    let place = tempfile::tempdir().unwrap();
    let wheels = place.path().join("wheels");
    std::fs::create_dir_all(&wheels).unwrap();
    for (tag, library) in
        [("cp313-cp313-manylinux2014_aarch64", ELF_OF_ARM64), ("cp313-cp313-macosx_11_0_arm64", MACH_O_OF_ARM64)]
    {
        wheel(&wheels, "native", "1.0", tag, &[("native/__init__.py", b""), ("native/fast.abi3.so", library)]);
    }
    for name in ["of_mac", "of_linux"] {
        wheel(&wheels, name, "1.0", "py3-none-any", &[(&format!("{name}.py"), b"")]);
    }
    std::fs::create_dir_all(place.path().join("app")).unwrap();
    std::fs::write(place.path().join("app/requirements.txt"), LIST).unwrap();
    std::fs::write(place.path().join("app/main.py"), "").unwrap();
    package(place.path(), &uv, &wheels);
    let found = |name: &str| -> BTreeMap<String, (u32, Vec<u8>)> { contents(&place.path().join(name)) };
    let (linux, mac) = (found("linux.zip"), found("macos.zip"));
    assert_eq!(linux["native/fast.abi3.so"].1, ELF_OF_ARM64);
    assert_eq!(mac["native/fast.abi3.so"].1, MACH_O_OF_ARM64);
    assert!(linux.contains_key("of_linux.py") && !linux.contains_key("of_mac.py"), "{:?}", linux.keys());
    assert!(mac.contains_key("of_mac.py") && !mac.contains_key("of_linux.py"), "{:?}", mac.keys());
}

/// Runs the test above with an index of its own.
fn package(directory: &Path, uv: &Path, wheels: &Path) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "macos::packaged_for_another_system"]).env(DIRECTORY, directory);
    command.env("UV_NO_INDEX", "1").env("UV_FIND_LINKS", wheels).env("UV_OFFLINE", "1");
    command.env("UV_CACHE_DIR", directory.join("uv-cache"));
    let path = std::env::var_os("PATH").unwrap();
    let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
    let output = command.env("PATH", std::env::join_paths(paths).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
