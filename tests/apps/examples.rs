//! The examples as they stand: deployed into the local cloud, streamed from, destroyed.

use crate::support::bench::{Bench, said};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The example that needs Rust. The others get by without it.
const RUST: &str = "axum-web";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Shared by all tests and runs: what it holds takes long to install.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// The command line as a user types it in the example's directory.
fn command(bench: &Bench, example: &str, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    command.current_dir(root().join("examples").join(example)).env("LAMSTREAM_CACHE_DIR", cache());
    // The interpreters of this machine are found through it.
    command.envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    if example != RUST {
        without_rust(bench, &mut command);
    }
    command
}

/// Takes Rust's tools out of a command's environment, as on a machine where they were never installed.
fn without_rust(bench: &Bench, command: &mut Command) {
    let path = std::env::var_os("PATH").unwrap();
    let others = std::env::split_paths(&path).enumerate().map(|(at, directory)| {
        if !directory.join("cargo").exists() && !directory.join("rustc").exists() {
            return directory;
        }
        // Everything else in this directory stays.
        let rest = bench.path(&format!("path-{at}"));
        std::fs::create_dir_all(&rest).unwrap();
        for entry in std::fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let (name, link) = (entry.file_name(), rest.join(entry.file_name()));
            if ![Some("cargo"), Some("rustc")].contains(&name.to_str()) && std::fs::symlink_metadata(&link).is_err() {
                std::os::unix::fs::symlink(entry.path(), link).unwrap();
            }
        }
        rest
    });
    command.env("PATH", std::env::join_paths(others).unwrap());
    for name in ["CARGO", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
}

fn good(bench: &Bench, example: &str, arguments: &[&str]) -> String {
    let output = command(bench, example, arguments).output().unwrap();
    assert!(output.status.success(), "{example} {arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Deploys an example, gives what is behind `path` of its URL to `check`, and destroys it.
fn lives(example: &str, path: &str, curl: &[&str], check: impl FnOnce(&mut dyn Read)) {
    let bench = Bench::new("");
    let url = good(&bench, example, &["deploy", "--local", "--yes"]);
    assert_eq!(good(&bench, example, &["url", "--local"]), url);
    assert_eq!(good(&bench, example, &["deploy", "--local", "--yes"]), url, "a second deploy says the same");
    assert_eq!(good(&bench, example, &["plan", "--local"]).trim(), "no changes");
    let mut child = Command::new("curl")
        .args(["--silent", "--no-buffer"])
        .args(curl)
        .arg(format!("{}{path}", url.trim()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    check(child.stdout.as_mut().unwrap());
    assert!(child.wait().unwrap().success());
    good(&bench, example, &["destroy", "--local", "--yes"]);
    assert!(good(&bench, example, &["status", "--local"]).contains("not deployed"));
}

/// Reads until `first` is there, and proves that the end was not there with it.
pub(crate) fn streams(answer: &mut dyn Read, first: &str) -> String {
    let (mut text, mut part) = (String::new(), [0; 4096]);
    let begun = std::time::Instant::now();
    let mut first_seen = None;
    loop {
        match answer.read(&mut part).unwrap() {
            0 => break,
            count => text.push_str(std::str::from_utf8(&part[..count]).unwrap()),
        }
        if first_seen.is_none() && text.contains(first) {
            first_seen = Some((begun.elapsed(), text.len()));
        }
    }
    let (at, length) = first_seen.unwrap_or_else(|| panic!("no `{first}` in {text}"));
    assert!(length < text.len() && at < begun.elapsed(), "all of it came at once");
    text
}

#[test]
fn fastapi_chat_gives_the_articles_bytes() {
    lives("fastapi-chat", "stream/chat?query=hello", &["-X", "POST"], |answer| {
        let text = streams(answer, "[START]");
        assert_eq!(text.as_bytes(), include_bytes!("../fixtures/stream_chat_body.bin"));
    });
}

#[test]
fn express_sse_sends_events() {
    lives("express-sse", "events?count=5", &[], |answer| {
        let text = streams(answer, "id: 1\n");
        assert_eq!(text.matches("event: tick\n").count(), 5);
        assert!(text.ends_with("event: end\ndata: {}\n\n"), "{text}");
    });
}

#[test]
fn mcp_python_streams_its_progress() {
    let call = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"count\",\
                \"arguments\":{\"to\":3},\"_meta\":{\"progressToken\":\"p\"}}}";
    let accept = "accept: application/json, text/event-stream";
    lives("mcp-python", "mcp", &["-H", "content-type: application/json", "-H", accept, "-d", call], |answer| {
        let text = streams(answer, "\"progress\":1");
        assert_eq!(text.matches("notifications/progress").count(), 3, "{text}");
        assert!(text.contains("counted to 3"), "{text}");
    });
}

#[test]
fn axum_web_counts() {
    lives(RUST, "count?to=5", &[], |answer| assert_eq!(streams(answer, "1\n"), "1\n2\n3\n4\n5\n"));
}

#[test]
fn a_sam_template_is_imported_deployed_and_streams() {
    let bench = Bench::new("");
    std::fs::remove_file(bench.path("deploy.toml")).unwrap();
    let template = root().join("crates/import/tests/fixtures/40-streaming-article.yaml");
    std::fs::copy(template, bench.path("template.yaml")).unwrap();
    let app = root().join("examples/fastapi-chat/app");
    std::fs::create_dir(bench.path("app")).unwrap();
    for name in ["main.py", "run.sh"] {
        std::fs::copy(app.join(name), bench.path("app").join(name)).unwrap();
    }
    // Versions that have wheels for the template's Python, and for those of most machines.
    bench.write("app/requirements.txt", "fastapi==0.115.6\nuvicorn==0.34.0\npydantic==2.10.4\n");
    let run = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.env("LAMSTREAM_CACHE_DIR", cache()).envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
        command.output().unwrap()
    };
    let imported = run(&["import", "sam", "template.yaml"]);
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
    let deployed = run(&["deploy", "--local", "--yes"]);
    assert!(deployed.status.success(), "{}", said(&deployed));
    let url = String::from_utf8(deployed.stdout).unwrap();
    let answer = Command::new("curl")
        .args(["--silent", "--no-buffer", "-X", "POST"])
        .arg(format!("{}stream/chat?query=hello", url.trim()))
        .output()
        .unwrap();
    assert_eq!(answer.stdout, include_bytes!("../fixtures/stream_chat_body.bin"));
}
