//! Functions that share a crate, and functions that do not: what is built, how often, and what happens meanwhile.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

/// A cargo that notes what it is called for.
const NOTING: &str = "#!/bin/sh\necho \"$1\" >>cargo.log\nexec \"${REAL:-cargo}\" \"$@\"\n";

/// The call that uploads a new function.
const CREATE: &str = "POST /2015-03-31/functions";

fn write_crate(bench: &Bench, place: &str, more: &str) {
    let manifest = "[package]\nname = 'c'\nedition = '2024'\n[profile.lambda]\ninherits = 'dev'\n[workspace]\n";
    bench.write_all(&format!("{place}/Cargo.toml"), &format!("{manifest}{more}"));
    bench.write_all(&format!("{place}/src/main.rs"), include_str!("../fixtures/greeter.rs"));
}

/// Runs with a cargo that notes each call, and gives the calls.
fn noted(bench: &Bench, arguments: &[&str]) -> (Output, Vec<String>) {
    let cargo = bench.path("cargo");
    std::fs::write(&cargo, NOTING.replace("cargo.log", bench.path("cargo.log").to_str().unwrap())).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = bench.command(arguments);
    let real = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = command.env("CARGO", &cargo).env("REAL", real).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let calls = std::fs::read_to_string(bench.path("cargo.log")).unwrap();
    (output, calls.lines().map(str::to_owned).collect())
}

#[test]
fn a_crate_that_functions_share_is_built_once_and_zipped_once() {
    let functions = (0..5).map(|nth| format!("[functions.f{nth}]\ncrate = 'c'\n")).collect::<String>();
    let bench = Bench::new(&format!("app = 'shop'\n{functions}[functions.other]\ncrate = 'c'\ninclude = ['words']\n"));
    write_crate(&bench, "c", "");
    bench.write("c/words", "hello");
    let (output, calls) = noted(&bench, &["build", "--out", "out"]);
    assert_eq!(calls, ["metadata", "build"], "{}", said(&output));
    let zips: Vec<Vec<u8>> =
        ["f0", "f4", "other"].map(|name| std::fs::read(bench.path(&format!("out/{name}.zip"))).unwrap()).into();
    assert!(zips[0] == zips[1] && zips[0] != zips[2]);
}

#[test]
fn functions_with_other_settings_or_with_a_command_have_their_own_build() {
    let bench = Bench::new(
        "app = 'shop'\n[functions.a]\ncrate = 'c'\n[functions.b]\ncrate = 'c'\nbuild.features = ['more']\n\
         [functions.c]\ncrate = 'c'\nbuild.command = 'true'\n",
    );
    write_crate(&bench, "c", "[features]\nmore = []\n");
    let (output, calls) = noted(&bench, &["build", "--out", "out"]);
    assert_eq!(calls.iter().filter(|call| *call == "build").count(), 3, "{}", said(&output));
}

#[test]
fn a_function_is_uploaded_while_another_one_is_still_built() {
    let bench = Bench::new(
        "app = 'shop'\n[functions.a]\ncrate = 'a'\nurl = { auth = 'none' }\ncheck = { path = '/' }\n\
         [functions.b]\ncrate = 'b'\nurl = { auth = 'none' }\ncheck = { path = '/' }\n",
    );
    write_crate(&bench, "a", "");
    write_crate(&bench, "b", "");
    let pipe = bench.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // It ends after this test has written to the pipe.
    bench.write_all("b/build.rs", &format!("fn main() {{ std::fs::read({pipe:?}).unwrap(); }}\n"));
    let proxy = bench.proxy();
    let mut command = bench.through(&proxy, &["deploy", "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Reported sooner than a line that never comes.
    proxy.wait_for(CREATE);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let told: Vec<String> = lines.by_ref().take_while(|line| !line.contains("Created function shop-a")).collect();
    assert!(told.iter().any(|line| line.contains("Packaged a")), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("Packaged b")), "{told:?}");
    let earlier = proxy.take_calls();
    assert!(earlier.iter().any(|call| call == CREATE), "{earlier:?}");
    std::fs::write(&pipe, "go on").unwrap();
    let told: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{told:?}");
    let later = proxy.take_calls();
    // Only the first of the two functions was created before.
    assert_eq!(later.iter().filter(|call| *call == CREATE).count(), 1, "{later:?}");
}
