//! Each fault's words, hints and blame, in one table.

use super::super::{Kind, McpProblem, NoEvents, Shortcoming, Subject};
use super::*;
use packaging::Family;
use std::time::Duration;

fn seen(status: u16) -> Seen {
    Seen {
        status,
        first_byte: Duration::from_millis(14),
        chunks: 1,
        bytes: 812,
        duration: Duration::from_millis(1234),
        streamed: Some(false),
        refuses_host: false,
        mcp: None,
    }
}

/// One fault of each kind, with its wording and whether moving `live` back would help.
fn all() -> Vec<(Fault, &'static str, bool)> {
    let words = || "so it says".to_string();
    let unreachable = |obstacle| Fault::Unreachable { obstacle, reason: words() };
    let after = Duration::from_secs(30);
    let forbidden =
        |refusal| Fault::Forbidden { words: words(), signed: false, tried_for: after, refusal, seen: seen(403) };
    vec![
        (unreachable(Obstacle::Request), "the request is invalid: so it says", false),
        (unreachable(Obstacle::Name), "cannot resolve the host name: so it says", false),
        (unreachable(Obstacle::Connection), "cannot connect: so it says", false),
        (unreachable(Obstacle::Tls), "cannot establish a TLS connection: so it says", false),
        (unreachable(Obstacle::Proxy), "the proxy refused the request: so it says", false),
        (Fault::Timeout { after, seen: None }, "no response within 30.0 s", true),
        (
            Fault::Timeout { after, seen: Some(seen(200)) },
            "the response did not end within 30.0 s (1 chunk, 812 bytes)",
            true,
        ),
        (
            forbidden(Refusal::Unknown),
            "AWS rejected the request with status 403 (retried for 30.0 s): `so it says`",
            true,
        ),
        (
            forbidden(Refusal::Missing(vec!["one", "two"])),
            "AWS rejected the request with status 403 (retried for 30.0 s): the alias lacks the permissions `one`, `two`",
            true,
        ),
        (
            forbidden(Refusal::Overruled),
            "AWS rejected the request with status 403 (retried for 30.0 s), although its permissions allow it: the \
             account or the organisation blocks public access",
            true,
        ),
        (
            Fault::Status { expected: Expect::Success, words: words(), seen: seen(404) },
            "the response has status 404, expected 200 to 399: `so it says`",
            true,
        ),
        (
            Fault::Status { expected: Expect::Status(200), words: String::new(), seen: seen(429) },
            "the response has status 429, expected 200",
            false,
        ),
    ]
}

/// The function's own error.
fn more() -> Vec<(Fault, &'static str, bool)> {
    let words = || "so it says".to_string();
    let crash = |cause| Fault::Crash { cause, words: words(), log: Vec::new() };
    vec![
        (
            Fault::ServerError { words: words(), seen: seen(502), log: Vec::new() },
            "the function returned status 502: `so it says`",
            true,
        ),
        (
            Fault::RawJson { seen: seen(200) },
            "the URL streams but the handler is buffered: the response is its raw `{\"statusCode\": …}`",
            true,
        ),
        (
            Fault::RuntimeErrorText { words: words(), seen: seen(200), log: Vec::new() },
            "the response contains a runtime error: `so it says`",
            true,
        ),
        (
            Fault::Buffered { on_the_way: false, seen: seen(200) },
            "the response did not stream: 1 chunk, 812 bytes within 1.2 s",
            false,
        ),
        (
            Fault::Buffered { on_the_way: true, seen: seen(200) },
            "the response was buffered in transit: 1 chunk, 812 bytes within 1.2 s, and the version itself streams",
            false,
        ),
        (
            Fault::Late { within: Duration::from_millis(10), seen: seen(200) },
            "the first byte took 14 ms; the check allows 10 ms",
            false,
        ),
        (crash(Cause::Architecture), "it is built for another processor: `so it says`", true),
        (crash(Cause::Glibc), "it is built for a newer glibc than the runtime has: `so it says`", true),
        (crash(Cause::Entrypoint), "the package contains nothing that Lambda can start: `so it says`", true),
        (crash(Cause::NotExecutable), "what Lambda starts is not executable: `so it says`", true),
        (crash(Cause::Machine), "the local cloud cannot start it on this machine: `so it says`", true),
        (crash(Cause::Runtime), "the local cloud cannot run handlers of its runtime: `so it says`", true),
        (crash(Cause::PortTaken), "another program has the port of its app: `so it says`", true),
        (crash(Cause::Module), "it imports a module that is not in the package: `so it says`", true),
        (crash(Cause::Program), "it starts a program that is not in the package: `so it says`", true),
        (crash(Cause::ReadOnly), "it writes to the directory of its code, which is read-only: `so it says`", true),
        (crash(Cause::NotReady), "the web app does not answer on its port: `so it says`", true),
        (crash(Cause::NeverAsked), "it never asks Lambda for a request: `so it says`", true),
        (crash(Cause::Ended), "it ends without asking Lambda for a request: `so it says`", true),
        (crash(Cause::ServerEnded), "its server ends with exit status 0 before it answers: `so it says`", true),
        (crash(Cause::Start), "it fails to start: `so it says`", true),
        (crash(Cause::Event), "its handler expects another kind of event than an HTTP request: `so it says`", true),
        (crash(Cause::Request), "it fails before it answers: `so it says`", true),
        (
            Fault::Cut { reason: words(), seen: seen(200), log: Vec::new() },
            "the response was cut off after 1 chunk, 812 bytes in 1.2 s: `so it says`",
            true,
        ),
        (Fault::NotSigned(words()), "the request cannot be signed: so it says", false),
    ]
}

fn short(shortcoming: Shortcoming) -> Fault {
    Fault::Short { shortcoming, seen: seen(200) }
}

/// What a sound response lacks in its head and its body.
fn contents() -> Vec<(Fault, &'static str, bool)> {
    let header = |found: Option<&str>| {
        let (name, expected) = ("content-type".to_owned(), "text/*".to_owned());
        short(Shortcoming::Header { name, expected, found: found.map(str::to_owned) })
    };
    let end = |found: &str| short(Shortcoming::End { expected: "[END]".to_owned(), found: found.to_owned() });
    let origin = |found: &[&str]| {
        let found = found.iter().map(|value| (*value).to_owned()).collect();
        short(Shortcoming::Origin { origin: "https://example.com".to_owned(), found, by_url: false })
    };
    let events = |wrong| short(Shortcoming::Events(wrong));
    let gzip = || "gzip".to_owned();
    vec![
        (header(None), "the response has no header `content-type`, expected `text/*`", true),
        (header(Some("a/b")), "the response's header `content-type` is not `text/*`, but `a/b`", true),
        (short(Shortcoming::Lacks("[END]".to_owned())), "the response does not contain `[END]`", true),
        (end(""), "the response does not end with `[END]`: it is empty", true),
        (end("[EN"), "the response does not end with `[END]`, but with `[EN`", true),
        (events(NoEvents::Nothing), "the event stream has no event with data", true),
        (events(NoEvents::Ignored("hi".to_owned())), "the event stream has a line that browsers ignore: `hi`", true),
        (
            events(NoEvents::Incomplete("data: a".to_owned())),
            "the event stream ends without an empty line after its last event: `data: a`",
            true,
        ),
        (
            origin(&[]),
            "a page of `https://example.com` may not read the response: it has no `access-control-allow-origin`",
            true,
        ),
        (
            origin(&["x"]),
            "a page of `https://example.com` may not read the response: `access-control-allow-origin` is `x`",
            true,
        ),
        (
            origin(&["*", "*"]),
            "the response has 2 values of `access-control-allow-origin`, which browsers refuse",
            true,
        ),
        (
            short(Shortcoming::Undecodable { encoding: gzip(), reason: "invalid header".to_owned() }),
            "the response cannot be decoded as gzip: invalid header",
            true,
        ),
        (
            short(Shortcoming::Compressed { encoding: gzip() }),
            "the response streams, but its compression (gzip) is not flushed: it could only be decoded at once",
            true,
        ),
    ]
}

/// What is wrong with its times and its end.
fn times() -> Vec<(Fault, &'static str, bool)> {
    let within = Duration::from_secs(10);
    let silent = |is_first| Shortcoming::Silent { allowed: within, silence: within * 2, is_first };
    let without_body = Seen { bytes: 0, ..seen(200) };
    vec![
        (
            Fault::Short { shortcoming: Shortcoming::Endless { within }, seen: without_body },
            "the response has no body and does not end: it was still open after 10.0 s",
            true,
        ),
        (
            short(Shortcoming::Endless { within }),
            "the response does not end: 1 chunk, 812 bytes, and still open after 10.0 s",
            true,
        ),
        (short(Shortcoming::Overdue { within }), "the response took 1.2 s; the check allows 10.0 s", false),
        (
            short(silent(true)),
            "the response was silent for 20.0 s before its first chunk; the check allows 10.0 s",
            false,
        ),
        (short(silent(false)), "the response was silent for 20.0 s in the middle; the check allows 10.0 s", false),
    ]
}

fn mcp(problem: McpProblem) -> Fault {
    Fault::Mcp { method: "tools/list", problem, seen: seen(200) }
}

/// What is wrong with an MCP server.
fn of_mcp() -> Vec<(Fault, &'static str, bool)> {
    let words = || "so it says".to_owned();
    let status =
        |status| Fault::Mcp { method: "ping", problem: McpProblem::Status { words: words() }, seen: seen(status) };
    let without_body = |problem| Fault::Mcp { method: "ping", problem, seen: Seen { bytes: 0, ..seen(202) } };
    let within = Duration::from_secs(10);
    vec![
        (status(404), "the MCP server answered `ping` with status 404: `so it says`", true),
        (status(401), "the MCP server answered `ping` with status 401: `so it says`", true),
        (status(406), "the MCP server answered `ping` with status 406: `so it says`", true),
        (status(407), "the MCP server answered `ping` with status 407: `so it says`", false),
        (status(429), "the MCP server answered `ping` with status 429: `so it says`", false),
        (
            mcp(McpProblem::ContentType(None)),
            "the answer to `tools/list` has no content type, expected `application/json` or `text/event-stream`",
            true,
        ),
        (
            mcp(McpProblem::ContentType(Some("text/html".to_owned()))),
            "the answer to `tools/list` has another content type than `application/json` or `text/event-stream`: `text/html`",
            true,
        ),
        (
            mcp(McpProblem::Unreadable(words())),
            "the answer to `tools/list` is not a JSON-RPC response: `so it says`",
            true,
        ),
        (mcp(McpProblem::NoAnswer), "the response to `tools/list` ended without an answer", true),
        (
            mcp(McpProblem::Unanswered { within }),
            "the MCP server did not answer `tools/list`: the response was still open after 10.0 s",
            true,
        ),
        (
            without_body(McpProblem::Unanswered { within }),
            "the MCP server did not answer `ping`: the response has no body and was still open after 10.0 s",
            true,
        ),
        (mcp(McpProblem::TooLarge), "the answer to `tools/list` is larger than 6 MiB", true),
        (
            mcp(McpProblem::Error { code: "-32601".to_owned(), message: words() }),
            "the MCP server answered `tools/list` with error -32601: `so it says`",
            true,
        ),
    ]
}

/// What is wrong with the contents of its answers.
fn of_mcp_answers() -> Vec<(Fault, &'static str, bool)> {
    let words = || "so it says".to_owned();
    let session = |elsewhere| mcp(McpProblem::Session { elsewhere, words: words() });
    vec![
        (mcp(McpProblem::Id("7".to_owned())), "the answer to `tools/list` has the id of another request: `7`", true),
        (mcp(McpProblem::Id(String::new())), "the answer to `tools/list` has no id", true),
        (mcp(McpProblem::Lacks("tools")), "the answer to `tools/list` has no valid `tools`", true),
        (
            mcp(McpProblem::Revision("1999-01-01".to_owned())),
            "the MCP server speaks a revision of the protocol that lamstream does not know: `1999-01-01`",
            true,
        ),
        (
            mcp(McpProblem::SessionId),
            "the MCP server's session id has characters that the protocol does not allow",
            true,
        ),
        (session(true), "a second instance does not know the MCP session that the first one began: `so it says`", true),
        (
            session(false),
            "the MCP server does not know the session that it began: it refused `tools/list`: `so it says`",
            true,
        ),
        (
            mcp(McpProblem::Uninitialised { words: words() }),
            "a second instance refused `tools/list`, because it was not sent `initialize` itself: `so it says`",
            true,
        ),
    ]
}

#[test]
fn each_fault_has_its_own_words_and_hint_and_blame() {
    let mut messages = std::collections::BTreeSet::new();
    for (fault, message, blame) in
        all().into_iter().chain(more()).chain(contents()).chain(times()).chain(of_mcp()).chain(of_mcp_answers())
    {
        assert_eq!(fault.to_string(), message);
        for kind in [Kind::Crate, Kind::Web, Kind::Package] {
            let subject = Subject { name: "chat", kind, language: Family::Provided, command: None };
            assert!(!fault.hints(&subject).is_empty(), "{fault:?} {kind:?}");
        }
        assert_eq!(fault.calls_for_moving_back(), blame, "{fault:?}");
        assert!(messages.insert(message), "two faults say: {message}");
    }
}
