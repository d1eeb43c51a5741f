//! The requests of an MCP client. Source: MCP, revisions 2025-11-25 and 2026-07-28.

use crate::manifest::Check;
use serde_json::{Value, json};

/// The revisions that begin with `initialize`, newest first.
pub(super) const WITH_HANDSHAKE: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The first revision without `initialize`: each request has what the server must know.
pub(super) const WITHOUT_HANDSHAKE: &str = "2026-07-28";

/// A request, or a notification.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub method: &'static str,
    /// `None` for a notification, which has no answer.
    pub id: Option<u32>,
    params: Value,
}

impl Request {
    pub(super) fn initialize() -> Request {
        let params = json!({ "protocolVersion": WITH_HANDSHAKE[0], "capabilities": {}, "clientInfo": client_info() });
        Request { method: "initialize", id: Some(1), params }
    }

    pub(super) fn initialized() -> Request {
        Request { method: "notifications/initialized", id: None, params: json!({}) }
    }

    pub(super) fn discover() -> Request {
        Request { method: "server/discover", id: Some(2), params: json!({}) }
    }

    /// A page of the list of tools; the first one without a cursor.
    pub(super) fn list_tools(page: u32, cursor: Option<&str>) -> Request {
        let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
        Request { method: "tools/list", id: Some(100 + page), params }
    }

    pub(super) fn ping() -> Request {
        Request { method: "ping", id: Some(3), params: json!({}) }
    }
}

/// What the server and lamstream have agreed on, which each further request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Negotiated {
    pub protocol: String,
    /// The session's id, if the server has given it one.
    pub session: Option<String>,
}

impl Negotiated {
    pub(super) fn has_handshake(&self) -> bool {
        self.protocol != WITHOUT_HANDSHAKE
    }

    /// The HTTP headers that carry it.
    fn headers(&self) -> Vec<(&'static str, String)> {
        let session = self.session.iter().map(|id| ("mcp-session-id", id.clone()));
        session.chain([("mcp-protocol-version", self.protocol.clone())]).collect()
    }
}

/// The HTTP request that carries a message to the server of this check.
pub(super) fn http(check: &Check, request: &Request, negotiated: Option<&Negotiated>) -> Check {
    let mut params = request.params.clone();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json, text/event-stream".to_owned()),
    ];
    headers.extend(negotiated.iter().flat_map(|negotiated| negotiated.headers()));
    if negotiated.is_some_and(|negotiated| !negotiated.has_handshake()) {
        headers.push(("mcp-method", request.method.to_owned()));
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": WITHOUT_HANDSHAKE,
            "io.modelcontextprotocol/clientInfo": client_info(),
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    let mut message = json!({ "jsonrpc": "2.0", "method": request.method, "params": params });
    if let Some(id) = request.id {
        message["id"] = json!(id);
    }
    with_headers(check, headers, Some(message.to_string()))
}

/// The HTTP request that ends a session.
pub(super) fn end(check: &Check, negotiated: &Negotiated) -> Check {
    Check { method: "DELETE".to_owned(), ..with_headers(check, negotiated.headers(), None) }
}

fn with_headers(check: &Check, headers: Vec<(&'static str, String)>, body: Option<String>) -> Check {
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.as_str().into()));
    let headers = headers.chain(check.headers.iter().cloned()).collect();
    Check { headers, body: body.as_deref().map(Into::into), ..check.clone() }
}

fn client_info() -> Value {
    json!({ "name": "lamstream", "version": env!("CARGO_PKG_VERSION") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Expect;

    fn sent(request: &Request, negotiated: Option<&Negotiated>) -> (Vec<(String, String)>, Value) {
        let headers = vec![("authorization".to_owned(), "Bearer x".into())];
        let check = Check { headers, path: "/mcp".into(), expect: Expect::Mcp, ..Check::default() };
        let http = http(&check, request, negotiated);
        (http.revealed_headers(), serde_json::from_str(http.revealed_body()).unwrap())
    }

    fn has(headers: &[(String, String)], name: &str) -> Option<String> {
        headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn each_request_carries_what_was_agreed_on() {
        let (headers, message) = sent(&Request::initialize(), None);
        assert_eq!(has(&headers, "mcp-protocol-version"), None);
        assert_eq!(has(&headers, "authorization").as_deref(), Some("Bearer x"));
        assert_eq!(message["params"]["protocolVersion"], "2025-11-25");

        let negotiated = Negotiated { protocol: "2025-06-18".into(), session: Some("abc".into()) };
        let (headers, message) = sent(&Request::initialized(), Some(&negotiated));
        assert_eq!(has(&headers, "mcp-session-id").as_deref(), Some("abc"));
        assert_eq!(has(&headers, "mcp-protocol-version").as_deref(), Some("2025-06-18"));
        assert!(message.get("id").is_none() && message["params"].get("_meta").is_none());

        let negotiated = Negotiated { protocol: WITHOUT_HANDSHAKE.into(), session: None };
        let (headers, message) = sent(&Request::list_tools(0, Some("next")), Some(&negotiated));
        assert_eq!(has(&headers, "mcp-method").as_deref(), Some("tools/list"));
        assert_eq!(message["params"]["cursor"], "next");
        assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], WITHOUT_HANDSHAKE);
    }
}
