//! Conversations with servers in memory, whose instances answer as AWS might choose them.

use super::conversation::converse;
use super::problem::McpProblem;
use super::request::{self, Request, WITHOUT_HANDSHAKE};
use super::sender::{Instance, Instances, McpSeen, Sender, Sent, Sessions, Stop};
use crate::manifest::{Check, Expect};
use crate::verify::fault::Fault;
use crate::verify::judge::enough;
use crate::verify::observation::{Ending, Head, Observation};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

/// Where sessions are known.
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    Nothing,
    InMemory,
    Shared,
}

/// Which instance gets the next request.
#[derive(Clone, Copy, PartialEq)]
enum Routing {
    /// Always the first one.
    Same,
    /// Two in turns.
    Turns,
    /// The first one until it has listed its tools, then another one.
    Moves,
    /// As with two, but what asks for a new instance gets one.
    Fresh,
}

struct Servers {
    keeps: Keeps,
    /// Whether they know `initialize`.
    has_handshake: bool,
    routing: Routing,
    sent: Cell<usize>,
    /// For each instance, the sessions that it began.
    known: RefCell<[BTreeSet<String>; 3]>,
    /// How many requests with a session are answered before all others get 429.
    free: usize,
}

impl Servers {
    fn new(keeps: Keeps, routing: Routing) -> Servers {
        Servers { keeps, has_handshake: true, routing, sent: Cell::new(0), known: RefCell::default(), free: usize::MAX }
    }

    fn respond(&self, instance: usize, check: &Check) -> (u16, Vec<(String, String)>, Value) {
        let message: Value = serde_json::from_str(check.revealed_body()).unwrap_or_default();
        let session = check.revealed_headers().into_iter().find(|(name, _)| name == "mcp-session-id");
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let mut known = self.known.borrow_mut();
        if let Some((_, id)) = session {
            if self.sent.get() > self.free {
                return (429, headers, json!({"Reason": "ConcurrentInvocationLimitExceeded"}));
            }
            let everywhere = self.keeps == Keeps::Shared && known.iter().any(|known| known.contains(&id));
            if !everywhere && !known[instance].contains(&id) {
                return (404, headers, json!({"error": {"code": -32600, "message": "Session not found"}}));
            }
        }
        let result = match message["method"].as_str() {
            Some("initialize") if !self.has_handshake => {
                let error = json!({"code": -32602, "message": "no envelope"});
                return (400, headers, json!({"jsonrpc": "2.0", "id": message["id"], "error": error}));
            }
            Some("initialize") => {
                if self.keeps != Keeps::Nothing {
                    let id = format!("session-{}", self.sent.get());
                    known[instance].insert(id.clone());
                    headers.push(("mcp-session-id".to_owned(), id));
                }
                let (capabilities, server) = (json!({"tools": {}}), json!({"name": "fake"}));
                json!({"protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": server})
            }
            Some("server/discover") => json!({"supportedVersions": [WITHOUT_HANDSHAKE], "capabilities": {"tools": {}}}),
            Some("tools/list") => json!({"tools": []}),
            _ => json!({}),
        };
        (200, headers, json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
    }
}

impl Sender for Servers {
    type Error = Infallible;

    async fn send(&self, check: &Check, to: Instance) -> Result<Sent, Stop<Infallible>> {
        let nth = self.sent.replace(self.sent.get() + 1);
        let instance = match (self.routing, to) {
            (Routing::Same, _) => 0,
            (Routing::Fresh, Instance::New) => 2,
            (Routing::Fresh, Instance::Any) => 0,
            (Routing::Turns, _) => nth % 2,
            (Routing::Moves, _) => usize::from(nth >= 3),
        };
        let (status, headers, body) = self.respond(instance, check);
        let mut observation = Observation::begin(check, Head { status, headers }, Duration::from_millis(1));
        observation.chunk(Duration::from_millis(2), body.to_string().as_bytes());
        observation.end(Duration::from_millis(2), Ending::Complete);
        Ok(Sent { observation, by_new_instance: instance == 2 })
    }
}

async fn talk(servers: &Servers, instances: Instances) -> Result<McpSeen, Fault> {
    let check = Check { path: "/mcp".into(), expect: Expect::Mcp, ..Check::default() };
    match converse(&check, instances, servers).await {
        Ok(seen) => Ok(seen.mcp.expect("an MCP server was asked")),
        Err(Stop::Fault(fault)) => Err(*fault),
        Err(Stop::Call(never)) => match never {},
    }
}

#[tokio::test]
async fn what_is_known_of_sessions_follows_from_who_answered() {
    let load = Instances::UnderLoad(usize::MAX);
    for (keeps, routing, instances, expected) in [
        (Keeps::Nothing, Routing::Turns, load, Some(Sessions::Stateless)),
        (Keeps::Nothing, Routing::Fresh, Instances::OnRequest, Some(Sessions::Stateless)),
        (Keeps::Shared, Routing::Fresh, load, Some(Sessions::Shared)),
        (Keeps::Shared, Routing::Fresh, Instances::OnRequest, Some(Sessions::Shared)),
        // Nothing shows that the second instance answered, although it did.
        (Keeps::Shared, Routing::Turns, load, Some(Sessions::Unknown)),
        (Keeps::InMemory, Routing::Fresh, Instances::OnRequest, None),
        (Keeps::InMemory, Routing::Fresh, load, None),
        (Keeps::InMemory, Routing::Turns, load, None),
        (Keeps::InMemory, Routing::Same, load, Some(Sessions::Unknown)),
        (Keeps::InMemory, Routing::Same, Instances::OnRequest, Some(Sessions::Unknown)),
        (Keeps::InMemory, Routing::Fresh, Instances::Single { on_request: true }, Some(Sessions::InMemory)),
        (Keeps::InMemory, Routing::Same, Instances::Single { on_request: false }, Some(Sessions::Unknown)),
    ] {
        let seen = talk(&Servers::new(keeps, routing), instances).await;
        match (expected, seen) {
            (Some(expected), Ok(seen)) => assert_eq!(seen.sessions, expected, "{instances:?}"),
            (None, Err(Fault::Mcp { problem: McpProblem::Session { .. }, .. })) => {}
            (expected, seen) => panic!("{instances:?}: {seen:?} instead of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_session_that_was_known_is_unknown_to_another_instance() {
    for (routing, expected) in [(Routing::Moves, true), (Routing::Turns, false)] {
        let seen = talk(&Servers::new(Keeps::InMemory, routing), Instances::OnRequest).await;
        let Err(Fault::Mcp { problem: McpProblem::Session { elsewhere, .. }, .. }) = seen else {
            panic!("{seen:?}");
        };
        assert_eq!(elsewhere, expected);
    }
}

#[tokio::test]
async fn a_concurrency_that_is_used_up_is_no_fault_of_the_sessions() {
    // Beginnings, notifications, tools and a ping are answered, and then nothing more.
    let servers = Servers { free: 6, ..Servers::new(Keeps::Shared, Routing::Turns) };
    let seen = talk(&servers, Instances::UnderLoad(2)).await;
    assert_eq!(seen.map(|seen| seen.sessions), Ok(Sessions::Unknown));
}

#[test]
fn a_response_is_read_to_its_end_or_a_little_longer_than_its_answer() {
    let check = Check { path: "/mcp".into(), expect: Expect::Mcp, ..Check::default() };
    let check = request::http(&check, &Request::ping(), None);
    let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
    let ms = Duration::from_millis;
    let mut observation = Observation::begin(&check, Head { status: 200, headers }, ms(1));
    observation.chunk(ms(20), b"data: {\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n\n");
    let timeout = Duration::from_secs(60);
    for (now, expected) in [(20, None), (269, None), (270, Some(Ending::Complete))] {
        assert_eq!(enough(&check, &observation, ms(now), timeout), expected, "after {now} ms");
    }
}

/// A deploy has two conversations: with the version, and with the URL.
#[tokio::test]
async fn a_deploy_costs_as_many_invocations_as_the_documentation_says() {
    let (load, told) = (Instances::UnderLoad(usize::MAX), Instances::OnRequest);
    let mut counted = Vec::new();
    for (keeps, has_handshake) in [(Keeps::Nothing, true), (Keeps::Shared, true), (Keeps::Nothing, false)] {
        // AWS may or may not show that a second instance answered.
        for (instances, routing) in [(told, Routing::Fresh), (load, Routing::Fresh), (load, Routing::Turns)] {
            let servers = Servers { has_handshake, ..Servers::new(keeps, routing) };
            talk(&servers, instances).await.expect("a sound server");
            counted.push(2 * servers.sent.get());
        }
    }
    let [local, few, many, local_session, few_session, many_session, local_modern, few_modern, many_modern] =
        counted[..]
    else {
        panic!("{counted:?}")
    };
    let row = format!(
        "| `mcp` | {local}; {local_session} with sessions; {local_modern} without `initialize`. On AWS {few} to {many}; {few_session} \
         to {many_session}; {few_modern} to {many_modern}. "
    );
    assert!(include_str!("../../../docs/verification.md").contains(&row), "{row}");
}
