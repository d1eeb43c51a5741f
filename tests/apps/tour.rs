//! docs/tour.md: its commands are run one after the other, and must print what it shows.

use crate::examples::cache;
use crate::support::bench::{Bench, LAMSTREAM};
use crate::support::python::found;
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What differs from run to run. Columns are as wide as what is in them.
const VOLATILE: [(&str, &str); 12] = [
    // A step that takes long is named while it runs.
    (r"(?m)^ +[A-Z][a-z]+ing .*\n", ""),
    (r"\b\d+ chunks", "CHUNKS"),
    // Frames of packages, whose newest version is installed.
    (r#"(?m)^ +File ".*/(starlette|fastapi|uvicorn|anyio)/.*\n"#, ""),
    (r"\b\d+m \d+s|\b\d+(\.\d+)?\s?m?s\b", "TIME"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"digest [A-Za-z0-9+/]{8}…", "digest DIGEST"),
    (r"\b[A-Za-z0-9+/]{8}…", "DIGEST"),
    (r"\b\d+(\.\d+)? (B|KB|MB)\b", "SIZE"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "DATE"),
    (r"[A-Za-z0-9+/]{8} +(verified|failed|unverified)", "DIGEST $1"),
    (r"code [A-Za-z0-9+/]{8} -> [A-Za-z0-9+/]{8}", "code DIGESTS"),
    (r" +", " "),
];

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tour.md")
}

/// The text without what differs from run to run.
fn lasting(text: &str) -> String {
    let replaced = |text: String, (pattern, word): &(&str, &str)| {
        Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
    };
    VOLATILE.iter().fold(text.to_owned(), replaced)
}

/// A shell in the tour's directory, which `cd` changes.
struct Shell {
    bench: Bench,
    directory: PathBuf,
}

impl Shell {
    fn new() -> Shell {
        let bench = Bench::new("");
        fs::remove_file(bench.path("deploy.toml")).unwrap();
        fs::create_dir(bench.path("bin")).unwrap();
        std::os::unix::fs::symlink(LAMSTREAM, bench.path("bin/lamstream")).unwrap();
        fs::create_dir(bench.path("work")).unwrap();
        let directory = bench.path("work");
        Shell { bench, directory }
    }

    /// What a command prints on both streams, in their order.
    fn run(&mut self, command: &str) -> String {
        if let Some(directory) = command.strip_prefix("cd ") {
            self.directory.push(directory);
            return String::new();
        }
        let mut shell = Command::new("bash");
        let known = self.bench.command(&[]);
        shell.env_clear().envs(known.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", self.bench.path("bin").display())).env("LAMSTREAM_CACHE_DIR", cache());
        let output =
            shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(&self.directory).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The document with what its commands print today.
fn run_again(text: &str) -> String {
    let mut shell = Shell::new();
    let mut said = String::new();
    let mut is_session = false;
    for line in text.lines() {
        match line {
            "```console" => is_session = true,
            "```" => is_session = false,
            _ => {}
        }
        let command = line.strip_prefix("$ ").filter(|_| is_session);
        if !is_session || command.is_some() || line == "```console" {
            said += &format!("{line}\n");
        }
        if let Some(command) = command {
            said += &shell.run(command);
        }
    }
    said.replace(&shell.bench.data().display().to_string(), "~/.local/state/lamstream/local")
}

#[test]
fn the_tour_is_as_it_says() {
    let tools = Command::new("curl").arg("--version").output().map_err(|error| format!("cannot run curl: {error}"));
    if found(tools).is_none() {
        return;
    }
    let text = fs::read_to_string(document()).unwrap();
    let today = run_again(&text);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(document(), &today).unwrap();
        return;
    }
    let (is, was) = (lasting(&today), lasting(&text));
    let differs = is.lines().zip(was.lines()).find(|(is, was)| is != was);
    assert!(is == was, "docs/tour.md differs, first where {differs:?}; `UPDATE_SNAPSHOTS=1` writes it again\n{today}");
}
