//! An answer that cannot be written is no success.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use crate::talker::talker;
use clap::CommandFactory;
use lamstream::cli::Arguments;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Output, Stdio};

/// One run of every command that has an answer; what is not here is in `SILENT`.
const RUNS: &[&[&str]] = &[
    &["--help"],
    &["--version"],
    &["help"],
    &["help", "deploy"],
    &["logs", "--help"],
    &["-h"],
    &["plan", "--local", "--package", "talker.zip"],
    &["deploy", "--local", "--yes", "--package", "talker.zip"],
    &["url", "--local"],
    &["status", "--local"],
    &["stats", "--local"],
    &["releases", "--local"],
    &["stages", "--local"],
    &["init", "--list"],
    &["policy", "--local"],
    &["doctor", "--local"],
    &["promote", "--local"],
    &["abort", "--local"],
    &["logs", "talker", "--local"],
    &["invoke", "talker", "/what", "--local"],
    &["build", "--local", "--manifest", "app.toml"],
    &["import", "sam", "template.yaml", "--out", "-"],
    &["import", "cargo-lambda", "crate", "--out", "-"],
    &["completions", "bash"],
    &["schema"],
    &["local", "start"],
    &["local", "status"],
    &["local", "env"],
    &["local", "adapter", "install", "--from", "adapter"],
    &["local", "layer", "add", "arn:aws:lambda:us-east-1:123456789012:layer:one:1", "layer.zip"],
];

/// Commands that answer nothing in text, or that a test of its own is for.
const OTHERS: &[&str] = &[
    "dev",
    "verify",
    "rollback",
    "destroy",
    "import function",
    "secret set",
    "secret list",
    "secret delete",
    "man",
    "local run",
    "local stop",
    "local reset",
    "local adapter remove",
];

fn bench() -> Bench {
    let bench = talker("none");
    bench.write(
        "app.toml",
        "app = \"other\"\n[functions.page]\npackage = \"page\"\nruntime = \"nodejs22.x\"\nhandler = \"a.b\"\n",
    );
    std::fs::create_dir(bench.path("page")).unwrap();
    bench.write("page/a.js", "exports.b = 1;\n");
    bench.write(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         Runtime: nodejs22.x\n      Handler: a.b\n      CodeUri: page\n      FunctionUrlConfig: { AuthType: NONE }\n",
    );
    bench.write_all(
        "crate/Cargo.toml",
        "[package]\nname = 'crate'\nedition = '2024'\n[package.metadata.lambda.deploy]\nmemory = 256\n[workspace]\n",
    );
    bench.write_all("crate/src/main.rs", "fn main() {}\n");
    std::fs::copy("/bin/true", bench.path("adapter")).unwrap();
    let mut zip = zip::ZipWriter::new(File::create(bench.path("layer.zip")).unwrap());
    zip.start_file("file", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"text").unwrap();
    zip.finish().unwrap();
    bench.good(&["invoke", "talker", "/log?tag=x&count=1", "--local"]);
    bench
}

fn into(bench: &Bench, arguments: &[&str], stdout: Stdio) -> Output {
    let mut command = bench.command(arguments);
    command.env("LAMSTREAM_CACHE_DIR", bench.path("cache"));
    command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn a_full_disk_is_reported_and_a_reader_who_left_is_not() {
    // `/dev/full` is of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = bench();
    for run in RUNS {
        for output in ["text", "json"] {
            let is_parser = run.iter().any(|word| ["help", "--help", "-h", "--version"].contains(word));
            let arguments = if is_parser { run.to_vec() } else { [*run, &["--output", output]].concat() };
            let failed = into(&bench, &arguments, full());
            let errors = String::from_utf8_lossy(&failed.stderr).into_owned();
            assert_eq!(failed.status.code(), Some(1), "{arguments:?}: {errors}");
            assert_eq!(
                errors.matches("error: cannot write to stdout: No space left").count(),
                1,
                "{arguments:?}: {errors}"
            );

            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let left = into(&bench, &arguments, writer.into());
            let errors = String::from_utf8_lossy(&left.stderr).into_owned();
            // What is left over of an import has an exit code of its own.
            let codes = if run[0] == "import" { [0, 3] } else { [0, 0] };
            assert!(codes.contains(&left.status.code().unwrap()), "{arguments:?}: {errors}");
            assert!(!errors.contains("error:"), "{arguments:?}: {errors}");
        }
    }
    for command in [&["local", "stop"][..], &["local", "reset"], &["destroy", "--yes", "--local"]] {
        let silent = into(&bench, command, full());
        assert_eq!(silent.status.code(), Some(0), "{}", said(&silent));
        let failed = into(&bench, &[command, &["--output", "json"]].concat(), full());
        assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    }
}

/// A command that comes new has to be in the table.
#[test]
fn every_command_is_in_the_table() {
    fn leaves(command: &clap::Command, above: &str, all: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let path = format!("{above}{}", inner.get_name());
            if inner.has_subcommands() { leaves(inner, &format!("{path} "), all) } else { all.push(path) }
        }
    }
    let mut all = Vec::new();
    leaves(&Arguments::command(), "", &mut all);
    let table: Vec<String> = RUNS.iter().map(|run| run.join(" ") + " ").collect();
    for path in all {
        let is_tested = OTHERS.contains(&path.as_str()) || table.iter().any(|run| run.starts_with(&format!("{path} ")));
        assert!(is_tested, "`{path}` is in no table");
    }
}

#[test]
fn a_failure_keeps_its_exit_code_and_both_are_reported() {
    // `/dev/full` is of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = Bench::new("app = 1");
    for output in ["text", "json"] {
        let failed = into(&bench, &["url", "--local", "--output", output], full());
        assert_eq!(failed.status.code(), Some(2), "{}", said(&failed));
        assert!(said(&failed).contains("deploy.toml:1:"), "{}", said(&failed));
        assert_eq!(said(&failed).contains("cannot write to stdout"), output == "json", "{}", said(&failed));
    }
}

/// The one who started it waits for the address, which never comes.
#[test]
fn a_local_cloud_that_cannot_tell_its_address_ends() {
    // `/dev/full` is of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = Bench::new("");
    let failed = into(&bench, &["local", "run"], full());
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(said(&failed).contains("cannot write to stdout"), "{}", said(&failed));
    assert_eq!(bench.good(&["local", "status"]), "not running\n");
}

/// A pipe that another program has made not to block, as some of Node's are, gets all of a long answer.
#[test]
fn a_pipe_that_does_not_block_gets_everything() {
    let bench = talker("none");
    bench.write("body", &"0123456789abcdef".repeat(20_000));
    for output in ["text", "json"] {
        let arguments = ["invoke", "talker", "/echo", "--local", "-q", "-d", "@body", "--output", output];
        let (mut reader, writer) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut child = bench.command(&arguments).stdout(Stdio::from(writer)).stderr(Stdio::piped()).spawn().unwrap();
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let body: String = match output {
            "text" => read,
            _ => serde_json::from_str::<serde_json::Value>(&read).unwrap()["response"]["body"].as_str().unwrap().into(),
        };
        assert!(body == "0123456789abcdef".repeat(20_000), "{output}: {} bytes", body.len());
    }
}

/// The standard library opens `/dev/null` in place of a stdout that is closed.
#[test]
fn a_closed_stdout_is_reported_and_one_that_is_thrown_away_is_not() {
    let bench = bench();
    let run = |arguments: &str, stdout: &str| {
        let command = bench.command(&[]);
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &format!("exec '{}' {arguments} {stdout}", command.get_program().display())]);
        shell.current_dir(bench.path("")).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::null()).output().unwrap()
    };
    for arguments in ["url --local", "status --local --output json", "--version", "help", "local env"] {
        let failed = run(arguments, ">&-");
        let errors = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(1), "{arguments}: {errors}");
        assert!(errors.contains("error: cannot write to stdout: it is closed"), "{arguments}: {errors}");
        for thrown in [">/dev/null", "1<>/dev/null"] {
            let away = run(arguments, thrown);
            assert_eq!(away.status.code(), Some(0), "{arguments} {thrown}: {}", said(&away));
        }
    }
    let failed = run("logs talker --local --follow", ">&-");
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
}
