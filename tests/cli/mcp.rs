//! What a check with `mcp` asks of a server, of a version and of a URL, and of a second instance of each.

use crate::support::bench::{Bench, said, zip_of};
use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn package() -> String {
    static ZIP: OnceLock<PathBuf> = OnceLock::new();
    let zip = ZIP.get_or_init(|| zip_of("mcp", include_bytes!("../fixtures/mcp.py")));
    format!("--package={}", zip.display())
}

/// A manifest whose function is a server that behaves as told.
fn manifest(keys: &str, told: &Value) -> String {
    // Encoded, because no message shows what is in the environment.
    let told = base64::engine::general_purpose::STANDARD.encode(told.to_string());
    format!(
        "app = \"shop\"\n[functions.tools]\ncrate = \"unused\"\ntimeout = 20\nurl = {{ auth = \"none\" }}\n{keys}\
         environment.MCP = '{told}'\n"
    )
}

const CHECK: &str = "check = { mcp = \"/mcp\" }\n";

/// Deploys, and gives the document and the exit code.
fn deploy(bench: &Bench) -> (Value, i32) {
    bench.json(&["deploy", "--local", "--yes", &package()])
}

fn message(document: &Value) -> &str {
    document["error"]["message"].as_str().unwrap_or_default()
}

fn servers(shared: &Path) -> Vec<(Value, Value)> {
    let seen = |protocol: &str, sessions: &str| json!({"protocol": protocol, "server": "fake 1.2", "tools": 3, "sessions": sessions});
    vec![
        (json!({}), seen("2025-11-25", "stateless")),
        (json!({"form": "sse"}), seen("2025-11-25", "stateless")),
        (json!({"form": "sse", "sessions": shared}), seen("2025-11-25", "shared")),
        (json!({"era": "handshake"}), seen("2025-11-25", "stateless")),
        (json!({"era": "modern"}), seen("2026-07-28", "stateless")),
        (json!({"era": "modern", "form": "sse"}), seen("2026-07-28", "stateless")),
    ]
}

#[test]
fn a_sound_server_passes_as_a_version_and_behind_its_url() {
    let bench = Bench::new("");
    let shared = bench.path("sessions");
    std::fs::create_dir(&shared).unwrap();
    for (told, seen) in servers(&shared) {
        bench.write("deploy.toml", &manifest(CHECK, &told));
        let (document, code) = deploy(&bench);
        assert_eq!((message(&document), code), ("", 0), "{told}: {document:#}");
        assert_eq!(document["functions"][0]["verified"]["mcp"], seen, "{told}");
        let version = document["functions"][0]["release"]["version"].as_str().unwrap().to_owned();
        for arguments in [&["verify", "--local"][..], &["verify", "--local", "--version", &version]] {
            let (document, code) = bench.json(arguments);
            assert_eq!((message(&document), code), ("", 0), "{told}: {document:#}");
            assert_eq!(document["functions"][0]["verified"]["mcp"], seen, "{told}");
        }
    }
    let told = said(&bench.run(&["verify", "--local"]));
    assert!(told.contains("; MCP 2026-07-28, fake 1.2, 3 tools, stateless"), "{told}");
    let (rolled_back, code) = bench.json(&["rollback", "--local", "--yes"]);
    assert_eq!(code, 0, "{rolled_back:#}");
    assert_eq!(rolled_back["functions"][0]["verified"]["mcp"]["server"], "fake 1.2");
}

/// What a server does, and what is wrong with it.
fn table() -> Vec<(Value, &'static str)> {
    let at = |method: &str, reply: Value| json!({"at": {method: reply}});
    let body = |status: u16, kind: &str, pieces: Value| json!({"status": status, "headers": {"content-type": kind}, "body": pieces});
    let (json_type, stream) = ("application/json", "text/event-stream");
    let answer = "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}";
    vec![
        (
            at("initialize", body(404, "text/plain", json!(["Not Found"]))),
            "answered `initialize` with status 404: `Not Found`",
        ),
        (
            at("initialize", body(200, "text/html", json!(["<p>"]))),
            "the answer to `initialize` has another content type than",
        ),
        (at("initialize", body(500, "text/plain", json!(["oh no"]))), "the function returned status 500: `oh no`"),
        (
            at("initialize", json!({"error": {"code": -32603, "message": "boom"}, "result": null})),
            "answered `initialize` with error -32603: `boom`",
        ),
        (
            at("initialize", json!({"result": {"capabilities": {}, "serverInfo": {"name": "x"}}})),
            "the answer to `initialize` has no valid `protocolVersion`",
        ),
        (
            at("initialize", json!({"result": {"protocolVersion": "1999-01-01"}})),
            "a revision of the protocol that lamstream does not know: `1999-01-01`",
        ),
        (
            at("initialize", json!({"result": {"protocolVersion": "2025-06-18", "capabilities": {}}})),
            "has no valid `serverInfo`",
        ),
        (
            at("notifications/initialized", body(400, "text/plain", json!(["no"]))),
            "answered `notifications/initialized` with status 400: `no`",
        ),
        (
            at("notifications/initialized", body(202, "text/plain", json!([20.0]))),
            "did not answer `notifications/initialized`: the response has no body and was still open after 1.0 s",
        ),
        (
            at("tools/list", json!({"error": {"code": -32601, "message": "none"}, "result": null})),
            "answered `tools/list` with error -32601: `none`",
        ),
        (at("tools/list", json!({"result": {"tools": {}}})), "the answer to `tools/list` has no valid `tools`"),
        (
            at("tools/list", json!({"result": {"tools": [{"name": "x"}]}})),
            "the answer to `tools/list` has no valid `tools[].inputSchema`",
        ),
        (at("tools/list", json!({"id": 7777})), "the answer to `tools/list` has the id of another request: `7777`"),
        (at("tools/list", json!({"jsonrpc": null})), "the answer to `tools/list` is not a JSON-RPC response: `{"),
        (
            at("tools/list", body(200, json_type, json!(["hello"]))),
            "the answer to `tools/list` is not a JSON-RPC response: `hello`",
        ),
        (
            at("tools/list", body(200, stream, json!(["id: 1\ndata:\n\n"]))),
            "the response to `tools/list` ended without an answer",
        ),
        (
            at("tools/list", body(200, stream, json!([": a\n\n", 20.0]))),
            "did not answer `tools/list`: the response was still open after 1.0 s",
        ),
        (
            at("ping", body(200, json_type, json!([answer, 20.0]))),
            "did not answer `ping`: the response was still open after 1.0 s",
        ),
        (json!({"sessions": "memory"}), " does not know the "),
        (json!({"headers": {"mcp-session-id": "a b"}}), "session id has characters that the protocol does not allow"),
        (
            json!({"headers": {"mcp-session-id": "x"}, "at": {"tools/list": {"error": {"code": 1, "message": "no such session"}, "result": null}}}),
            "does not know the session that it began: it refused `tools/list`: `no such session`",
        ),
        (
            json!({"elsewhere": {"ping": {"error": {"code": 1, "message": "Server not initialized"}, "result": null}}}),
            "a second instance refused `ping`, because it was not sent `initialize` itself: `Server not initialized`",
        ),
    ]
}

#[test]
fn each_fault_of_a_server_is_named_as_a_version_and_behind_its_url() {
    let check = "check = { mcp = \"/mcp\", ends_within = \"1s\" }\n";
    let bench = Bench::new(&manifest(check, &json!({})));
    assert_eq!(deploy(&bench).1, 0);
    for (told, words) in table() {
        bench.write("deploy.toml", &manifest(check, &told));
        let (document, code) = deploy(&bench);
        let text = message(&document);
        assert!(code == 1 && text.contains(words), "{told}: {text}");
        assert!(text.starts_with("cannot verify version ") && text.contains("; `live` stays on version "), "{text}");
        assert!(!document["error"]["hints"].as_array().unwrap().is_empty(), "{told}: {document:#}");
        bench.good(&["deploy", "--local", "--yes", "--no-verify", &package()]);
        let (document, code) = bench.json(&["verify", "--local"]);
        let text = message(&document);
        assert!(
            code == 1 && text.starts_with("cannot verify the URL http://") && text.contains(words),
            "{told}: {text}"
        );
    }
}

#[test]
fn sessions_in_memory_are_named_with_the_cure() {
    let bench = Bench::new(&manifest(CHECK, &json!({"sessions": "memory", "form": "sse"})));
    let output = bench.run(&["deploy", "--local", "--yes", &package()]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("hint: run the server without sessions: `stateless_http=True` in the Python SDK"), "{told}");
    assert!(told.contains("`with_legacy_session_mode(false)` in the Rust SDK"), "{told}");
    assert!(told.contains("hint: or keep the sessions in a store that all instances share"), "{told}");
    // A function with a single instance has no other one that could be asked.
    bench.write("deploy.toml", &manifest(&format!("concurrency = 1\n{CHECK}"), &json!({"sessions": "memory"})));
    let (document, code) = deploy(&bench);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(document["functions"][0]["verified"]["mcp"]["sessions"], "in-memory");
}

#[test]
fn every_request_carries_the_session_and_the_headers_of_the_check() {
    let check = "check = { mcp = \"/a b\", query = { key = \"v&w\" }, headers = { X-Key = \"s3cret\" } }\n";
    let bench = Bench::new("");
    let shared = bench.path("sessions");
    std::fs::create_dir(&shared).unwrap();
    // One request at a time, so that all but the last ping have the same instance.
    let check = format!("concurrency = 1\n{check}");
    bench.write("deploy.toml", &manifest(&check, &json!({"sessions": shared})).replace("\"none\"", "\"aws-iam\""));
    assert_eq!(deploy(&bench).1, 0);
    let log = bench.good(&["logs", "--local"]);
    let asked: Vec<(&str, &str, Value)> = log
        .lines()
        .filter_map(|line| line.split_once("asked "))
        .map(|(_, rest)| {
            let mut words = rest.splitn(3, ' ');
            let [method, process, headers] = [(); 3].map(|()| words.next().unwrap());
            (method, process, serde_json::from_str(headers).unwrap())
        })
        .collect();
    // As a version and behind the URL: initialize, initialized, two pages of tools, ping, ping, DELETE.
    assert_eq!(asked.len(), 14, "{log}");
    for conversation in asked.chunks(7) {
        let processes: Vec<&str> = conversation.iter().map(|(_, process, _)| *process).collect();
        assert!(processes[..5].iter().all(|process| *process == processes[0]), "{processes:?}");
        assert_ne!(processes[5], processes[0], "the second ping is another instance's");
        assert_eq!((conversation[0].0, conversation[6].0), ("POST", "DELETE"));
        assert_eq!(conversation[0].2.get("mcp-session-id"), None);
        for (_, _, headers) in conversation {
            assert_eq!(headers["x-key"].as_str().map(|value| value.contains("s3cret")), Some(true));
            assert_eq!(headers.get("x-localcloud-instance"), None, "the function does not see it");
        }
        for (_, _, headers) in &conversation[1..] {
            assert_eq!(headers["mcp-session-id"].as_str().map(str::len), Some(32));
            assert_eq!(headers["mcp-protocol-version"], "2025-11-25");
        }
        for (_, _, headers) in &conversation[..6] {
            assert_eq!(headers["accept"], "application/json, text/event-stream");
            assert_eq!(headers["content-type"], "application/json");
        }
    }
}

/// The server has two pages of tools.
#[test]
fn a_deploy_costs_the_invocations_that_the_documentation_counts() {
    let shared = tempfile::tempdir().unwrap();
    for (told, invocations) in
        [(json!({}), 10 + 2), (json!({"sessions": shared.path()}), 12 + 2), (json!({"era": "modern"}), 8 + 2)]
    {
        let bench = Bench::new(&manifest(CHECK, &told));
        assert_eq!(deploy(&bench).1, 0);
        let log = bench.good(&["logs", "--local"]);
        let asked: Vec<&str> = log.lines().filter_map(|line| line.split_once("asked ")).map(|(_, rest)| rest).collect();
        let instances: BTreeSet<&str> = asked.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!((asked.len(), instances.len()), (invocations, 3), "{told}: {log}");
    }
}
