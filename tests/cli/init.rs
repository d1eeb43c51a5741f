//! `lamstream init`: what is written where, what is asked, and what never happens. And where the manifest is found.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::CHAT;
use crate::consent::on_terminal;
use crate::support::bench::{Bench, said};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const FASTAPI: &str = "from fastapi import FastAPI\nfrom fastapi.responses import StreamingResponse\napp = FastAPI()\n\n\
                       @app.get('/words')\nasync def words():\n    return StreamingResponse(x())\n";

/// A directory `my shop` with these files, and without a manifest.
fn bench(files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new("");
    fs::remove_file(bench.path("deploy.toml")).unwrap();
    fs::create_dir(bench.path("my shop")).unwrap();
    for (name, text) in files {
        bench.write_all(&format!("my shop/{name}"), text);
    }
    bench
}

/// All files below a directory.
fn files(bench: &Bench, directory: &str) -> Vec<String> {
    let (mut open, mut found) = (vec![bench.path(directory)], Vec::new());
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push(path.strip_prefix(bench.path(directory)).unwrap().display().to_string())
            }
        }
    }
    found.sort();
    found
}

#[test]
fn an_app_gets_a_manifest_and_the_next_command() {
    let bench = bench(&[("main.py", FASTAPI), ("requirements.txt", "fastapi\nuvicorn\n")]);
    let output = bench.run(&["init", "my shop", "--region", "eu-central-1"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", said(&output));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        told.lines().rev().take(2).collect::<Vec<_>>(),
        [
            "next: `lamstream deploy --manifest 'my shop/deploy.toml' --region eu-central-1 --local`",
            "wrote `my shop/deploy.toml`: a FastAPI app, `main:app`",
        ]
    );
    let manifest = fs::read_to_string(bench.path("my shop/deploy.toml")).unwrap();
    for line in ["app = \"my-shop\"", "check = { path = \"/words\", streams = true }"] {
        assert!(manifest.lines().any(|found| found == line), "{manifest}");
    }
    // Other commands take it for a manifest.
    assert!(bench.good(&["status", "--local", "-C", "my shop"]).contains("api: not deployed"));
    // It is never overwritten.
    for arguments in [&["init", "my shop"][..], &["init", "my shop", "--template", "rust"], &["init", "-C", "my shop"]]
    {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("deploy.toml` exists and will not be overwritten"), "{}", said(&output));
    }
    assert_eq!(fs::read_to_string(bench.path("my shop/deploy.toml")).unwrap(), manifest);
}

#[test]
fn json_says_what_was_written() {
    let bench = bench(&[("main.py", FASTAPI), ("requirements.txt", "fastapi\n")]);
    let (document, code) = bench.json(&["init", "my shop", "--name", "words", "--local"]);
    assert_eq!((code, &document["ok"], &document["app"]), (0, &json!(true), &json!("words")), "{document:#}");
    assert_eq!(document["files"], json!(["my shop/deploy.toml"]));
    assert_eq!(document["template"], Value::Null);
    assert_eq!(document["found"], json!("a FastAPI app, `main:app`"));
    assert!(document["notes"][0].as_str().unwrap().contains("add `uvicorn` to it"), "{document:#}");
    assert_eq!(document["next"], json!("lamstream deploy --manifest 'my shop/deploy.toml' --local"));
    let (document, code) = bench.json(&["init", "my shop"]);
    assert_eq!(
        (code, &document["files"], &document["error"]["kind"]),
        (2, &Value::Null, &json!("usage")),
        "{document:#}"
    );
    let (document, _) = bench.json(&["init", "--list"]);
    assert!(document["templates"].as_array().unwrap().iter().any(|template| template["name"] == "fastapi"));
    assert!(bench.good(&["init", "--list"]).lines().any(|line| line.starts_with("rust-axum ")));
}

#[test]
fn a_template_is_written_as_a_whole_or_not_at_all() {
    let bench = bench(&[]);
    for arguments in [&["init", "my shop"][..], &["init", "new"], &["init", "my shop", "--template", "cobol"]] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains("`rust`, `rust-axum`, `fastapi`, `express`, `hono`, `mcp-python`"),
            "{}",
            said(&output)
        );
    }
    bench.good(&["init", "a/new", "--template", "express"]);
    let expected = [".gitignore", "README.md", "app.js", "app.test.js", "deploy.toml", "package.json", "server.js"];
    assert_eq!(files(&bench, "a/new"), expected);
    // A template is not mixed with anything that is there, be it a link that leads nowhere.
    std::os::unix::fs::symlink("nowhere", bench.path("my shop/notes")).unwrap();
    let output = bench.run(&["init", "my shop", "--template", "express"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("`my shop` is not empty: it has `notes`"), "{}", said(&output));
    assert!(said(&output).contains("`lamstream init DIR --template NAME`"), "{}", said(&output));
    assert_eq!(files(&bench, "my shop"), ["notes"]);
    // Something in the place of a file fails in the middle of the work.
    let bench = self::bench(&[("README.md/chapter", "")]);
    let output = bench.run(&["init", "my shop", "--template", "rust"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("`my shop/README.md` exists and will not be overwritten"), "{}", said(&output));
    assert_eq!(files(&bench, "my shop"), ["README.md/chapter"], "{}", said(&output));
}

#[test]
fn a_new_repository_counts_as_empty() {
    let bench = bench(&[(".git/HEAD", "ref: refs/heads/main\n"), ("LICENSE", "")]);
    let output = bench.run(&["init", "my shop"]);
    assert!(said(&output).contains("has no app yet: choose a template"), "{}", said(&output));
    bench.write("my shop/README.md", "mine\n");
    bench.write("my shop/.gitignore", "*.log\n");
    let output = bench.run(&["init", "my shop", "--template", "hono"]);
    assert!(output.status.success(), "{}", said(&output));
    // What the repository has stays as it is.
    assert!(said(&output).contains("kept `.gitignore` and `README.md`, without"), "{}", said(&output));
    assert!(!said(&output).contains("wrote `my shop/README.md`"), "{}", said(&output));
    assert_eq!(fs::read_to_string(bench.path("my shop/README.md")).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(bench.path("my shop/.gitignore")).unwrap(), "*.log\n");
    assert!(bench.path("my shop/app.js").is_file() && bench.path("my shop/deploy.toml").is_file());
}

#[test]
fn several_apps_are_named_and_one_is_chosen_on_a_terminal() {
    let next = r#"{"dependencies":{"next":"16"},"scripts":{"build":"next build"}}"#;
    let all = [("api/main.py", FASTAPI), ("api/requirements.txt", "fastapi\nuvicorn\n"), ("site/package.json", next)];
    let bench = bench(&all);
    let output = bench.run(&["init", "my shop"]);
    assert_eq!(output.status.code(), Some(2));
    let told = said(&output);
    assert!(told.contains("found 2 apps: `api` (a FastAPI app, `main:app`), `site` (a Next.js site)"), "{told}");
    assert!(told.contains("such as `lamstream init 'my shop/api'`"), "{told}");
    for (typed, web) in [("2\n", "site"), ("\n", "api"), ("site\n", "site")] {
        let command = bench.command(&["init", "my shop"]);
        let output = on_terminal(&bench, &command, &json!([["which one?", { "type": typed }]])).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let manifest = fs::read_to_string(bench.path("my shop/deploy.toml")).unwrap();
        assert!(manifest.contains(&format!("web = \"{web}\"")), "{typed:?}: {manifest}");
        fs::remove_file(bench.path("my shop/deploy.toml")).unwrap();
    }
    let output = on_terminal(&bench, &bench.command(&["init", "my shop"]), &json!([["which one?", { "type": "7\n" }]]))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(!bench.path("my shop/deploy.toml").exists());
}

#[test]
fn a_template_is_chosen_on_a_terminal() {
    let bench = bench(&[]);
    let command = bench.command(&["init", "-C", "my shop"]);
    let output = on_terminal(&bench, &command, &json!([["which one?", { "type": "hono\n" }]])).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        bench.path("my shop/app.js").exists() && said(&output).contains("lamstream deploy -C 'my shop' --local"),
        "{}",
        said(&output)
    );
}

#[test]
fn other_tools_and_unknown_directories_are_named_with_a_way_on() {
    let sam = ("template.yaml", "Resources:\n  A:\n    Type: AWS::Serverless::Function\n");
    let cargo = ("Cargo.toml", "[package]\nname = \"a\"\n[package.metadata.lambda.deploy]\nmemory = 512\n");
    for (files, hint) in [
        (&[sam][..], "`lamstream import sam 'my shop/template.yaml' --out 'my shop/deploy.toml'`"),
        (
            &[cargo, ("src/main.rs", "fn main() {}")],
            "`lamstream import cargo-lambda 'my shop' --out 'my shop/deploy.toml'`",
        ),
        (&[("notes.txt", "")], "`lamstream init DIR --template NAME`"),
    ] {
        let bench = bench(files);
        let output = bench.run(&["init", "my shop"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(hint), "{hint}: {}", said(&output));
    }
    let bench = bench(&[sam]);
    assert!(said(&bench.run(&["init", "-C", "my shop"])).contains("import it: `lamstream import sam -C 'my shop'`"));
    for (arguments, words) in [
        (&["init", "my shop/template.yaml"][..], "is not a directory"),
        (&["init", "--manifest", "x.toml"], "takes no `--manifest`"),
        (&["init", "--name", "a b"], "expected at most 40 letters"),
        (&["status", "-C", "nowhere"], "cannot change to the directory `nowhere`"),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_left_as_it_was() {
    if rustix::process::geteuid().is_root() {
        // No directory refuses root, except those of the kernel.
        let bench = bench(&[]);
        let output = bench.run(&["init", "/proc/lamstream", "--template", "hono"]);
        assert!(
            output.status.code() == Some(2) && said(&output).contains("cannot create `/proc/lamstream`"),
            "{}",
            said(&output)
        );
        return;
    }
    let bench = bench(&[]);
    fs::set_permissions(bench.path("my shop"), fs::Permissions::from_mode(0o555)).unwrap();
    let output = bench.run(&["init", "my shop", "--template", "hono"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(files(&bench, "my shop"), [""; 0]);
}

#[test]
fn the_manifest_is_found_above_and_its_paths_stay_its_own() {
    let bench = Bench::new(CHAT);
    fs::create_dir_all(bench.path("deep/er")).unwrap();
    let in_deep = |arguments: &[&str]| bench.command(arguments).current_dir(bench.path("deep/er")).output().unwrap();
    let output = in_deep(&["status", "--local"]);
    assert!(output.status.success() && said(&output).contains("chat: not deployed"), "{}", said(&output));
    // A mistake is shown with the file that has it.
    bench.write("deploy.toml", &CHAT.replace("app =", "ap ="));
    let output = in_deep(&["status", "--local"]);
    assert!(said(&output).contains("../../deploy.toml:2:1"), "{}", said(&output));
    bench.write("deploy.toml", CHAT);
    // A nearer one takes precedence, and one that is typed is not searched for.
    bench.write("deep/deploy.toml", &CHAT.replace("functions.chat", "functions.near"));
    assert!(said(&in_deep(&["status", "--local"])).contains("near: not deployed"));
    let output = in_deep(&["status", "--local", "--manifest", "deploy.toml"]);
    assert!(
        output.status.code() == Some(2) && said(&output).contains("cannot read the manifest `deploy.toml`"),
        "{}",
        said(&output)
    );
    // The hint works from the same directory.
    let output = in_deep(&["url", "--local"]);
    assert!(said(&output).contains("run `lamstream deploy --local`"), "{}", said(&output));
}

#[test]
fn without_a_manifest_every_command_says_how_to_get_one() {
    let bench = bench(&[]);
    for command in [
        "plan", "deploy", "status", "url", "destroy", "build", "releases", "rollback", "promote", "abort", "verify",
        "logs",
    ] {
        let output = bench.run(&[command, "--local", "-C", "my shop"]);
        assert_eq!(output.status.code(), Some(2), "{command}: {}", said(&output));
        let told = said(&output);
        assert!(told.contains("error: found no `deploy.toml` in this directory or above it"), "{command}: {told}");
        assert!(told.contains("run `lamstream init -C 'my shop'`"), "{command}: {told}");
        let example: String =
            told.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect();
        assert_eq!(example.lines().count(), 5, "{command}: {told}");
        bench.write("deploy.toml", &example);
        let status = bench.run(&["status", "--local"]);
        assert!(status.status.success(), "{}", said(&status));
        fs::remove_file(bench.path("deploy.toml")).unwrap();
    }
}
