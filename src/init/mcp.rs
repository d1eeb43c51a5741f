//! The check for an MCP server: a client's first request.

use super::route::Check;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"lamstream","version":"1"}}}"#;

pub(super) fn check(path: &str) -> Check {
    Check {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![("content-type", "application/json"), ("accept", "application/json, text/event-stream")],
        body: Some(INITIALIZE.to_owned()),
        ..Check::default()
    }
}
