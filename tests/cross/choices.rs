//! What the user has said is kept, and what is missing is named.

use crate::pieces;
use crate::support::bench::{Bench, said};
use crate::workshop::fixture;
use std::fs;
use std::path::Path;
use std::process::Output;

fn build(bench: &Bench, place: &Path, variables: &[(&str, &str)]) -> Output {
    let manifest = place.join("deploy.toml");
    let mut command = bench.command(&["-v", "build", "--manifest", manifest.to_str().unwrap()]);
    command.arg("--out").arg(bench.path("out")).envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn a_linker_that_cargo_is_configured_with_is_kept() {
    if !pieces::arm64() {
        return;
    }
    let bench = Bench::new("");
    let place = fixture("several", "told", "bin = \"one\"\nbuild = { linker = \"gcc\" }");
    // Linkers that exist and fail, each in its own words.
    let linker = |name: &str| {
        let path = bench.path(name);
        fs::write(&path, format!("#!/bin/sh\necho this is {name}\nexit 1\n")).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let (configured, set) = (linker("configured"), linker("set"));
    let configuration = place.join("several/.cargo/config.toml");
    fs::create_dir_all(configuration.parent().unwrap()).unwrap();
    fs::write(&configuration, format!("target.'cfg(target_arch = \"aarch64\")'.linker = \"{configured}\"")).unwrap();
    let output = build(&bench, &place, &[]);
    let story = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(story.contains("linked by the linker set by cargo's configuration"), "{story}");
    assert!(story.contains("this is configured"), "{story}");

    let variable = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
    let output = build(&bench, &place, &[(variable, &set)]);
    let story = String::from_utf8_lossy(&output.stderr);
    assert!(story.contains(&format!("linked by the linker set by `{variable}`")), "{story}");
    assert!(story.contains("this is set") && !story.contains("this is configured"), "{story}");
}

#[test]
fn a_compiler_that_is_named_is_the_only_one() {
    let bench = Bench::new("");
    let place = fixture("several", "named", "bin = \"one\"\nbuild = { rustc = \"tools/rustc\" }");
    let compiler = place.join("tools/rustc");
    fs::create_dir_all(compiler.parent().unwrap()).unwrap();
    // It knows every target, and has the standard library of none.
    let script =
        "#!/bin/sh\ncase \"$*\" in -vV) echo host: x86_64-unknown-linux-gnu;; *) echo /x; echo /x/lib;; esac\n";
    fs::write(&compiler, script).unwrap();
    fs::set_permissions(&compiler, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = build(&bench, &place, &[]);
    let story = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{story}");
    assert!(story.contains("the standard library for `aarch64-unknown-linux-gnu` is not installed"), "{story}");
    assert!(story.contains(&format!("hint: `{}` is set as the compiler", compiler.display())), "{story}");
}

#[test]
fn without_a_linker_or_a_standard_library_the_command_that_gets_it_is_named() {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return;
    }
    let bench = Bench::new("");
    let place = fixture("several", "bare", "bin = \"one\"");
    // Nothing but cargo and its compiler.
    let tools = bench.path("tools");
    fs::create_dir_all(&tools).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for tool in ["cargo", "rustc"] {
        let found = std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), tools.join(tool)).unwrap();
    }
    let output = build(&bench, &place, &[("PATH", tools.to_str().unwrap())]);
    let story = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{story}");
    assert!(story.contains("error: cannot build for `arm64`: "), "{story}");
    assert!(story.contains("run `pip install cargo-zigbuild ziglang`, which links with zig"), "{story}");
    assert!(!bench.path("out").exists(), "nothing was built");
}
