//! `lamstream secret`: values go in by stdin or a prompt, and never come out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::consent::on_terminal;
use crate::support::bench::{Bench, said};
use serde_json::json;
use std::io::Write;
use std::process::{Output, Stdio};

const VALUE: &str = "planted-secret-4711";
const MANIFEST: &str = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\n[stages.prod]\n";

fn typed(bench: &Bench, stdin: &[u8], arguments: &[&str]) -> Output {
    let mut command = bench.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

/// What functions would get.
fn stored(bench: &Bench, name: &str) -> String {
    let keys = crate::support::aws::Keys::of(bench);
    let found = keys.json("AmazonSSM.GetParameter", &json!({ "Name": name, "WithDecryption": true }));
    assert_eq!(found["Parameter"]["Type"], "SecureString");
    found["Parameter"]["Value"].as_str().unwrap().to_owned()
}

#[test]
fn a_value_is_stored_listed_used_and_deleted() {
    let bench = Bench::new(MANIFEST);
    let set = typed(&bench, format!("{VALUE}\r\n").as_bytes(), &["secret", "set", "TOKEN", "--local"]);
    let line = "environment.TOKEN = { ssm = \"/shop/TOKEN\" }";
    assert_eq!(set.status.code(), Some(0), "{}", said(&set));
    assert!(said(&set).contains(&format!("write `{line}` below `[functions.chat]`")), "{}", said(&set));
    assert!(said(&set).contains("run `lamstream deploy --local`"), "{}", said(&set));
    assert_eq!(stored(&bench, "/shop/TOKEN"), VALUE, "without the line end");
    // One line end is not part of a value, and a second one is.
    typed(&bench, b"two\n\n", &["secret", "set", "TOKEN", "--local", "--stage", "prod"]);
    assert_eq!(stored(&bench, "/shop/prod/TOKEN"), "two\n");

    // The line is used as it is printed.
    bench.write("deploy.toml", &format!("{}{line}\n", MANIFEST.replace("[stages.prod]\n", "")));
    assert!(bench.good(&["status", "--local"]).contains("not deployed"));
    let again = typed(&bench, VALUE.as_bytes(), &["secret", "set", "TOKEN", "--local"]);
    assert!(said(&again).contains("to give the new value to `chat`"), "{}", said(&again));

    let listed = bench.good(&["secret", "list", "--local"]);
    let row: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!((&row[..4], row.len()), (&["TOKEN", "/shop/TOKEN", "version", "2"][..], 6), "{listed}");
    let (document, _) = bench.json(&["secret", "list", "--local"]);
    let secret = &document["secrets"][0];
    assert_eq!(
        (&secret["name"], &secret["version"], secret.as_object().unwrap().len()),
        (&json!("TOKEN"), &json!(2), 5)
    );
    assert!(secret["changed_at"].as_str().unwrap().ends_with('Z') && secret["changed_by"].is_string(), "{secret}");
    assert!(![said(&set), said(&again), listed, document.to_string()].concat().contains(VALUE));

    let deleted = bench.run(&["secret", "delete", "TOKEN", "--local"]);
    assert_eq!((deleted.status.code(), deleted.stdout.len()), (Some(0), 0), "{}", said(&deleted));
    assert!(said(&deleted).contains("the manifest still names `/shop/TOKEN`"), "{}", said(&deleted));
    let twice = bench.run(&["secret", "delete", "TOKEN", "--local"]);
    assert_eq!(twice.status.code(), Some(1), "{}", said(&twice));
    assert!(said(&twice).contains("no parameter `/shop/TOKEN` exists in us-east-1"), "{}", said(&twice));
    assert_eq!(stored(&bench, "/shop/prod/TOKEN"), "two\n", "another stage's is kept");
    // A stage that the manifest has no more still has its secrets.
    assert_eq!(
        bench.json(&["secret", "list", "--local", "--stage", "prod"]).0["secrets"][0]["parameter"],
        "/shop/prod/TOKEN"
    );
    assert_eq!(bench.json(&["secret", "list", "--local"]).0["secrets"], json!([]));
}

#[test]
fn what_cannot_be_a_value_is_refused() {
    let bench = Bench::new(MANIFEST);
    for (stdin, words) in [
        (&b""[..], "the value of `TOKEN` is empty"),
        (b"\n", "the value of `TOKEN` is empty"),
        (&[b'x'; 4097], "has 4097 bytes; Parameter Store takes at most 4096"),
        (b"a\0b", "contains a NUL character"),
        (b"\xff", "is not valid UTF-8"),
    ] {
        let output = typed(&bench, stdin, &["secret", "set", "TOKEN", "--local"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    for arguments in [&["secret", "set", "TOKEN", VALUE][..], &["secret", "set", "a/b"], &["secret", "set"]] {
        assert_eq!(typed(&bench, b"x", arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(typed(&bench, b"x", &["secret", "set", "T", "--local", "--stage", "none"]).status.code(), Some(2));
    let asks = typed(&bench, b"", &["secret", "delete", "TOKEN"]);
    assert_eq!(asks.status.code(), Some(2));
    assert!(said(&asks).contains("run `lamstream secret delete TOKEN --yes`"), "{}", said(&asks));
}

/// AWS keeps names that begin with its own to itself, in any case of letters.
#[test]
fn an_app_whose_parameters_aws_reserves_is_refused_before_the_value_is_read() {
    for (app, prefix) in [("SSM-tool", "ssm"), ("awesome", ""), ("awsome", "aws")] {
        let bench = Bench::new(&MANIFEST.replace("'shop'", &format!("'{app}'")));
        let set = typed(&bench, VALUE.as_bytes(), &["secret", "set", "TOKEN", "--local"]);
        if prefix.is_empty() {
            assert_eq!(set.status.code(), Some(0), "{}", said(&set));
            continue;
        }
        let words = format!("below `/{app}/`: AWS reserves parameters that begin with `{prefix}`");
        for command in [&["secret", "set", "TOKEN"][..], &["secret", "list"], &["secret", "delete", "TOKEN"]] {
            let refused = typed(&bench, VALUE.as_bytes(), &[command, &["--local"]].concat());
            assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
            assert!(said(&refused).contains(&words), "{}", said(&refused));
        }
        assert!(said(&set).contains(&format!("--name /app/{app}/NAME --value VALUE")), "{}", said(&set));
        // The name that the hint gives is one that AWS takes.
        crate::support::aws::Keys::of(&bench).json(
            "AmazonSSM.PutParameter",
            &json!({ "Name": format!("/app/{app}/TOKEN"), "Value": VALUE, "Type": "SecureString" }),
        );
    }
}

/// The terminal shows what is typed again, also after Ctrl-C: terminal.py compares its modes.
#[test]
fn a_terminal_does_not_show_the_value() {
    let bench = Bench::new(MANIFEST);
    bench.good(&["local", "start"]);
    let run = |steps: serde_json::Value, more: &[&str]| {
        let inner = bench.command(&[&["secret", "set", "TOKEN", "--local"], more].concat());
        on_terminal(&bench, &inner, &steps).output().unwrap()
    };
    let output = run(json!([["(not shown):", { "type": format!("{VALUE}\n") }]]), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains(VALUE), "{}", said(&output));
    assert_eq!(stored(&bench, "/shop/TOKEN"), VALUE);
    let stopped = run(json!([["(not shown):", { "type": "half\u{3}" }]]), &[]);
    assert_eq!(stopped.status.code(), Some(130), "{}", said(&stopped));
    assert_eq!(stored(&bench, "/shop/TOKEN"), VALUE);
    // A terminal passes on one line, and not all of a long one.
    for pasted in ["-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n".to_owned(), format!("{}\n", "x".repeat(5000))] {
        let pasted = run(json!([["(not shown):", { "type": pasted }]]), &[]);
        assert_eq!(pasted.status.code(), Some(2), "{}", said(&pasted));
        assert!(said(&pasted).contains("`lamstream secret set --local TOKEN < FILE`"), "{}", said(&pasted));
        assert_eq!(stored(&bench, "/shop/TOKEN"), VALUE);
    }
    let document = run(json!([]), &["--output", "json"]);
    assert_eq!(document.status.code(), Some(2), "{}", said(&document));
    assert!(said(&document).contains("cannot ask for the value of `TOKEN`: the output is JSON"), "{}", said(&document));
}
