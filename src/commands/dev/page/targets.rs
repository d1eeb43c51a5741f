//! The URLs that the page may send requests to, and the requests that the manifest describes.

use super::feed::ReadyRequest;
use crate::aws::Signer;
use crate::commands::invoke::WAY_BACK;
use crate::manifest::{Check, Function};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The functions that have a URL, by their names in the manifest.
#[derive(Default)]
pub(super) struct Targets(Mutex<BTreeMap<String, Arc<Target>>>);

/// A function's URL.
pub(super) struct Target {
    /// With the values of its checks.
    pub function: Function,
    pub url: String,
    /// Set if the URL accepts signed requests only.
    pub signer: Option<Arc<Signer>>,
    /// Headers whose values are not shown: the page has a text in their place.
    pub kept: Vec<KeptHeader>,
}

/// A header of a check whose value comes from outside the manifest.
#[derive(Clone, Debug)]
pub(super) struct KeptHeader {
    name: String,
    /// What the page has in its place.
    shown: String,
    value: String,
}

impl Targets {
    pub(super) fn find(&self, function: &str) -> Option<Arc<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(function).cloned()
    }

    /// The targets after a round. After one that failed, those that were known stay as they are.
    pub(super) fn update(&self, found: Vec<Target>, is_good: bool) {
        let mut targets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_good {
            targets.clear();
        }
        for target in found {
            targets.entry(target.function.name.clone()).or_insert_with(|| Arc::new(target));
        }
    }
}

impl Target {
    /// The headers of a request, with the values that the page does not have.
    pub(super) fn with_kept(&self, headers: Vec<(String, String)>) -> Vec<(String, String)> {
        let filled = |(name, value): (String, String)| {
            let kept = self.kept.iter().find(|kept| kept.name.eq_ignore_ascii_case(&name) && kept.shown == value);
            (name, kept.map_or(value, |kept| kept.value.clone()))
        };
        headers.into_iter().map(filled).collect()
    }

    /// The longest silence: Lambda sends nothing more after the function's own timeout.
    pub(super) fn silence(&self) -> Duration {
        Duration::from_secs(self.function.settings.timeout.into()) + WAY_BACK
    }
}

/// The values of headers that come from outside: `written` is the function as the manifest has it.
pub(super) fn kept(written: &Function, filled: &Function) -> Vec<KeptHeader> {
    let checks = written.checks.iter().zip(&filled.checks).enumerate();
    let headers = checks.flat_map(|(nth, (written, filled))| {
        written.outside.iter().filter_map(move |outside| {
            let (_, value) = filled.headers.iter().find(|(name, _)| *name == outside.name)?;
            Some(KeptHeader { name: outside.name.clone(), shown: shown(nth), value: value.reveal().to_owned() })
        })
    });
    headers.collect()
}

/// What the page has in place of a value of the check with this index.
fn shown(nth: usize) -> String {
    format!("(value from check {})", nth + 1)
}

/// The requests of a function's checks, as the manifest has them.
pub(super) fn ready_requests(written: &Function) -> Vec<ReadyRequest> {
    let requests = written.checks.iter().enumerate().flat_map(|(nth, check)| {
        let mut headers = check.revealed_headers();
        headers.extend(check.outside.iter().map(|outside| (outside.name.clone(), shown(nth))));
        if check.is_mcp() { mcp_requests(check, &headers) } else { vec![request(check, headers)] }
    });
    requests.collect()
}

fn request(check: &Check, mut headers: Vec<(String, String)>) -> ReadyRequest {
    // A compressed response would be unreadable on the page.
    let added = check.added_headers().into_iter().filter(|(name, _)| *name != "accept-encoding");
    headers.extend(added.map(|(name, value)| (name.to_owned(), value.to_owned())));
    ReadyRequest {
        label: format!("{} {}", check.method, check.path_and_query()),
        method: check.method.clone(),
        path: check.path_and_query(),
        headers,
        body: check.body.as_ref().map(|body| body.reveal().to_owned()).unwrap_or_default(),
    }
}

/// The requests with which a client of an MCP server begins.
fn mcp_requests(check: &Check, headers: &[(String, String)]) -> Vec<ReadyRequest> {
    let own = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    let client = json!({ "name": "lamstream", "version": env!("CARGO_PKG_VERSION") });
    let initialize = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let request = |id: Option<u32>, method: &str, params: Value| ReadyRequest {
        label: format!("MCP {method}"),
        method: "POST".to_owned(),
        path: check.path_and_query(),
        headers: own
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain(headers.to_vec())
            .collect(),
        body: message(id, method, params),
    };
    vec![
        request(Some(1), "initialize", initialize),
        request(None, "notifications/initialized", json!({})),
        request(Some(2), "tools/list", json!({})),
    ]
}

/// A JSON-RPC message, in several lines.
fn message(id: Option<u32>, method: &str, params: Value) -> String {
    let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    if let Some(id) = id {
        message["id"] = json!(id);
    }
    serde_json::to_string_pretty(&message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::stack::Secret;

    fn function(checks: &str) -> Function {
        let text = format!("app = 'shop'\n[functions.chat]\ncrate = '.'\nurl = {{ auth = 'none' }}\n{checks}\n");
        let Ok(manifest) = manifest::parse(&text, None) else { panic!("{text}") };
        manifest.functions.into_iter().next().unwrap()
    }

    #[test]
    fn a_check_is_a_request() {
        let check = "check = { method = 'POST', path = '/chat', query = { q = 'a b' }, body = '{}', sse = true }";
        let [request] = &ready_requests(&function(check))[..] else { panic!("one request") };
        let expected = ("POST /chat?q=a%20b", "POST", "/chat?q=a%20b", "{}");
        assert_eq!((&*request.label, &*request.method, &*request.path, &*request.body), expected);
        assert_eq!(request.headers, [("accept".to_owned(), "text/event-stream".to_owned())]);
    }

    #[test]
    fn an_mcp_check_is_what_a_client_sends_first() {
        let requests = ready_requests(&function("check = { mcp = '/mcp', headers = { x-key = 'k' } }"));
        let labels: Vec<&str> = requests.iter().map(|request| request.label.as_str()).collect();
        assert_eq!(labels, ["MCP initialize", "MCP notifications/initialized", "MCP tools/list"]);
        for request in &requests {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            assert!(request.label.ends_with(body["method"].as_str().unwrap()) && body["jsonrpc"] == "2.0");
            assert!(request.headers.contains(&("x-key".to_owned(), "k".to_owned())));
        }
    }

    #[test]
    fn values_from_outside_are_known_here_alone() {
        let written = function("check = [{ path = '/' }, { path = '/a', headers = { x-key = { env = 'KEY' } } }]");
        let mut filled = written.clone();
        filled.checks[1].headers.push(("x-key".to_owned(), Secret::from("hunter2")));
        let shown = ready_requests(&written)[1].headers.clone();
        assert_eq!(shown, [("x-key".to_owned(), "(value from check 2)".to_owned())]);
        let (url, signer, kept) = (String::new(), None, kept(&written, &filled));
        let target = Target { function: filled, url, signer, kept };
        assert_eq!(target.with_kept(shown), [("x-key".to_owned(), "hunter2".to_owned())]);
        let own = vec![("x-key".to_owned(), "mine".to_owned())];
        assert_eq!(target.with_kept(own.clone()), own);
    }
}
