//! `build.command`: what it gets, when it runs again, and what is said if it fails.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use std::process::Output;

const MANIFEST: &str = "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'nodejs22.x'\nrun = 'node index.js'\n\
                        dependencies = 'none'\n";

/// A bench with an app whose `build` is this table; what the bench itself writes is not in the project.
fn with(build: &str) -> Bench {
    let bench = Bench::new("");
    bench.write_all("repo/.git/HEAD", "");
    bench.write("repo/deploy.toml", &format!("{MANIFEST}build = {build}\n[stages.prod]\n"));
    bench.write_all("repo/app/index.js", "");
    bench
}

fn build(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = bench.command(&[&["build", "--out", "../out"], arguments].concat());
    command.current_dir(bench.path("repo")).output().unwrap()
}

fn good(bench: &Bench, arguments: &[&str]) -> String {
    let output = build(bench, arguments);
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

fn bad(bench: &Bench, code: i32) -> String {
    let output = build(bench, &[]);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    assert!(!bench.path("out/site.zip").exists());
    said(&output)
}

fn runs(bench: &Bench) -> usize {
    std::fs::read_to_string(bench.path("runs")).unwrap_or_default().lines().count()
}

#[test]
fn a_command_runs_in_the_apps_directory_with_its_variables_and_is_shown() {
    let bench =
        with(r#"{ command = 'echo "say $LAMSTREAM_SYSTEM/$LAMSTREAM_ARCHITECTURE/$LAMSTREAM_STAGE" | tee made.txt' }"#);
    let words = good(&bench, &["--stage", "prod", "--arch", "arm64"]);
    assert!(words.contains("say linux/arm64/prod"), "{words}");
    assert_eq!(std::fs::read_to_string(bench.path("repo/app/made.txt")).unwrap(), "say linux/arm64/prod\n");
    assert!(good(&bench, &["--arch", "x86_64"]).contains("say linux/x86_64/"));
    let harmless = with("{ command = 'printf \"\\033]52;c;x\\007 ::add-mask::x\\n\"' }");
    let words = good(&harmless, &[]);
    assert!(!words.contains('\u{1b}') && !words.contains("\n::add-mask"), "{words}");
}

#[test]
fn a_command_runs_again_only_if_something_has_changed() {
    let bench = with("{ command = 'echo x >> ../../runs; cat ../src.txt > made.txt' }");
    bench.write("repo/src.txt", "1");
    let again = |expected: usize, why: &str| {
        let words = good(&bench, &[]);
        assert_eq!(runs(&bench), expected, "{why}");
        assert_eq!(words.contains("so it was not run again"), why == "nothing", "{words}");
    };
    again(1, "the first time");
    again(1, "nothing");
    bench.write("repo/src.txt", "2");
    again(2, "a file beside the app");
    std::fs::remove_file(bench.path("repo/app/made.txt")).unwrap();
    again(3, "what it made");
    bench.write_all("repo/node_modules/x.js", "");
    bench.write_all("repo/.git/index", "");
    again(3, "nothing");
    good(&bench, &["--arch", "arm64"]);
    assert_eq!(runs(&bench), 4);
    let manifest = std::fs::read_to_string(bench.path("repo/deploy.toml")).unwrap();
    bench.write("repo/deploy.toml", &manifest.replace("[stages.prod]", "# a word\n[stages.prod]"));
    good(&bench, &["--arch", "arm64"]);
    assert_eq!(runs(&bench), 4);
    bench.write("repo/deploy.toml", &manifest.replace("echo x", "echo y"));
    again(5, "the command");
    // A command that failed has not run.
    bench.write("repo/deploy.toml", &manifest.replace("cat", "exit 1; cat"));
    for expected in [6, 7] {
        assert!(!build(&bench, &[]).status.success());
        assert_eq!(runs(&bench), expected);
    }
}

#[test]
fn a_command_makes_the_directory_or_the_zip_that_is_packaged() {
    let bench = with("{ command = 'mkdir -p dist && echo made > dist/index.js', directory = '.' }");
    let manifest = std::fs::read_to_string(bench.path("repo/deploy.toml")).unwrap();
    bench.write("repo/deploy.toml", &manifest.replace("web = 'app'", "web = 'dist'"));
    good(&bench, &[]);
    assert!(bench.path("out/site.zip").exists());
    let zipped = "app = 'shop'\n[functions.site]\npackage = 'out.zip'\nruntime = 'nodejs22.x'\nhandler = 'index.handler'\n\
                  build = { command = 'python3 -m zipfile -c out.zip app' }\n";
    bench.write("repo/deploy.toml", zipped);
    let words = said(&build(&bench, &[]));
    assert!(words.contains("it has no file for the handler"), "{words}");
    bench.write("repo/deploy.toml", &zipped.replace("out.zip app'", "out.zip app/index.js'"));
    good(&bench, &[]);
}

#[test]
fn a_command_that_cannot_run_or_fails_is_reported() {
    let failed = |command: &str, expected: &[&str]| {
        let bench = with(&format!("{{ command = '{command}' }}"));
        let words = bad(&bench, 1);
        assert!(expected.iter().all(|expected| words.contains(expected)), "{command}: {words}");
    };
    failed("echo the reason; exit 3", &["`echo the reason; exit 3`", "exited with status 3", "the reason"]);
    failed("no-such-program --x", &["did not find a program", "no-such-program", "npx NAME"]);
    failed("./index.js", &["cannot be executed", "chmod +x"]);
    failed("kill -9 $$", &["was ended by SIGKILL", "too much memory"]);
    failed("sh -c \"kill -TERM \\$\\$\"; exit $?", &["ended by SIGTERM"]);
    let nowhere = with("{ command = 'true', directory = 'nowhere' }");
    let words = bad(&nowhere, 2);
    assert!(words.contains("deploy.toml:7:") && words.contains("cannot run `build.command` in `nowhere`"), "{words}");
    let nothing = with("{ command = 'true', directory = '.' }");
    let manifest = std::fs::read_to_string(nothing.path("repo/deploy.toml")).unwrap();
    nothing.write("repo/deploy.toml", &manifest.replace("web = 'app'", "web = 'dist'"));
    assert!(bad(&nothing, 1).contains("cannot use the directory `dist`: it does not exist"));
}

#[test]
fn a_process_that_a_command_leaves_behind_does_not_hold_it_up() {
    let bench = with("{ command = 'sleep 20 & echo started' }");
    let began = std::time::Instant::now();
    assert!(good(&bench, &[]).contains("started"));
    assert!(began.elapsed().as_secs() < 15);
}

#[test]
fn nothing_is_created_before_a_command_has_succeeded() {
    let bench = with("{ command = 'exit 1' }");
    let mut command = bench.command(&["deploy", "--local"]);
    let output = command.current_dir(bench.path("repo")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let mut command = bench.command(&["status", "--local", "--output", "json"]);
    let output = command.current_dir(bench.path("repo")).output().unwrap();
    let words = said(&output);
    let absent = ["\"state\":\"absent\"", "{\"action\":\"create\",\"fields\":[],\"kind\":\"log_group\""];
    assert!(absent.iter().all(|absent| words.contains(absent)), "{words}");
}
