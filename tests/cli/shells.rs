//! Completions in real shells, manual pages as `man` shows them, and the schema.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, LAMSTREAM, said};
use crate::support::python::found;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str =
    "app = 'shop'\n[functions.chat]\ncrate = 'c'\n[functions.site]\ncrate = 'd'\n[stages.prod]\n[stages.'pr-*']\n";

/// What bash itself offers for a line: the script's function, called as readline calls it.
const BASH: &str = r#"
source <(lamstream completions bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_TYPE=9
$(complete -p lamstream | sed 's/.*-F \([^ ]*\).*/\1/') lamstream "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// zsh on a terminal: types a line with a tab, and prints the line that zsh makes of it.
const ZSH: &str = r#"
import os, pty, select, sys
directory, line = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(directory)
    os.execvp("zsh", ["zsh", "-f", "-i"])
seen = b""
def until(sign):
    global seen
    while sign not in seen:
        assert select.select([terminal], [], [], 60)[0], seen
        seen += os.read(terminal, 4096)
    seen = b""
os.write(terminal, b"unsetopt prompt_sp; autoload -U compinit; compinit -u -D; source <(lamstream completions zsh); PS1=rea''dy:\n")
until(b"ready:")
os.write(terminal, line.encode() + b"\t--help; echo en''d\n")
while b"end\r\n" not in seen:
    assert select.select([terminal], [], [], 60)[0], seen
    seen += os.read(terminal, 4096)
os.close(terminal)
sys.stdout.buffer.write(seen)
"#;

/// A shell with the bench's settings, in which `lamstream` is the real binary.
fn shell(bench: &Bench, program: &str) -> Command {
    let mut command = Command::new(program);
    let inherited = bench.command(&[]);
    command.env_clear().envs(inherited.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let path = std::env::var("PATH").unwrap();
    let binaries = Path::new(LAMSTREAM).parent().unwrap().display();
    command.env("PATH", format!("{binaries}:{path}")).env("TERM", "dumb").current_dir(bench.path(""));
    command
}

fn is_there(program: &str) -> bool {
    let missing = || format!("{program} is not installed");
    found(Command::new(program).arg("--version").output().map(drop).map_err(|_| missing())).is_some()
}

fn bench() -> Bench {
    let bench = Bench::new(MANIFEST);
    bench.write_all("other/deploy.toml", "app = 'other'\n[functions.page]\ncrate = 'c'\n");
    std::fs::create_dir_all(bench.path("c/src")).unwrap();
    bench
}

#[test]
fn bash_completes_commands_options_functions_and_stages() {
    let bench = bench();
    let offered = |words: &[&str]| {
        let output = shell(&bench, "bash").args(["--norc", "-c", BASH, "bash"]).args(words).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let mut words: Vec<String> =
            String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!(offered(&["lamstream", "roll"]), ["rollback"]);
    assert_eq!(offered(&["lamstream", "deploy", "--no-v"]), ["--no-verify"]);
    assert_eq!(offered(&["lamstream", "deploy", "ch"]), ["chat"]);
    assert_eq!(offered(&["lamstream", "logs", "s"]), ["site"]);
    assert_eq!(offered(&["lamstream", "deploy", "--stage", ""]), ["prod"], "a pattern is not a name");
    assert_eq!(offered(&["lamstream", "--stage", "prod", "url", "c"]), ["chat"]);
    assert_eq!(offered(&["lamstream", "-C", "other", "url", "p"]), ["page"]);
    assert_eq!(offered(&["lamstream", "-C", "c/src", "url", "si"]), ["site"], "the manifest above");
    assert_eq!(offered(&["lamstream", "url", "--manifest", "other/deploy.toml", "p"]), ["page"]);
    assert_eq!(offered(&["lamstream", "completions", "ba"]), ["bash"]);
    // A shell may run what it completes.
    bench.write(
        "deploy.toml",
        "[functions.'chat$(touch${IFS}owned)']\n[functions.char]\n[stages.'prod;touch owned;#']\n",
    );
    assert_eq!(offered(&["lamstream", "deploy", "ch"]), ["char"]);
    assert_eq!(offered(&["lamstream", "--stage", "pr"]), Vec::<String>::new());
    bench.write("deploy.toml", "[functions");
    assert_eq!(offered(&["lamstream", "deploy", "ch"]), Vec::<String>::new());
}

#[test]
fn fish_and_zsh_complete_functions() {
    let bench = bench();
    if is_there("fish") {
        let script = "lamstream completions fish | source; complete -C 'lamstream url c'";
        let output = shell(&bench, "fish").args(["--no-config", "-c", script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "chat\n", "{}", said(&output));
    }
    if is_there("zsh") {
        let mut command = shell(&bench, "python3");
        let output = command.args(["-c", ZSH]).arg(bench.path("")).arg("lamstream url c").output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("lamstream url chat "), "{}", said(&output));
    }
}

#[test]
fn the_script_of_powershell_asks_lamstream() {
    let script = Bench::new("").good(&["completions", "powershell"]);
    assert!(script.contains("Register-ArgumentCompleter") && script.contains("LAMSTREAM_COMPLETE"), "{script}");
}

#[test]
fn every_command_has_a_page_that_man_can_show() {
    let bench = Bench::new("");
    let (document, _) = bench.json(&["man", "pages/man1"]);
    let files: Vec<&str> = document["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    for page in ["lamstream.1", "lamstream-deploy.1", "lamstream-local-start.1", "lamstream-import-sam.1"] {
        assert!(files.contains(&format!("pages/man1/{page}").as_str()), "{files:?}");
    }
    let page = std::fs::read_to_string(bench.path("pages/man1/lamstream-deploy.1")).unwrap();
    for part in [".SH EXAMPLES\n", "lamstream deploy chat ", "\\-\\-no\\-verify"] {
        assert!(page.contains(part) && !page.contains("EXTRA"), "{part}: {page}");
    }
    if is_there("mandoc") {
        let mut lint = Command::new("mandoc");
        let output =
            lint.args(["-T", "lint", "-W", "error"]).args(&files).current_dir(bench.path("")).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let refused = bench.run(&["man", "deploy.toml/pages"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    std::fs::create_dir_all(bench.path("blocked/lamstream-deploy.1")).unwrap();
    let refused = bench.run(&["man", "blocked"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("cannot write `blocked/lamstream-deploy.1`: "), "{}", said(&refused));
}

#[test]
fn the_schema_is_that_of_the_documentation_and_init_sets_it_up() {
    let bench = Bench::new("");
    let documented =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy.schema.json")).unwrap();
    assert_eq!(bench.good(&["schema"]), documented);
    bench.good(&["init", "chat", "--template", "fastapi", "--schema"]);
    assert_eq!(std::fs::read_to_string(bench.path("chat/deploy.schema.json")).unwrap(), documented);
    let manifest = std::fs::read_to_string(bench.path("chat/deploy.toml")).unwrap();
    assert!(manifest.starts_with("#:schema ./deploy.schema.json\n"), "{manifest}");
    bench.write_all("app/main.py", "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef f(): return 1\n");
    bench.write("app/requirements.txt", "fastapi\nuvicorn\n");
    bench.write("app/deploy.schema.json", "{}");
    let refused = bench.run(&["init", "app", "--schema"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(!bench.path("app/deploy.toml").exists(), "all files are written, or none");
    std::fs::remove_file(bench.path("app/deploy.schema.json")).unwrap();
    bench.good(&["init", "app", "--schema"]);
    assert!(
        std::fs::read_to_string(bench.path("app/deploy.toml")).unwrap().starts_with("#:schema ./deploy.schema.json\n")
    );
}
