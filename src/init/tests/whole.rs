//! Servers in Go and Deno, other tools' configurations, and directories with several apps.

use super::{FASTAPI, has, only};
use crate::init::*;

#[test]
fn servers_in_go_and_deno_are_compiled() {
    let go = "package main\nimport \"net/http\"\nfunc main() { http.HandleFunc(\"/events\", events); http.ListenAndServe(\":9000\", nil) }\n\
              func events(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() }\n";
    has(
        &[("go.mod", "module example.com/chat\n"), ("cmd/server/main.go", go)],
        &["[functions.chat]", "run = \"./server\"", "port = 9000", "check = { path = \"/events\", streams = true }"],
        &[],
    );
    let deno = "Deno.serve({ port: 8000 }, () => new Response('hello'));\n";
    let (_, text) = only(&[("deno.json", "{}"), ("main.ts", deno)]);
    assert!(
        text.contains("deno compile --allow-all --output server main.ts") && text.contains("port = 8000"),
        "{text}"
    );
}

#[test]
fn other_tools_configurations_are_imported() {
    let sam = "Resources:\n  Chat:\n    Type: AWS::Serverless::Function\n";
    let cargo = "[package]\nname='a'\n[package.metadata.lambda.deploy]\nmemory=512\n";
    for (files, command) in [
        (&[("template.yaml", sam), ("main.py", FASTAPI)][..], "import sam"),
        (&[("Cargo.toml", cargo), ("src/main.rs", "")], "import cargo-lambda"),
        (&[("Cargo.toml", "[workspace]\n"), ("CargoLambda.toml", "")], "import cargo-lambda"),
    ] {
        let Survey::Import { command: found, .. } = survey(&Tree::of(files), &Installed::default()) else {
            panic!("{files:?}")
        };
        assert_eq!(found, command);
    }
    // Any other file of this name is none.
    let found = survey(&Tree::of(&[("template.yaml", "a: b\n"), ("main.py", FASTAPI)]), &Installed::default());
    assert!(matches!(found, Survey::Apps(_)));
}

#[test]
fn several_apps_are_found_unless_one_is_above_the_others_or_the_others_are_aside() {
    let apps = |files: &[(&str, &str)]| match survey(&Tree::of(files), &Installed::default()) {
        Survey::Apps(apps) => apps.into_iter().map(|app| app.directory).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let next = ("frontend/package.json", r#"{"dependencies":{"next":"16"}}"#);
    let api = ("backend/main.py", FASTAPI);
    let list = ("backend/requirements.txt", "fastapi\n");
    assert_eq!(apps(&[next, api, list]), ["backend", "frontend"]);
    assert_eq!(apps(&[next, ("main.py", FASTAPI)]), [""]);
    assert_eq!(
        apps(&[
            ("examples/a/main.py", FASTAPI),
            ("examples/a/requirements.txt", ""),
            ("a/b/main.py", FASTAPI),
            ("a/b/requirements.txt", "")
        ]),
        ["a/b"]
    );
    assert_eq!(apps(&[("README.md", ""), ("lib/util.py", "x = 1\n"), ("package.json", "{}")]), [""; 0]);
    // A library that uses hyper is not a server.
    assert_eq!(
        apps(&[("Cargo.toml", "[package]\nname='a'\n[dependencies]\nhyper='1'\n"), ("src/main.rs", "fn main() {}")]),
        [""; 0]
    );
}
