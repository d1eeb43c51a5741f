//! What can be known before the first call is known before it, all at once, and with its place.

use crate::support::bench::{Bench, LAMSTREAM, said};
use crate::support::proxy::Proxy;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

/// A workspace with two crates and an app, beside the manifest.
fn bench(manifest: &str) -> Bench {
    let bench = Bench::new(manifest);
    bench.write_all("ws/Cargo.toml", "[workspace]\nmembers = ['chat', 'lib', 'gated', 'shown']\nresolver = '3'\n");
    let package = |name: &str, more: &str| format!("[package]\nname = '{name}'\nedition = '2024'\n{more}");
    let bin = |name: &str| format!("[[bin]]\nname = '{name}'\npath = 'src/main.rs'\n");
    bench.write_all("ws/chat/Cargo.toml", &package("chat", &(bin("one") + &bin("two"))));
    bench.write_all("ws/chat/src/main.rs", "fn main() {}\n");
    bench.write_all("ws/lib/Cargo.toml", &package("lib", ""));
    bench.write_all("ws/lib/src/lib.rs", "");
    let gated = format!("[features]\nlambda = []\n{}required-features = ['lambda']\n", bin("gated"));
    bench.write_all("ws/gated/Cargo.toml", &package("gated", &gated));
    bench.write_all("ws/gated/src/main.rs", "fn main() {}\n");
    bench.write_all("ws/shown/Cargo.toml", &package("shown", ""));
    bench.write_all("ws/shown/examples/sse.rs", "fn main() {}\n");
    bench.write_all("app/run.sh", "#!/bin/sh\nexec python3 main.py\n");
    bench.write_all("app/main.py", "");
    bench.write_all("app/secret.key", "");
    bench.write_all("app/empty.zip", "");
    std::fs::write(bench.path("app/server"), program_for_riscv()).expect("the file is written");
    bench.write_all("own/readme", "");
    std::fs::write(bench.path("own/bootstrap"), program_for_riscv()).expect("the file is written");
    bench
}

/// An ELF file with nothing but its header.
fn program_for_riscv() -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    // Its type is an executable. Then come the machine, the version, the entry point and the header's size.
    for (at, value) in [(16, 2), (18, 243), (20, 1), (24, 64), (52, 64)] {
        header[at] = value;
    }
    header
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const WEB: &str = "runtime = 'python3.13'\nrun = 'run.sh'\n";
const HANDLER: &str = "runtime = 'python3.13'\nhandler = 'main.handler'\n";

#[test]
fn a_mistake_of_the_manifest_is_shown_at_its_place_and_nothing_is_called() {
    let table = [
        ("crate = 'nope'\n", "3:9: cannot build `nope`: the directory does not exist"),
        ("crate = 'app'\n", "3:9: cannot build `app`: the directory does not contain a `Cargo.toml`"),
        ("crate = 'ws/chat/Cargo.toml'\n", "3:9: cannot build"),
        ("crate = 'ws'\n", "3:9: cannot build"),
        ("crate = 'ws/lib'\n", "3:9: cannot build `lib`: it is a library"),
        ("crate = 'ws/chat'\n", "3:9: cannot build `chat`: it has several binaries: `one` and `two`"),
        ("crate = 'ws/chat'\nbin = 'three'\n", "4:7: cannot build `chat`: it has no binary `three`"),
        ("crate = 'ws/shown'\n", "3:9: cannot build `shown`: it has examples, but no binary to run"),
        ("crate = 'ws/shown'\nbin = 'sse'\n", "4:7: cannot build `shown`: `sse` is an example, not a binary"),
        ("crate = 'ws/gated'\n", "3:9: cannot build `gated`: its binary `gated` requires the feature `lambda`"),
        ("crate = 'ws/chat'\nbin = 'one'\nbuild.linker = './ld'\n", "5:16: cannot link with"),
        ("crate = 'ws/chat'\nbin = 'one'\nbuild.rustc = './rustc'\n", "5:15: cannot build with"),
        (&format!("web = 'nope'\n{WEB}"), "3:7: cannot use the directory `nope`: it does not exist"),
        (&format!("web = 'app/run.sh'\n{WEB}"), "3:7: cannot use the directory `app/run.sh`: it is a file"),
        (
            &format!("web = 'app'\n{}", WEB.replace("run.sh", "start.sh")),
            "5:7: cannot use the directory `app`: it has no `start.sh`",
        ),
        (&format!("web = 'app'\nexclude = ['*.sh']\n{WEB}"), "6:7: cannot use the directory `app`: it has no `run.sh`"),
        (&format!("web = 'app'\ndependencies = 'reqs.txt'\n{WEB}"), "4:16: cannot read the dependencies `reqs.txt`"),
        (
            &format!("web = 'app'\n{}", WEB.replace("run.sh", "python nope.py")),
            "5:7: cannot use the directory `app`: `run` starts `nope.py`, which does not exist",
        ),
        (
            &format!("web = 'app'\nexclude = ['*.py']\n{}", WEB.replace("run.sh", "exec python -u ./main.py")),
            "6:7: cannot use the directory `app`: `run` starts `main.py`, which is left out of the package",
        ),
        (
            &format!("web = 'app'\n{}", WEB.replace("run.sh", "uvicorn shop.main:app --port 8080")),
            "5:7: cannot use the directory `app`: `run` imports `shop`, which is not in the package",
        ),
        (
            &format!("web = 'app'\n{}", WEB.replace("run.sh", "python -m uvicorn main:app")),
            "5:7: cannot use the directory `app`: `run` imports `uvicorn`, which is not in the package",
        ),
        (&format!("web = 'app'\n{}", WEB.replace("run.sh", "./server --port 8080")), "5:7: cannot use `server` for `"),
        (&format!("web = 'app'\n{}", WEB.replace("run.sh", "server")), "5:7: cannot use `server` for `"),
        ("package = 'own'\n", "3:11: cannot use `bootstrap` for `"),
        ("package = 'app/run.sh'\n", "3:11: cannot use the package `app/run.sh`: it is not a zip file"),
        ("package = 'app/empty.zip'\n", "3:11: cannot use the package `app/empty.zip`: it is not a zip file"),
        ("package = 'app'\n", "3:11: cannot use the directory `app`: it has no `bootstrap`"),
        (&format!("package = 'nope.zip'\n{HANDLER}"), "3:11: cannot use the package `nope.zip`: it does not exist"),
        (
            &format!("package = 'app'\n{}", HANDLER.replace("main", "other")),
            "5:11: cannot use the directory `app`: it has no file for the handler",
        ),
    ];
    for (keys, expected) in table {
        let bench = bench(&format!("app = 'shop'\n[functions.f]\n{keys}"));
        for command in [&["deploy", "--local", "--yes"][..], &["plan", "--local"], &["build"]] {
            let output = bench.run(command);
            assert_eq!(output.status.code(), Some(2), "{keys}{}", said(&output));
            assert!(errors(&output).contains(&format!("error: deploy.toml:{expected}")), "{keys}{}", said(&output));
        }
        assert!(!bench.data().exists(), "{keys}: not even the local cloud was started");
        assert!(!bench.path("target").exists() && !bench.path("ws/target").exists(), "{keys}: nothing was built");
    }
}

#[test]
fn all_that_is_wrong_with_all_functions_is_reported_at_once_before_any_call() {
    let bench = bench(&format!(
        "app = 'shop'\n[functions.one]\ncrate = 'nope'\nenvironment = {{ TOKEN = {{ env = 'NOT_SET' }} }}\n\
         [functions.two]\nweb = 'app'\n{WEB}[functions.three]\npackage = 'app/broken.zip'\n{HANDLER}\
         [stages.prod.functions.two]\nweb = 'nowhere'\n"
    ));
    bench.write("app/broken.zip", "no zip");
    let proxy = bench.proxy();
    for command in [&["deploy", "--yes"][..], &["plan"]] {
        let output = bench.through(&proxy, &[command, &["--stage", "prod"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let told = errors(&output);
        for expected in [
            "deploy.toml:3:9: cannot build `nope`",
            "deploy.toml:4:17: `TOKEN` comes from the environment variable `NOT_SET`, which is not set",
            "deploy.toml:14:7: cannot use the directory `nowhere`",
            "cannot use the package `app/broken.zip`: it is not a zip file",
        ] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }
    // A package that is brought along replaces what the manifest names, and a function that is not chosen does not count.
    let output = bench.run(&["build", "two", "--out", "out"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(proxy.take_calls(), Vec::<String>::new());
}

#[test]
fn a_zip_without_the_handlers_file_is_refused_before_any_call() {
    let bench = bench(&format!("app = 'shop'\n[functions.f]\npackage = 'app.zip'\n{HANDLER}"));
    let write = |name: &str| {
        let mut zip = zip::ZipWriter::new(std::fs::File::create(bench.path("app.zip")).unwrap());
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
    };
    write("other.py");
    let proxy = bench.proxy();
    let output = bench.through(&proxy, &["deploy", "--yes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        errors(&output).contains("deploy.toml:5:11: cannot use the package `app.zip`: it has no file for the handler")
    );
    let output = bench.through(&proxy, &["deploy", "--yes", "--package", "app.zip"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(proxy.take_calls(), Vec::<String>::new());
    write("./main.py");
    bench.good(&["build", "--out", "out"]);
}

#[test]
fn a_tool_that_is_missing_is_named_before_any_call() {
    let manifest = format!(
        "app = 'shop'\n[functions.py]\nweb = 'app'\ndependencies = 'reqs.txt'\n{WEB}\
         [functions.js]\nweb = 'js'\nruntime = 'nodejs22.x'\nrun = 'node main.js'\n"
    );
    let bench = bench(&manifest);
    bench.write("reqs.txt", "six==1.16.0\n");
    bench.write_all("js/package.json", r#"{"dependencies": {"is-odd": "3.0.1"}}"#);
    bench.write("js/main.js", "");
    let proxy = bench.proxy();
    std::fs::create_dir(bench.path("bin")).unwrap();
    let mut command = bench.through(&proxy, &["deploy", "--yes"]);
    let output = command.env("PATH", bench.path("bin")).env("HOME", bench.path("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = errors(&output);
    assert!(told.contains("neither uv nor python3 is installed"), "{told}");
    assert!(told.contains("npm is not installed"), "{told}");

    // Without pip it is no installer.
    let python = bench.path("bin/python3");
    std::fs::write(&python, "#!/bin/sh\ncase \"$*\" in *find_spec*) exit 1;; *) echo 13;; esac\n").unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = bench.through(&proxy, &["plan", "py"]);
    let output = command.env("PATH", bench.path("bin")).env("HOME", bench.path("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(errors(&output).contains("has no pip"), "{}", said(&output));
    assert_eq!(proxy.take_calls(), Vec::<String>::new());
}

#[test]
fn a_compiler_and_a_linker_are_looked_for_before_any_call() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return;
    }
    let bench = bench("app = 'shop'\n[functions.rs]\ncrate = 'ws/chat'\nbin = 'one'\n");
    let proxy = bench.proxy();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let deploy = || {
        let manifest =
            format!("app = 'shop'\n[functions.rs]\ncrate = 'ws/chat'\nbin = 'one'\narchitecture = '{architecture}'\n");
        bench.write("deploy.toml", &manifest);
        let mut command = bench.through(&proxy, &["deploy", "--yes"]);
        let output = command.env("PATH", bench.path("bin")).env_remove("CARGO").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        errors(&output)
    };
    std::fs::create_dir(bench.path("bin")).unwrap();
    let told = deploy();
    assert!(told.contains("`cargo` cannot be started") && told.contains("`rustc` cannot be started"), "{told}");
    let path = std::env::var_os("PATH").unwrap();
    for tool in ["cargo", "rustc"] {
        let found = std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), bench.path("bin").join(tool)).unwrap();
    }
    let told = deploy();
    assert!(told.contains("no linker is installed: `cc` is not in `PATH`"), "{told}");
    assert_eq!(proxy.take_calls(), Vec::<String>::new());
}

/// An x86_64 or arm64 manifest for the crates, as this machine builds them.
fn of_crates(crates: &[&str]) -> String {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let function = |name: &&str| format!("[functions.{name}]\ncrate = '{name}'\narchitecture = '{architecture}'\n");
    format!("app = 'shop'\n{}", crates.iter().map(function).collect::<String>())
}

/// A crate of its own, with more of its `Cargo.toml`.
fn write_crate(bench: &Bench, name: &str, more: &str) {
    let profile = "[profile.lambda]\ninherits = 'dev'\n";
    let profile = if more.contains("[profile") { "" } else { profile };
    bench.write_all(
        &format!("{name}/Cargo.toml"),
        &format!("[package]\nname = '{name}'\nedition = '2024'\n{more}\n{profile}[workspace]\n"),
    );
    bench.write_all(&format!("{name}/src/main.rs"), "fn main() {}\n");
}

#[test]
fn what_a_crates_settings_name_and_what_it_requires_is_checked_before_any_call() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let table = [
        ("", "target.'cfg(unix)'.linker = 'nosuchlinker'", "cannot link with `nosuchlinker`: it is not in `PATH`"),
        ("", "build.rustflags = ['-Clinker=/no/ld']", "cannot link with `/no/ld`: it does not exist"),
        ("", "build.rustc-wrapper = 'nosuchwrapper'", "cannot compile with `nosuchwrapper`: it is not in `PATH`"),
        ("rust-version = '1.999'", "", "cannot build `own`: it requires rustc 1.999.0, but the compiler is 1."),
        ("[[bin]]\nname = 'x'\npath = 'src/nope.rs'", "", "cannot build `own`: its binary `x` has no source"),
    ];
    for (more, configuration, expected) in table {
        let bench = Bench::new(&of_crates(&["own"]));
        write_crate(&bench, "own", more);
        bench.write_all("own/.cargo/config.toml", configuration);
        if more.contains("[[bin]]") {
            std::fs::remove_file(bench.path("own/src/main.rs")).unwrap();
        }
        let proxy = bench.proxy();
        for command in [&["deploy", "--yes"][..], &["plan"], &["build"]] {
            let output = bench.through(&proxy, command).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{more}{configuration}{}", said(&output));
            assert!(errors(&output).contains(expected), "{}", said(&output));
        }
        assert_eq!(proxy.take_calls(), Vec::<String>::new(), "{more}{configuration}");
    }
}

/// Only cargo itself knows these, and it says so before it compiles anything.
#[test]
fn what_cargo_refuses_before_it_compiles_is_refused_before_anything_is_written() {
    let words = |more: &str| format!("[package]\nname = 'words'\nedition = '2024'\n{more}[workspace]\n");
    let needs = "[dependencies]\nwords = { path = '../words', features = ['given'] }";
    let given = words("[features]\ngiven = []\n");
    let table = [
        (
            needs,
            words("[features]\ngiven = []\n[package.metadata]\n").replace("edition", "rust-version = '1.999'\nedition"),
            "",
            "1.999",
        ),
        (needs, words(""), "", "given"),
        ("[dependencies]\nwords = { path = '../words', version = '99' }", given.clone(), "", "words"),
        ("[profile.lambda]\ninherits = 'nosuchprofile'", given.clone(), "", "nosuchprofile"),
        ("[profile.release]\ninherits = 'dev'", given.clone(), "", "inherits"),
        ("", given, "version = 99\n", "lock file"),
    ];
    for (more, words, lock, expected) in table {
        // The first crate is good, and is built before the other one.
        let bench = Bench::new(&of_crates(&["good", "own"]));
        write_crate(&bench, "good", "");
        write_crate(&bench, "own", more);
        bench.write_all("words/Cargo.toml", &words);
        bench.write_all("words/src/lib.rs", "");
        if !lock.is_empty() {
            bench.write("own/Cargo.lock", lock);
        }
        let proxy = bench.proxy();
        for functions in [&["own"][..], &["good", "own"]] {
            let mut command = bench.through(&proxy, &[&["deploy", "--yes"], functions].concat());
            let output = command.env("CARGO_NET_OFFLINE", "true").output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{more}{lock}{}", said(&output));
            assert!(errors(&output).contains(expected), "{expected}: {}", said(&output));
            let calls = proxy.take_calls();
            let writes = ["CreateRole", "CreateLogGroup"];
            assert!(calls.contains(&"GetCallerIdentity".to_owned()), "{calls:?}");
            assert!(!calls.iter().any(|call| writes.contains(&&**call)), "{more}{lock}{calls:?}");
        }
    }
}

#[test]
fn what_the_local_cloud_needs_is_known_before_it_is_started() {
    let layer = "arn:aws:lambda:us-east-1:123456789012:layer:other:1";
    let bench = bench(&format!(
        "app = 'shop'\n[functions.web]\nweb = 'app'\n{WEB}\n[functions.layered]\npackage = 'app'\nlayers = ['{layer}']\n{HANDLER}"
    ));
    let mut command = bench.command(&["deploy", "--local", "--yes"]);
    command.env("LAMSTREAM_CACHE_DIR", bench.path("cache")).env("LAMSTREAM_ADAPTER", "/nowhere/adapter");
    let output = command.output().unwrap();
    let told = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot use `LAMSTREAM_ADAPTER` (`/nowhere/adapter`)"), "{told}");
    assert!(told.contains("hint: correct the variable, or unset it"), "{told}");
    assert!(told.contains(&format!("this machine has no copy of the layer `{layer}`")), "{told}");
    assert!(!bench.data().exists(), "not even the local cloud was started");
}

/// In China each region has an account of its own that publishes the adapter.
#[test]
fn the_local_adapter_is_that_of_every_region() {
    let bench = bench(&format!("app = 'shop'\n[functions.web]\nweb = 'app'\n{WEB}"));
    for region in ["eu-west-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1"] {
        let mut command = bench.command(&["plan", "--local", "--region", region]);
        command.env("LAMSTREAM_CACHE_DIR", bench.path("cache")).env("LAMSTREAM_ADAPTER", LAMSTREAM);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{region}: {}", said(&output));
    }
}

#[test]
fn where_aws_has_no_adapter_a_web_app_is_refused_before_anything_is_written() {
    let bench = bench(&format!("app = 'shop'\n[functions.web]\nweb = 'app'\n{WEB}"));
    let proxy = bench.proxy();
    for command in [&["plan"][..], &["deploy", "--yes"]] {
        let output = bench.through(&proxy, command).env("AWS_REGION", "us-gov-west-1").output().unwrap();
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("cannot deploy `web` to us-gov-west-1: AWS publishes no layer"), "{told}");
        assert!(told.contains("hint: copy the layer") && told.contains("`adapter_layer`"), "{told}");
        assert_eq!(Proxy::writes(&proxy.take_calls()), Vec::<&String>::new());
    }
    let own = "adapter_layer = 'arn:aws-us-gov:lambda:us-gov-west-1:000000000000:layer:adapter:1'\n";
    bench.write("deploy.toml", &format!("app = 'shop'\n[functions.web]\nweb = 'app'\n{WEB}{own}"));
    let output = bench.through(&proxy, &["plan"]).env("AWS_REGION", "us-gov-west-1").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_runtime_that_aws_no_longer_supports_is_noted() {
    let package = "package = 'app'\nhandler = 'main.handler'\n";
    let bench = bench(&format!("app = 'shop'\n[functions.f]\n{package}runtime = 'python3.9'\n"));
    let output = bench.run(&["plan", "--local"]);
    let told = errors(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("`f` uses the runtime `python3.9`, which AWS has not supported since 2025-12-15"), "{told}");
    bench.write("deploy.toml", &format!("app = 'shop'\n[functions.f]\n{package}runtime = 'python3.13'\n"));
    assert!(!errors(&bench.run(&["plan", "--local"])).contains("has not supported"));
}

#[test]
fn one_problem_is_shown_in_lines_and_its_hint_below() {
    let bench = bench("app = 'shop'\n[functions.f]\ncrate = 'ws/chat'\n");
    let output = bench.run(&["build"]);
    let told = errors(&output);
    assert!(
        told.contains(
            "error: deploy.toml:3:9: cannot build `chat`: it has several binaries: `one` and `two`\n  \
             3 | crate = 'ws/chat'\n    |         ^^^^^^^^^\nhint: "
        ),
        "{told}"
    );
    assert_eq!(told.matches("hint: ").count(), 1, "{told}");
}

#[test]
fn of_several_problems_each_has_its_own_hint_below_it() {
    let bench = bench(&format!(
        "app = 'shop'\n[functions.one]\ncrate = 'ws/chat'\n[functions.two]\nweb = 'app'\n{WEB}\
         environment = {{ TOKEN = {{ env = 'NOT_SET' }} }}\n[functions.three]\ncrate = 'ws/chat'\nbin = 'three'\n"
    ));
    let mut command = bench.command(&["deploy", "--local", "--yes"]);
    let output = command.env("LAMSTREAM_ADAPTER", "/nowhere/adapter").output().unwrap();
    let told = errors(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(!told.contains("\\n"), "{told}");
    let (_, shown) = told.split_once("error: ").unwrap();
    let problems: Vec<&str> = shown.split("\n\n").collect();
    for (problem, (words, hint)) in problems.iter().zip([
        ("deploy.toml:3:9: cannot build `chat`: it has several binaries", "\n    |         ^^^^^^^^^\n  hint: "),
        ("deploy.toml:8:17: `TOKEN` comes from", "\n  hint: set the variable"),
        ("deploy.toml:11:7: cannot build `chat`: it has no binary `three`", "\n     |       ^^^^^^^"),
        ("cannot use `LAMSTREAM_ADAPTER`", "\n  hint: correct the variable, or unset it"),
    ]) {
        assert!(problem.starts_with(words) && problem.contains(hint), "{words}: {told}");
    }
    assert_eq!((problems.len(), told.matches("\nhint: ").count()), (4, 0), "{told}");
    // A program finds all hints where it always does.
    let mut command = bench.command(&["deploy", "--local", "--yes", "--output", "json"]);
    let output = command.env("LAMSTREAM_ADAPTER", "/nowhere/adapter").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["error"]["hints"].as_array().unwrap().len() >= 3, "{document:#}");
}

#[test]
fn an_adapter_that_a_variable_names_and_that_cannot_be_run_is_named() {
    let bench = bench(&format!("app = 'shop'\n[functions.web]\nweb = 'app'\n{WEB}"));
    let mut foreign = std::fs::read(LAMSTREAM).unwrap();
    foreign[18] = if foreign[18] == 62 { 183 } else { 62 };
    std::fs::write(bench.path("foreign"), foreign).unwrap();
    std::fs::copy(LAMSTREAM, bench.path("closed")).unwrap();
    std::fs::set_permissions(bench.path("closed"), std::fs::Permissions::from_mode(0o644)).unwrap();
    for (named, why) in [
        ("/nowhere/adapter", "it does not exist"),
        ("app", "it is not a file"),
        (
            "app/run.sh",
            if cfg!(target_os = "macos") { "it is not a macOS executable" } else { "it is not a Linux executable" },
        ),
        ("foreign", "it is for "),
        ("closed", "it is not executable"),
    ] {
        let mut command = bench.command(&["deploy", "--local", "--yes"]);
        command.env("LAMSTREAM_ADAPTER", named);
        let output = command.output().unwrap();
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        let shown = if named.starts_with('/') { named.to_owned() } else { bench.path(named).display().to_string() };
        let expected = format!("cannot use `LAMSTREAM_ADAPTER` (`{shown}`): {why}");
        assert!(told.contains(&expected), "{told}");
    }
    assert!(!bench.data().exists(), "not even the local cloud was started");
}

/// Whatever is missing where the local cloud runs has its own words.
#[test]
fn an_interpreter_that_is_not_on_the_path_is_named() {
    let more = "url = { auth = 'none' }\ncheck = { path = '/' }\n";
    let bench = bench(&format!("app = 'shop'\n[functions.web]\nweb = 'app'\n{WEB}{more}"));
    let home = bench.path("home");
    let run = |arguments: &[&str], path: &str| {
        let mut command = bench.command(arguments);
        command.env("PATH", path).env("HOME", &home).env("XDG_CACHE_HOME", bench.path("cache")).output().unwrap()
    };
    for path in ["", "/nowhere"] {
        let output = run(&["deploy", "--local", "--yes"], path);
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains("cannot run `web` locally: `python3`, which runs `python3.13`, is not on PATH"),
            "{told}"
        );
        assert!(told.contains("hint: install `python3`, or add its directory to PATH"), "{told}");
        assert!(!bench.data().exists(), "not even the local cloud was started");
    }
    // A local cloud that runs already has a path of its own.
    assert!(run(&["local", "start"], "/nowhere").status.success());
    let output = bench.run(&["deploy", "--local", "--yes"]);
    let told = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("the local cloud cannot start it on this machine"), "{told}");
    assert!(told.contains("no `python3` to run `python3."), "{told}");
    assert!(told.contains("`lamstream local stop`, then `lamstream local start`"), "{told}");
    assert!(!told.contains("bootstrap"), "{told}");
}

#[test]
fn a_package_for_a_function_that_is_not_chosen_is_refused_by_name() {
    let bench = bench(&format!(
        "app = 'shop'\n[functions.c]\npackage = 'app'\n{HANDLER}[functions.d]\npackage = 'app'\n{HANDLER}\
         [functions.e]\npackage = 'app'\n{HANDLER}"
    ));
    for (arguments, expected) in [
        (
            &["deploy", "c", "--package", "d=/x.zip"][..],
            "`--package d=/x.zip` is for `d`, but this command is only about `c`",
        ),
        (
            &["plan", "c", "e", "--package", "d=/x.zip"],
            "`--package d=/x.zip` is for `d`, but this command is only about `c` and `e`",
        ),
        (&["deploy", "c", "--package", "f=/x.zip"], "the manifest has no function `f`"),
        (&["deploy", "--package", "f=/x.zip"], "the manifest has no function `f`"),
        (&["deploy", "--package", "/x.zip"], "does not name a function"),
    ] {
        let output = bench.run(&[arguments, &["--local"]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(errors(&output).contains(expected), "{arguments:?}: {}", said(&output));
    }
}
