//! Builds side by side: each gets the binary of its own crate and of its own checkout, whatever else is built.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const ROUNDS: usize = 4;
/// Little work for the compiler.
const QUICK: &str = "\n[profile.lambda]\ninherits = 'dev'\n";

/// A crate whose binary is called `bootstrap`, as every crate for Lambda may call it.
fn write_crate(bench: &Bench, place: &str, name: &str, more: &str) {
    let manifest =
        format!("[package]\nname = '{name}'\nedition = '2024'\n[[bin]]\nname = 'bootstrap'\npath = 'main.rs'\n");
    bench.write_all(&format!("{place}/Cargo.toml"), &(manifest + more));
}

fn mark(bench: &Bench, place: &str, mark: &str) {
    bench.write_all(&format!("{place}/main.rs"), &format!("fn main() {{ println!(\"MARK-{mark}-END\") }}\n"));
}

/// What the binary in a package would say.
fn marked(zip: &Path) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut binary = Vec::new();
    archive.by_name("bootstrap").unwrap().read_to_end(&mut binary).unwrap();
    let text = String::from_utf8_lossy(&binary);
    let (_, rest) = text.split_once("MARK-").unwrap();
    rest.split_once("-END").unwrap().0.to_owned()
}

/// Two crates of one workspace.
fn workspace() -> Bench {
    let bench = Bench::new("app = 'shop'\n[functions.a]\ncrate = 'a'\n[functions.b]\ncrate = 'b'\n");
    bench.write("Cargo.toml", &format!("[workspace]\nmembers = ['a', 'b']\nresolver = '3'\n{QUICK}"));
    for name in ["a", "b"] {
        write_crate(&bench, name, name, "");
        mark(&bench, name, name);
    }
    bench
}

fn build(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(&[&["build"], arguments].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn good(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    output
}

/// The one directory in which lamstream builds a workspace.
fn build_directory(target: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(target.join("lamstream")).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.next().unwrap();
    assert_eq!(entries.next(), None);
    found
}

#[test]
fn two_crates_with_binaries_of_one_name_never_exchange_them() {
    let bench = workspace();
    for round in 0..ROUNDS {
        mark(&bench, "a", &format!("a{round}"));
        let one = build(&bench, &["a", "--out", "one"]).spawn().unwrap();
        let other = build(&bench, &["b", "--out", "other"]).spawn().unwrap();
        good(one);
        good(other);
        assert_eq!(marked(&bench.path("one/a.zip")), format!("a{round}"));
        assert_eq!(marked(&bench.path("other/b.zip")), "b");
    }
}

#[test]
fn two_checkouts_with_one_target_directory_exchange_nothing_and_rebuild_nothing() {
    let bench = Bench::new("");
    let manifest = "app = 'shop'\n[functions.f]\ncrate = 'c'\n";
    let checkouts = ["one", "two"];
    for place in checkouts {
        bench.write_all(&format!("{place}/deploy.toml"), manifest);
        write_crate(
            &bench,
            &format!("{place}/c"),
            "c",
            &format!("[dependencies]\nshared = {{ path = 'shared' }}\n[workspace]\n{QUICK}"),
        );
        bench.write_all(&format!("{place}/c/shared/Cargo.toml"), "[package]\nname = 'shared'\nedition = '2024'\n");
        bench.write_all(&format!("{place}/c/shared/src/lib.rs"), "");
    }
    let start = |place: &str| {
        let manifest = format!("{place}/deploy.toml");
        let mut command = build(&bench, &["--manifest", &manifest, "--out", place]);
        command.env("CARGO_TARGET_DIR", bench.path("target")).spawn().unwrap()
    };
    let both = || checkouts.map(start).into_iter().for_each(|running| drop(good(running)));
    let zip = |place: &str| bench.path(&format!("{place}/f.zip"));
    for round in 0..ROUNDS {
        for place in checkouts {
            mark(&bench, &format!("{place}/c"), &format!("{place}{round}"));
        }
        both();
        for place in checkouts {
            assert_eq!(marked(&zip(place)), format!("{place}{round}"));
        }
    }
    for place in checkouts {
        let output = good(start(place));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("Compiling"), "{place}: {}", said(&output));
    }
    // With the same sources it is the same zip.
    for place in checkouts {
        mark(&bench, &format!("{place}/c"), "same");
    }
    both();
    assert_eq!(std::fs::read(zip("one")).unwrap(), std::fs::read(zip("two")).unwrap());
}

#[test]
fn a_plain_cargo_in_the_same_directory_exchanges_nothing() {
    let bench = workspace();
    good(build(&bench, &["--out", "out"]).spawn().unwrap());
    let directory = build_directory(&bench.path("target"));
    let mut target =
        std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let target = target.find(|name| name.contains("-linux-")).unwrap();
    for round in 0..ROUNDS {
        mark(&bench, "a", &format!("a{round}"));
        mark(&bench, "b", &format!("b{round}"));
        let ours = build(&bench, &["a", "--out", "out"]).spawn().unwrap();
        let theirs = Command::new("cargo")
            .args(["build", "--quiet", "--profile", "lambda", "--package", "b"])
            .args(["--target", &target, "--target-dir"])
            .arg(&directory)
            .current_dir(bench.directory.path())
            .env_remove("CARGO_TARGET_DIR")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        good(theirs);
        good(ours);
        assert_eq!(marked(&bench.path("out/a.zip")), format!("a{round}"));
    }
}

/// Reads until a line with these words.
fn wait_for(lines: &mut impl BufRead, words: &str) {
    let mut story = String::new();
    while lines.read_line(&mut story).unwrap() > 0 {
        if story.contains(words) {
            return;
        }
    }
    panic!("no `{words}` in {story}");
}

#[test]
fn who_waits_for_another_lamstream_says_so_and_a_signal_ends_the_wait() {
    let bench = workspace();
    good(build(&bench, &["a", "--out", "out"]).spawn().unwrap());
    let directory = build_directory(&bench.path("target"));
    let held = std::fs::File::options().write(true).open(directory.join(".lamstream-lock")).unwrap();
    held.lock().unwrap();
    let words = format!("Waiting for another lamstream building in `{}`", directory.display());
    let mut waiting = build(&bench, &["a", "--out", "out"]).spawn().unwrap();
    wait_for(&mut BufReader::new(waiting.stderr.take().unwrap()), &words);
    kill_process(Pid::from_raw(waiting.id() as i32).unwrap(), Signal::INT).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(130));

    let mut waiting = build(&bench, &["a", "--out", "out"]).spawn().unwrap();
    let mut story = BufReader::new(waiting.stderr.take().unwrap());
    wait_for(&mut story, &words);
    held.unlock().unwrap();
    wait_for(&mut story, "Packaged");
    assert!(waiting.wait().unwrap().success());
}

/// The build script connects, and continues when the test says so.
const SCRIPT: &str = "use std::{io::{Read, Write}, net::TcpStream};
fn main() {
    let port: u16 = std::fs::read_to_string(\"port\").unwrap().parse().unwrap();
    let mut test = TcpStream::connect((\"127.0.0.1\", port)).unwrap();
    test.write_all(b\"!\").unwrap();
    test.read_exact(&mut [0]).unwrap();
}
";

#[test]
fn a_lamstream_that_is_killed_holds_nothing_up() {
    let bench = workspace();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    bench.write("a/build.rs", SCRIPT);
    bench.write("a/port", &listener.local_addr().unwrap().port().to_string());
    let accept = || -> TcpStream {
        let (mut script, _) = listener.accept().unwrap();
        script.read_exact(&mut [0]).unwrap();
        script
    };
    let mut killed = build(&bench, &["a", "--out", "out"]).stderr(Stdio::null()).spawn().unwrap();
    let mut script = accept();
    let mut other = build(&bench, &["b", "--out", "out"]).spawn().unwrap();
    let mut story = BufReader::new(other.stderr.take().unwrap());
    wait_for(&mut story, "Waiting for another lamstream");
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Its cargo lives on, and cargo itself makes others wait for it.
    script.write_all(b"!").unwrap();
    wait_for(&mut story, "Packaged");
    assert!(other.wait().unwrap().success());
    assert_eq!(marked(&bench.path("out/b.zip")), "b");
}
