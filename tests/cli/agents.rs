//! What coding agents read: its commands work as written.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use crate::support::python::found;
use lamstream::cli;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

fn skill() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("skills/lamstream/SKILL.md")).unwrap()
}

/// The lines of all blocks of this language, without their comments.
fn blocks(language: &str) -> Vec<String> {
    let (text, fence) = (skill(), format!("```{language}\n"));
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap().trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

fn words(line: &str) -> Vec<String> {
    shlex::split(line).unwrap()
}

#[test]
fn the_commands_of_the_skill_work_in_their_order() {
    if found(Command::new("node").arg("--version").output().map_err(|error| format!("no Node.js: {error}"))).is_none() {
        return;
    }
    let bench = Bench::new("");
    fs::remove_file(bench.path("deploy.toml")).unwrap();
    bench.write("package.json", r#"{ "name": "shop", "type": "module", "scripts": { "start": "node index.js" } }"#);
    bench.write(
        "index.js",
        "import { createServer } from 'node:http';\n\
         createServer((request, response) => { console.log('asked'); response.end('hello'); }).listen(process.env.PORT);\n",
    );
    let commands = blocks("sh");
    assert!(commands.len() > 10, "{commands:?}");
    for line in &commands {
        let output = bench.run(&words(line)[1..].iter().map(String::as_str).collect::<Vec<_>>());
        assert!(output.status.success(), "{line}: {}", said(&output));
        if line.contains("json") {
            let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((&document["ok"], &document["error"]), (&true.into(), &serde_json::Value::Null));
        }
        match words(line)[1].as_str() {
            "invoke" => assert_eq!(String::from_utf8_lossy(&output.stdout), "hello"),
            "logs" => assert!(said(&output).contains("asked"), "{}", said(&output)),
            _ => {}
        }
    }
    let manifest = skill().split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    lamstream::manifest::parse(&manifest, Some("pr-12")).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn the_commands_of_the_skill_on_aws_exist() {
    let commands = blocks("console");
    assert!(commands.len() > 4, "{commands:?}");
    for line in commands {
        let parsed = cli::parse(words(&line).into_iter().map(OsString::from));
        assert!(parsed.is_ok(), "{line}: {}", parsed.map(drop).unwrap_err());
    }
}
