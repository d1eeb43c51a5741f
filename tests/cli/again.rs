//! Commands that a hint names are about the place that the command was about.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::CHAT;
use crate::support::bench::{Bench, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use lamstream::cli;
use lamstream::report::CommandLine;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What is typed with the options that say where: `global` for AWS, `local` for this machine.
const GLOBAL: &str = "--manifest 'my app.toml' --stage prod --profile 'it is' --region eu-west-1";

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// All commands that the program's own words name, each between its backticks, with the place where it stands.
fn named() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for room in ["src", "crates/import/src", "crates/localcloud/src", "crates/packaging/src"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(room), &mut sources);
    }
    let mut named = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests are at the end, and what they contain is not a message.
        let text = without_examples(text.split("#[cfg(test)]").next().unwrap());
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let place = format!("{}:{}: {}", path.display(), number + 1, line.trim());
            for code in line.split('`').skip(1).step_by(2).filter(|code| code.contains("lamstream ")) {
                named.push((place.clone(), code.replace("\\\"", "\"").replace("{command}", "deploy")));
            }
            // `local reset` alone cannot be run. Keys of the manifest have the names of commands, and one word may be one.
            let is_bare = |code: &&str| {
                let mut words = code.split(' ');
                words.next().is_some_and(|word| COMMANDS.contains(&word))
                    && words.next().is_some_and(|word| word != "=")
            };
            let bare: Vec<&str> = line.split('`').skip(1).step_by(2).filter(is_bare).collect();
            assert!(bare.is_empty() || is_reference(&path), "a command begins with `lamstream`: {bare:?} in {place}");
            let outside: String = line.split('`').step_by(2).collect();
            let words =
                outside.split("lamstream ").skip(1).map(|rest| rest.split([' ', '"', ',', ';']).next().unwrap());
            let named: Vec<&str> = words.filter(|word| COMMANDS.contains(word)).collect();
            assert!(named.is_empty(), "a command has to stand between backticks: {named:?} in {place}");
        }
    }
    named
}

/// Whether a file is part of a text about lamstream, which names commands without running them.
fn is_reference(path: &Path) -> bool {
    ["src/manifest/keys", "src/cli"]
        .iter()
        .any(|room| path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join(room)))
}

/// The examples of `--help` are commands alone, and about no place.
fn without_examples(text: &str) -> String {
    let mut parts = text.split("examples: &[");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once("};\n").expect("the end of a `Help`").1);
    std::iter::once(first).chain(rest).collect()
}

const COMMANDS: [&str; 15] = [
    "deploy", "plan", "url", "status", "stats", "releases", "rollback", "promote", "abort", "destroy", "logs",
    "invoke", "build", "import", "local",
];

fn parse(typed: &str) -> cli::TypedCommand {
    cli::parse(shlex::split(&format!("lamstream {typed}")).unwrap().into_iter().map(OsString::from)).unwrap().1
}

/// No command is forgotten, also none that comes new.
#[test]
fn every_command_that_is_named_is_completed() {
    let named = named();
    assert!(named.len() >= 20, "{named:#?}");
    let (aws, local) = (parse(&format!("url {GLOBAL}")), parse("local status --data 'my data'"));
    let here = parse("url --local --stage prod");
    for (place, code) in named {
        let complete = |again: &cli::TypedCommand| again.complete(&format!("do `{code}`"));
        match code.split("lamstream ").nth(1).unwrap().split_whitespace().collect::<Vec<_>>().as_slice() {
            // It reads no manifest, and deploys nothing.
            ["local", "adapter" | "layer", ..] | ["init", ..] => {}
            ["local", ..] => assert!(complete(&local).contains("--data 'my data'"), "{place}"),
            ["import", ..] => assert!(complete(&aws).contains("--region eu-west-1"), "{place}"),
            _ => {
                assert!(complete(&aws).contains(GLOBAL), "{place}: {}", complete(&aws));
                assert!(complete(&here).contains("--stage prod --local"), "{place}: {}", complete(&here));
            }
        }
    }
}

fn hints(bench: &Bench, arguments: &[&str]) -> String {
    let text = bench.run(arguments);
    let (document, _) = bench.json(arguments);
    let hints = document["error"]["hints"].as_array().unwrap_or_else(|| panic!("no error: {document:#}")).clone();
    let hints: Vec<&str> = hints.iter().map(|hint| hint.as_str().unwrap()).collect();
    for hint in &hints {
        assert!(said(&text).contains(hint), "text and JSON say the same: {hint}: {}", said(&text));
    }
    hints.join("\n")
}

#[test]
fn what_is_hinted_is_about_the_same_place() {
    let bench = Bench::new(CHAT);
    bench.write("my app.toml", &format!("{CHAT}\n[stages.prod]\n"));
    let place = ["--manifest", "my app.toml", "--stage", "prod", "--local"];
    let typed = "--manifest 'my app.toml' --stage prod --local";
    let with = |arguments: &[&str]| hints(&bench, &[arguments, &place].concat());
    assert_eq!(hints(&bench, &["destroy"]), "run `lamstream destroy --yes` to confirm in advance");
    // On AWS alone a change needs consent.
    let (on_aws, typed_on_aws) = (&place[..4], typed.trim_end_matches(" --local"));
    for (arguments, expected) in [
        (&["destroy", "chat", "--keep-logs"][..], format!("lamstream destroy {typed_on_aws} chat --keep-logs --yes")),
        (&["deploy", "chat"], format!("lamstream deploy {typed_on_aws} chat --yes")),
        (&["rollback", "--to", "3"], format!("lamstream rollback {typed_on_aws} --to 3 --yes")),
    ] {
        let hints = hints(&bench, &[arguments, on_aws].concat());
        assert!(hints.contains(&format!("`{expected}`")), "{arguments:?}: {hints}");
    }
    for (arguments, expected) in [
        (&["url"][..], format!("lamstream deploy {typed}")),
        (&["logs", "chat"], format!("lamstream deploy {typed}")),
        (&["invoke", "chat"], format!("lamstream deploy {typed}")),
        (&["releases"], format!("lamstream deploy {typed}")),
        (&["rollback", "--yes"], format!("lamstream deploy {typed}")),
        (&["promote"], format!("lamstream deploy {typed}")),
        (&["abort"], format!("lamstream deploy {typed}")),
    ] {
        let hints = with(arguments);
        assert!(hints.contains(&format!("`{expected}`")), "{arguments:?}: {hints}");
    }
    let local = hints(&bench, &["local", "env", "--data", "an other"]);
    assert_eq!(local, "run `lamstream local start --data 'an other'`");
    let import = hints(&bench, &["import", "sam", "nowhere.yaml", "--out", "b.toml"]);
    assert!(import.contains("`lamstream import sam --out b.toml FILE`"), "{import}");
}

/// A command for one function repeats itself with the name of one.
#[test]
fn what_is_hinted_names_one_of_several_functions() {
    let bench = Bench::new(&format!("{CHAT}[functions.admin]\ncrate = \"unused\"\n"));
    for command in ["url", "releases", "rollback", "promote", "abort"] {
        let hints = hints(&bench, &[command, "--local"]);
        assert_eq!(hints, format!("name one of them, such as `lamstream {command} --local chat`"));
    }
}

/// The stage of the environment is repeated: a line of a CI log is run where that variable is not set.
#[test]
fn what_is_hinted_on_aws_has_the_profile_the_region_and_the_stage_of_the_environment() {
    let bench = Bench::new(&format!("{CHAT}\n[stages.prod]\n"));
    let proxy = bench.proxy();
    let call = "GET /2021-10-31/functions/shop-prod-chat/url".to_owned();
    proxy.set(Trap { call, occurrence: 1, fault: Fault::Answer(Answer::Precondition), lasting: Lasting::Ever });
    for output in ["text", "json"] {
        let mut run = bench.through(&proxy, &["url", "--region", "us-east-1", "--output", output]);
        let output = run.env("LAMSTREAM_STAGE", "prod").output().unwrap();
        let expected = "`lamstream deploy --stage prod --region us-east-1`";
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    bench.write("home/.aws/credentials", "[it is]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = none\n");
    let output = bench.run(&["destroy", "--profile", "it is", "--region", "eu-west-1"]);
    let expected = "`lamstream destroy --profile 'it is' --region eu-west-1 --yes`";
    assert!(said(&output).contains(expected), "{}", said(&output));
}
