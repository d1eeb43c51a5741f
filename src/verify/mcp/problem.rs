//! What is wrong with an MCP server: the words and the cure.

use crate::verify::observation::Seen;
use crate::verify::signs;
use crate::verify::span::Span;
use std::time::Duration;

/// Why an answer of an MCP server does not pass. The method is that of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum McpProblem {
    /// A status that is not a success.
    Status { words: String },
    /// Neither JSON nor an event stream.
    ContentType(Option<String>),
    /// The body is not a JSON-RPC message with an answer.
    Unreadable(String),
    /// The body has no answer at all.
    NoAnswer,
    /// The response is still open after this time, without an answer.
    Unanswered { within: Duration },
    /// The answer is larger than lamstream reads.
    TooLarge,
    /// A JSON-RPC error.
    Error { code: String, message: String },
    /// The answer has the id of another request.
    Id(String),
    /// The result lacks something, or has it in another form.
    Lacks(&'static str),
    /// The server speaks a revision that lamstream does not know.
    Revision(String),
    /// The session's id cannot be sent in a header.
    SessionId,
    /// The server does not know the session that it began; `elsewhere` if another instance of it was asked.
    Session { elsewhere: bool, words: String },
    /// A second instance does not answer without an `initialize` of its own.
    Uninitialised { words: String },
}

impl McpProblem {
    /// Our words, the words of the server, and what ends the quotation.
    pub(in crate::verify) fn parts(&self, method: &str, seen: &Seen) -> (String, &str, &'static str) {
        let (statement, words) = self.statement(method, seen);
        match words {
            "" => (statement, "", ""),
            words => (statement + ": `", words, "`"),
        }
    }

    fn statement(&self, method: &str, seen: &Seen) -> (String, &str) {
        match self {
            McpProblem::Status { words } => {
                (format!("the MCP server answered `{method}` with status {}", seen.status), words)
            }
            McpProblem::ContentType(None) => {
                (format!("the answer to `{method}` has no content type, expected {TYPES}"), "")
            }
            McpProblem::ContentType(Some(found)) => {
                (format!("the answer to `{method}` has another content type than {TYPES}"), found)
            }
            McpProblem::Unreadable(words) => (format!("the answer to `{method}` is not a JSON-RPC response"), words),
            McpProblem::NoAnswer => (format!("the response to `{method}` ended without an answer"), ""),
            McpProblem::Unanswered { within } => {
                let (has, time) = (if seen.bytes == 0 { "has no body and " } else { "" }, Span(*within));
                (format!("the MCP server did not answer `{method}`: the response {has}was still open after {time}"), "")
            }
            McpProblem::TooLarge => (format!("the answer to `{method}` is larger than 6 MiB"), ""),
            McpProblem::Error { code, message } => {
                (format!("the MCP server answered `{method}` with error {code}"), message)
            }
            McpProblem::Id(found) if found.is_empty() => (format!("the answer to `{method}` has no id"), ""),
            McpProblem::Id(found) => (format!("the answer to `{method}` has the id of another request"), found),
            McpProblem::Lacks(what) => (format!("the answer to `{method}` has no valid `{what}`"), ""),
            McpProblem::Revision(found) => {
                ("the MCP server speaks a revision of the protocol that lamstream does not know".to_owned(), found)
            }
            McpProblem::SessionId => {
                ("the MCP server's session id has characters that the protocol does not allow".to_owned(), "")
            }
            McpProblem::Session { elsewhere: true, words } => {
                ("a second instance does not know the MCP session that the first one began".to_owned(), words)
            }
            McpProblem::Session { elsewhere: false, words } => {
                (format!("the MCP server does not know the session that it began: it refused `{method}`"), words)
            }
            McpProblem::Uninitialised { words } => {
                (format!("a second instance refused `{method}`, because it was not sent `initialize` itself"), words)
            }
        }
    }

    /// What to do about it, the most likely first.
    pub(in crate::verify) fn hints(&self, function: &str, seen: &Seen) -> Vec<String> {
        let logs = || format!("run `lamstream logs {function}`");
        let hints: &[&str] = match self {
            McpProblem::Status { words } => return hints_for_a_status(seen.status, words, logs()),
            McpProblem::ContentType(_) | McpProblem::Unreadable(_) => {
                &["check that `mcp` in the manifest is the path of the server's Streamable HTTP transport"]
            }
            McpProblem::NoAnswer => {
                return vec![
                    logs(),
                    "let the answer be in the response to its request: a client that resumes a stream may reach \
                     another instance"
                        .to_owned(),
                ];
            }
            McpProblem::Unanswered { .. } if seen.bytes == 0 => &[
                "end the response: many adapters for streaming never end one without a body, so update the framework's \
                 adapter",
                "if it takes longer, set `ends_within` in the check",
            ],
            McpProblem::Unanswered { .. } => {
                return vec![logs(), "if it takes longer, set `ends_within` in the check".to_owned()];
            }
            McpProblem::TooLarge => &["let the server list its tools in pages, with `nextCursor`"],
            McpProblem::Error { .. } => return vec![logs()],
            McpProblem::Id(_) | McpProblem::Lacks(_) | McpProblem::SessionId => {
                &["update the server's MCP library, or let the server answer as the specification says"]
            }
            McpProblem::Revision(_) => &["update lamstream, or let the server accept revision 2025-11-25"],
            McpProblem::Session { .. } | McpProblem::Uninitialised { .. } => &[
                "run the server without sessions: `stateless_http=True` in the Python SDK, `sessionIdGenerator: undefined` \
                 and a new server for each request in the TypeScript SDK, `with_legacy_session_mode(false)` in the Rust SDK",
                "or keep the sessions in a store that all instances share",
            ],
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }

    /// Whether the function is at fault. A proxy answers 407, and 429 means that its concurrency is used up.
    pub(in crate::verify) fn calls_for_moving_back(&self, seen: &Seen) -> bool {
        !matches!((self, seen.status), (McpProblem::Status { .. }, 407 | 429))
    }
}

const TYPES: &str = "`application/json` or `text/event-stream`";

fn hints_for_a_status(status: u16, words: &str, logs: String) -> Vec<String> {
    let hint = match status {
        400 | 403 | 421 if signs::is_about_host(words) => signs::HOST_HINT,
        401 | 403 => "let the check authenticate: add the header that the server expects to `headers` in the check",
        404 | 405 => "check that `mcp` in the manifest is the path of the server's Streamable HTTP transport",
        407 => "check `HTTPS_PROXY` and `NO_PROXY`",
        429 => "wait, or raise the function's or the account's concurrency",
        _ => return vec![logs],
    };
    vec![hint.to_owned()]
}
