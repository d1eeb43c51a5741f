//! Crates as people have them: features, profiles, locks, flags for their own processor, files beside the binary, and
//! dependencies elsewhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

/// Little work for the compiler.
const QUICK: &str = "[profile.lambda]\ninherits = 'dev'\n";
const PLAIN: &str = "app = 'shop'\n[functions.f]\ncrate = 'c'\n";

/// A crate in `c` with this main file, and these lines in its `Cargo.toml`.
fn bench(keys: &str, main: &str, more: &str) -> Bench {
    let bench = Bench::new(&format!("{PLAIN}{keys}"));
    write_crate(&bench, "c", main, more);
    bench
}

fn write_crate(bench: &Bench, place: &str, main: &str, more: &str) {
    let profile = if more.contains("[profile.lambda]") { "" } else { QUICK };
    let manifest = format!("[package]\nname = 'c'\nedition = '2024'\n{more}\n{profile}[workspace]\n");
    bench.write_all(&format!("{place}/Cargo.toml"), &manifest);
    bench.write_all(&format!("{place}/src/main.rs"), main);
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files of the package in `f.zip`.
fn packaged(zip: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut read = |name: String| {
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    names.into_iter().map(&mut read).collect()
}

/// Builds, and gives what the binary prints and what was reported.
fn built(bench: &Bench, variables: &[(&str, &str)]) -> (String, String) {
    let output = bench.command(&["build", "--out", "out"]).envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{variables:?} {}", said(&output));
    let file = bench.path("run-me");
    std::fs::write(&file, &packaged(&bench.path("out/f.zip"))["bootstrap"]).unwrap();
    // No process that another test has forked holds the copy of another process open.
    let script = "cp \"$0\" \"$0.own\" && chmod +x \"$0.own\" && exec \"$0.own\"";
    let ran = Command::new("sh").args(["-c", script]).arg(&file).output().unwrap();
    (String::from_utf8(ran.stdout).unwrap(), errors(&output))
}

fn refused(bench: &Bench, variables: &[(&str, &str)], code: i32) -> String {
    let output = bench.command(&["build", "--out", "out"]).envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    errors(&output)
}

#[test]
fn features_and_profiles_of_the_manifest_are_used() {
    let main = "fn main() {\n\
                println!(\"{} {} {}\", cfg!(feature = \"lambda\"), cfg!(feature = \"plain\"), cfg!(debug_assertions));\n}\n";
    let more = "[features]\ndefault = ['plain']\nplain = []\nlambda = []\n[profile.checked]\ninherits = 'release'\n\
                debug-assertions = true\n[profile.lambda]\ninherits = 'dev'\ndebug-assertions = false";
    for (keys, expected) in [
        ("", "false true false\n"),
        ("build.features = ['lambda']\n", "true true false\n"),
        ("build = { features = ['lambda'], default_features = false }\n", "true false false\n"),
        ("build.profile = 'checked'\n", "false true true\n"),
        ("build.profile = 'release'\n", "false true false\n"),
        ("build.profile = 'dev'\n", "false true true\n"),
    ] {
        assert_eq!(built(&bench(keys, main, more), &[]).0, expected, "{keys}");
    }
}

#[test]
fn a_feature_or_profile_that_is_missing_is_named_with_the_key_to_write() {
    let gated = "[features]\nlambda = []\n[[bin]]\nname = 'c'\nrequired-features = ['lambda']";
    let table = [
        ("", gated, "4:", "requires the feature `lambda`", "hint: set `build.features = [\"lambda\"]`"),
        ("build.features = ['lamda']\n", gated, "4:18: ", "it has no feature `lamda`", "hint: its features: `lambda`"),
        (
            "build.profile = 'smal'\n",
            "[profile.small]\ninherits = 'release'",
            "4:17: ",
            "the profile `smal`",
            "`small`",
        ),
    ];
    for (keys, more, place, words, hint) in table {
        let told = refused(&bench(keys, "fn main() {}\n", more), &[], 2);
        let place = if keys.is_empty() { "deploy.toml:3:9: " } else { &format!("deploy.toml:{place}") };
        for expected in [place, words, hint] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }
    let with = bench("build.features = ['lambda']\n", "fn main() { println!(\"yes\") }\n", gated);
    assert_eq!(built(&with, &[]).0, "yes\n");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn no_flag_asks_for_more_than_every_processor_of_lambda_has() {
    const MAIN: &str = "fn main() {\n    println!(\"{} {} {}\", cfg!(target_feature = \"avx512f\"), \
                        cfg!(target_feature = \"avx2\"), cfg!(kept));\n}\n";
    const TARGET: &str = "target.x86_64-unknown-linux-gnu.rustflags";
    const OWN: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
    const KEPT: &str = "--cfg kept";
    let (cpu, feature) = ("-C target-cpu=znver4", "-C target-feature=+avx512f,+avx2");
    let config = |key: &str, flags: &str| format!("{key} = '{flags} {KEPT}'");
    let list =
        |key: &str, flags: &str| format!("{key} = {:?}", format!("{flags} {KEPT}").split(' ').collect::<Vec<_>>());
    let table = [
        (config("build.rustflags", cpu), vec![], "znver4"),
        (list("build.rustflags", "-C target-cpu=native"), vec![], "native"),
        (config(TARGET, cpu), vec![], "znver4"),
        // It would come after a table of lamstream's.
        (list("target.'cfg(unix)'.rustflags", cpu), vec![], "znver4"),
        (config("target.'cfg(unix)'.rustflags", feature), vec![], "+avx512f"),
        (String::new(), vec![("RUSTFLAGS", format!("{cpu} {KEPT}"))], "znver4"),
        (String::new(), vec![("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-cpu=znver4\u{1f}--cfg\u{1f}kept".into())], "znver4"),
        (config("build.rustflags", ""), vec![("CARGO_BUILD_RUSTFLAGS", cpu.into())], "znver4"),
        (config(TARGET, ""), vec![(OWN, cpu.to_owned())], "znver4"),
    ];
    for (configuration, variables, named) in table {
        let bench = bench("", MAIN, "[lints.rust]\nunexpected_cfgs = 'allow'");
        bench.write_all(".cargo/config.toml", &configuration);
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (printed, told) = built(&bench, &variables);
        assert_eq!(printed, "false true true\n", "{configuration} {variables:?}: {told}");
        let notes: Vec<&str> = told.lines().filter(|line| line.contains("not built with")).collect();
        assert_eq!(notes.len(), 1, "{told}");
        assert!(notes[0].contains(named) && notes[0].contains("`x86-64-v3`"), "{told}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn flags_for_what_lambda_has_stay_as_they_are() {
    let main =
        "fn main() {\n    println!(\"{} {}\", cfg!(target_feature = \"avx2\"), cfg!(target_feature = \"aes\"));\n}\n";
    for (flags, expected) in [
        ("-C target-cpu=haswell -C target-feature=+aes", "true true\n"),
        ("-C target-cpu=x86-64-v3", "true false\n"),
        ("-C target-cpu=x86-64-v2", "false false\n"),
        ("-C target-feature=+crt-static", "false false\n"),
    ] {
        let (printed, told) = built(&bench("", main, ""), &[("RUSTFLAGS", flags)]);
        assert_eq!(printed, expected, "{flags}");
        assert!(!told.contains("not built with"), "{flags}: {told}");
    }
}

/// A workspace with a dependency beside it, which has one itself, a build script, and the line that panics.
fn write_checkout(bench: &Bench, place: &str) {
    bench.write_all(&format!("{place}/deploy.toml"), "app = 'shop'\n[functions.f]\ncrate = 'app'\n");
    let needs = |name: &str| format!("[dependencies]\n{name} = {{ path = '../libs/{name}' }}\n");
    // A profile that is optimised shows what depends on the names of symbols.
    let more = format!(
        "{}[profile.lambda]\ninherits = 'release'\nlto = 'fat'\ncodegen-units = 1\nstrip = true\n",
        needs("words")
    );
    let main = "fn main() { println!(\"{}\", words::place()) }\n";
    write_crate(bench, &format!("{place}/app"), main, &more);
    let library = |name: &str, more: &str| format!("[package]\nname = '{name}'\nedition = '2024'\n{more}");
    let words = library("words", "[dependencies]\ninner = { path = '../inner' }\n");
    bench.write_all(&format!("{place}/libs/words/Cargo.toml"), &words);
    let code = "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n\
                pub fn place() -> String { format!(\"{} {} {}\", file!(), inner::place(), made()) }\n";
    bench.write_all(&format!("{place}/libs/words/src/lib.rs"), code);
    let script = "fn main() {\n    let made = std::path::Path::new(&std::env::var(\"OUT_DIR\").unwrap()).join(\"made.rs\");\n    \
                  std::fs::write(made, \"fn made() -> &'static str { file!() }\").unwrap();\n}\n";
    bench.write_all(&format!("{place}/libs/words/build.rs"), script);
    bench.write_all(&format!("{place}/libs/inner/Cargo.toml"), &library("inner", ""));
    let inner = "pub fn place() -> &'static str { std::any::type_name::<Here>(); file!() }\npub struct Here;\n";
    bench.write_all(&format!("{place}/libs/inner/src/lib.rs"), inner);
}

#[test]
fn dependencies_outside_the_workspace_give_the_same_bytes_in_every_checkout() {
    let bench = Bench::new("");
    let checkouts = ["one", "another/deeper"];
    for place in checkouts {
        write_checkout(&bench, place);
        let manifest = format!("{place}/deploy.toml");
        bench.good(&["build", "--manifest", &manifest, "--out", place]);
    }
    let [one, other] =
        checkouts.map(|place| packaged(&bench.path(&format!("{place}/f.zip"))).remove("bootstrap").unwrap());
    let text = String::from_utf8_lossy(&one);
    for place in
        ["/workspace/../libs/words/src/lib.rs", "/workspace/../libs/inner/src/lib.rs", "/target/build/words/out"]
    {
        assert!(text.contains(place), "{place}");
    }
    assert!(!text.contains(bench.directory.path().to_str().unwrap()), "the binary remembers where it was built");
    assert!(one == other, "two checkouts, two binaries");
}

#[test]
fn a_wrapper_of_the_compiler_is_called_for_dependencies_outside_the_workspace() {
    let bench = Bench::new("");
    write_checkout(&bench, "one");
    let wrapper = bench.path("wrapper");
    std::fs::write(&wrapper, "#!/bin/sh\necho \"$@\" >> \"${0%/*}/calls\"\nexec \"$@\"\n").unwrap();
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = bench.command(&["build", "--manifest", "one/deploy.toml", "--out", "out"]);
    let output = command.env("RUSTC_WRAPPER", &wrapper).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let calls = std::fs::read_to_string(bench.path("calls")).unwrap();
    assert!(
        calls.contains("--crate-name inner") && calls.contains("metadata=/workspace/../libs/inner inner 0.0.0"),
        "{calls}"
    );
}

#[test]
fn files_beside_the_binary_are_packaged_and_found() {
    let main = "fn main() { println!(\"{}\", std::fs::read_to_string(\"assets/words.txt\").unwrap()) }\n";
    let bench = bench("include = ['assets/**', 'config/*.yaml']\nexclude = ['*.psd']\n", main, "");
    for (file, text) in [("words.txt", "hello"), ("raw.psd", ""), (".env", "A=1"), ("deep/x.css", "")] {
        bench.write_all(&format!("c/assets/{file}"), text);
    }
    bench.write_all("c/config/production.yaml", "");
    bench.write_all("c/config/notes.md", "");
    let output = bench.run(&["build", "--out", "out"]);
    assert!(output.status.success(), "{}", said(&output));
    let files = packaged(&bench.path("out/f.zip"));
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["assets/deep/x.css", "assets/words.txt", "bootstrap", "config/production.yaml"]);
    assert!(errors(&output).contains("`assets/.env` is left out"), "{}", errors(&output));

    bench.write("deploy.toml", &format!("{PLAIN}include = ['asets']\n"));
    std::fs::remove_dir_all(bench.path("c/target")).unwrap();
    let told = refused(&bench, &[], 2);
    assert!(told.contains("deploy.toml:4:11: ") && told.contains("`asets` in `include` matches no file"), "{told}");
    assert!(!bench.path("c/target").exists(), "nothing was built");
    bench.write("deploy.toml", &format!("{PLAIN}include = ['assets']\n"));
    bench.write("c/assets/bootstrap", "");
    bench.write("deploy.toml", &format!("{PLAIN}include = ['assets', 'bootstrap']\n"));
    bench.write("c/bootstrap", "");
    let told = refused(&bench, &[], 1);
    assert!(told.contains("`include` names `bootstrap`, which is made by the build"), "{told}");
}

#[test]
fn a_stale_lock_file_is_refused_where_it_is_sealed_and_reported_elsewhere() {
    let dependency = "[dependencies]\nwords = { path = 'words' }";
    let bench = bench("", "fn main() {}\n", dependency);
    let words = |version: &str| {
        let manifest = format!("[package]\nname = 'words'\nversion = '{version}'\nedition = '2024'\n");
        bench.write_all("c/words/Cargo.toml", &manifest);
    };
    words("1.0.0");
    bench.write_all("c/words/src/lib.rs", "");
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(bench.directory.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    git(&["init", "-q"]);
    let ci = [("CI", "true")];
    // A lock file that is not in Git may be written.
    assert!(!built(&bench, &ci).1.contains("Cargo.lock"));
    git(&["add", "c/Cargo.lock"]);
    assert!(!built(&bench, &ci).1.contains("Cargo.lock"));
    words("2.0.0");
    let lock = std::fs::read(bench.path("c/Cargo.lock")).unwrap();
    let told = refused(&bench, &ci, 1);
    for expected in [
        "c/Cargo.lock` does not fit",
        "hint: run `cargo update --workspace`, then commit the file",
        "`build.locked = false`",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert_eq!(std::fs::read(bench.path("c/Cargo.lock")).unwrap(), lock);
    bench.write("deploy.toml", &format!("{PLAIN}build.locked = true\n"));
    assert!(refused(&bench, &[], 1).contains("does not fit"));
    bench.write("deploy.toml", &format!("{PLAIN}build.locked = false\n"));
    assert!(built(&bench, &ci).1.contains("cargo has updated"));
    bench.write("deploy.toml", PLAIN);
    words("3.0.0");
    assert!(built(&bench, &[]).1.contains("c/Cargo.lock`, which did not fit: commit it"));
    assert!(!built(&bench, &ci).1.contains("Cargo.lock"));
}

#[test]
fn a_target_of_cargos_configuration_is_heeded_or_told() {
    let bench = bench("", "fn main() { println!(\"ran\") }\n", "");
    bench.write_all(".cargo/config.toml", "build.target = 'wasm32-unknown-unknown'");
    let (printed, told) = built(&bench, &[]);
    assert_eq!(printed, "ran\n");
    assert!(told.contains("but `wasm32-unknown-unknown` does not run on Lambda with `x86_64`"), "{told}");
    // It is heeded: whether it can be built or not depends on what is installed.
    bench.write(".cargo/config.toml", "build.target = 'x86_64-unknown-linux-musl'");
    let output = bench.run(&["-v", "build", "--out", "out"]);
    let told = errors(&output);
    let heeded = ["building `f` for x86_64-unknown-linux-musl", "`x86_64-unknown-linux-musl` is not installed"];
    assert!(heeded.iter().any(|words| told.contains(words)), "{told}");
    assert!(output.status.success() || told.contains("sets `build.target` to `x86_64-unknown-linux-musl`"), "{told}");
}

#[test]
fn the_compilers_errors_are_shown_with_quiet_too() {
    let bench = bench("", "fn main() { nowhere() }\n", "");
    let output = bench.run(&["-q", "build", "--out", "out"]);
    let told = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error[E0425]") && told.contains("src/main.rs:1:13"), "{told}");
    bench.write("c/src/main.rs", "fn main() {}\n");
    let output = bench.run(&["-q", "build", "--out", "out"]);
    assert_eq!(errors(&output), "", "{}", said(&output));
}

#[test]
fn a_program_that_never_asks_lambda_for_a_request_is_refused_before_it_is_uploaded() {
    let main = "fn main() { let _ = std::net::TcpListener::bind(\"127.0.0.1:0\").map(|it| it.accept()); }\n";
    let bench = bench("url = { auth = 'none' }\n", main, "");
    let output = bench.run(&["deploy", "--local", "--yes"]);
    let told = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for expected in
        ["cannot deploy `f`: its program `c` never asks Lambda for a request", "`port = 8080` in `[functions.f]`"]
    {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // Its package may still be wanted.
    let output = bench.run(&["build", "--out", "out"]);
    assert!(
        output.status.success() && errors(&output).contains("never asks Lambda for a request"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_binary_is_started_with_the_arguments_of_run() {
    let main = "use std::io::Write;\nfn main() {\n    let words: Vec<String> = std::env::args().skip(1).collect();\n    \
                let port = std::env::var(\"PORT\").unwrap();\n    \
                let listener = std::net::TcpListener::bind(format!(\"127.0.0.1:{port}\")).unwrap();\n    \
                for stream in listener.incoming() {\n        let mut stream = stream.unwrap();\n        \
                let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);\n        let body = words.join(\" \");\n        \
                let _ = write!(stream, \"HTTP/1.1 200 OK\\r\\ncontent-length: {}\\r\\nconnection: close\\r\\n\\r\\n{body}\", \
                body.len());\n    }\n}\n";
    let bench = bench("run = 'c start --fast'\nurl = { auth = 'none' }\n", main, "");
    bench.good(&["deploy", "--local", "--yes"]);
    assert_eq!(bench.good(&["invoke", "--local", "f"]), "start --fast");
}
