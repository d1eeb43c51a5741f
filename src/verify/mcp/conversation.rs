//! The conversation with an MCP server: what every client asks first, and the same of a second instance.

use super::answer::{Answer, answer};
use super::messages::Found;
use super::problem::McpProblem;
use super::request::{self, Negotiated, Request, WITH_HANDSHAKE, WITHOUT_HANDSHAKE};
use super::sender::{Instance, Instances, McpSeen, Sender, Sent, Sessions, Stop};
use crate::manifest::Check;
use crate::verify::fault::Fault;
use crate::verify::observation::{Observation, Seen};
use crate::verify::signs;
use futures_util::future::join_all;
use serde_json::Value;

/// How many pages of tools are read at most.
const PAGES: u32 = 50;
/// How often several requests are sent at once to reach a second instance.
const ROUNDS: usize = 4;
/// How many of them at once: one more than the instances that two beginnings at once have started.
const AT_ONCE: usize = 3;

/// Asks the server of this check, and returns what it said of itself.
///
/// # Errors
/// With the first fault of the server, or of the call.
pub(in crate::verify) async fn converse<S: Sender>(
    check: &Check,
    instances: Instances,
    sender: &S,
) -> Result<Seen, Stop<S::Error>> {
    let client = Client { check, sender };
    // Two beginnings at once occupy two instances, each of which then knows one of the sessions.
    let beginnings = if matches!(instances, Instances::UnderLoad(2..)) { 2 } else { 1 };
    let begun = join_all((0..beginnings).map(|_| client.begin())).await;
    let begun: Vec<Begun> = begun.into_iter().collect::<Result<_, _>>()?;
    for one in begun.iter().filter(|one| one.negotiated.has_handshake()) {
        client.ask(&Request::initialized(), &one.negotiated, Session::Begun).await?;
    }
    let first = &begun[0];
    let tools = if first.has_tools { Some(client.count_tools(&first.negotiated).await?) } else { None };
    if first.negotiated.has_handshake() {
        let session = if first.has_tools { Session::Answered } else { Session::Begun };
        client.ask(&Request::ping(), &first.negotiated, session).await?;
    }
    let sessions = client.ask_elsewhere(&begun, instances).await?;
    for one in begun.iter().filter(|one| one.negotiated.session.is_some()) {
        // Whether the server can end sessions does not matter.
        let _ = sender.send(&request::end(check, &one.negotiated), Instance::Any).await;
    }
    let (protocol, server) = (first.negotiated.protocol.clone(), first.server.clone());
    Ok(Seen { mcp: Some(McpSeen { protocol, server, tools, sessions }), ..first.seen.clone() })
}

/// A client of one server.
struct Client<'a, S> {
    check: &'a Check,
    sender: &'a S,
}

/// What the first answer says.
struct Begun {
    negotiated: Negotiated,
    server: String,
    has_tools: bool,
    seen: Seen,
}

impl<S: Sender> Client<'_, S> {
    /// Agrees on a revision of the protocol.
    async fn begin(&self) -> Result<Begun, Stop<S::Error>> {
        let initialize = Request::initialize();
        let http = request::http(self.check, &initialize, None);
        let sent = self.sender.send(&http, Instance::Any).await?;
        match answer(&http, &initialize, &sent.observation) {
            Ok(answer) => Ok(begun_by_handshake(answer)?),
            Err(fault) if may_have_no_handshake(&sent.observation) => match self.discover().await {
                Err(Stop::Fault(_)) => Err(fault.into()),
                other => other,
            },
            Err(fault) => Err(fault.into()),
        }
    }

    /// The beginning with a server that has no `initialize`.
    async fn discover(&self) -> Result<Begun, Stop<S::Error>> {
        let negotiated = Negotiated { protocol: WITHOUT_HANDSHAKE.to_owned(), session: None };
        let Answer { seen, result, .. } = self.ask(&Request::discover(), &negotiated, Session::Begun).await?;
        let server = server(result.get("serverInfo").or_else(|| result["_meta"].get(SERVER_INFO)));
        let has_tools = result["capabilities"].get("tools").is_some();
        Ok(Begun { negotiated, server: server.unwrap_or_else(|| "unnamed".to_owned()), has_tools, seen })
    }

    async fn ask(
        &self,
        request: &Request,
        negotiated: &Negotiated,
        session: Session,
    ) -> Result<Answer, Stop<S::Error>> {
        let http = request::http(self.check, request, Some(negotiated));
        let sent = self.sender.send(&http, Instance::Any).await?;
        // The cloud may have chosen another instance: the one before can be busy with the end of its answer.
        let elsewhere = sent.by_new_instance || session == Session::Answered;
        let found = answer(&http, request, &sent.observation);
        Ok(found.map_err(|fault| if negotiated.session.is_some() { of_session(fault, elsewhere) } else { fault })?)
    }

    async fn count_tools(&self, negotiated: &Negotiated) -> Result<usize, Stop<S::Error>> {
        let (mut count, mut cursor) = (0, None::<String>);
        for page in 0..PAGES {
            let request = Request::list_tools(page, cursor.as_deref());
            let session = if page == 0 { Session::Begun } else { Session::Answered };
            let Answer { seen, result, .. } = self.ask(&request, negotiated, session).await?;
            let lacks = |what| Fault::Mcp { method: request.method, problem: McpProblem::Lacks(what), seen };
            count += count_valid(&result).map_err(lacks)?;
            cursor = result.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(count)
    }

    /// Asks a second instance, and finds out what it knows of the sessions.
    async fn ask_elsewhere(&self, begun: &[Begun], instances: Instances) -> Result<Sessions, Stop<S::Error>> {
        let has_session = begun[0].negotiated.session.is_some();
        let (rounds, at_once) = match instances {
            Instances::OnRequest | Instances::Single { on_request: true } => (1, 1),
            Instances::UnderLoad(limit) => (ROUNDS, limit.min(AT_ONCE)),
            Instances::Single { on_request: false } => (0, 0),
        };
        let mut is_reached = false;
        for _ in 0..rounds {
            let asked = (0..at_once).map(|nth| self.ask_new(&begun[nth % begun.len()].negotiated));
            for reply in join_all(asked).await {
                match reply? {
                    Reply::Refused(_) if has_session && matches!(instances, Instances::Single { .. }) => {
                        return Ok(Sessions::InMemory);
                    }
                    Reply::Refused(fault) => return Err(Stop::Fault(fault)),
                    Reply::Answered { by_new_instance } => is_reached |= by_new_instance,
                    Reply::Busy => {}
                }
            }
            if is_reached {
                break;
            }
        }
        Ok(match (has_session, is_reached) {
            (false, _) => Sessions::Stateless,
            (true, true) => Sessions::Shared,
            (true, false) => Sessions::Unknown,
        })
    }

    /// Sends a request that asks nothing of the server but to know the client.
    async fn ask_new(&self, negotiated: &Negotiated) -> Result<Reply, Stop<S::Error>> {
        let request = if negotiated.has_handshake() { Request::ping() } else { Request::list_tools(0, None) };
        let http = request::http(self.check, &request, Some(negotiated));
        let Sent { observation, by_new_instance } = self.sender.send(&http, Instance::New).await?;
        let fault = match answer(&http, &request, &observation) {
            Ok(_) => return Ok(Reply::Answered { by_new_instance }),
            Err(fault) => fault,
        };
        let words = match &fault {
            _ if observation.head.status == 429 => return Ok(Reply::Busy),
            Fault::Mcp { problem: McpProblem::Status { words }, .. } => words.clone(),
            Fault::Mcp { problem: McpProblem::Error { message, .. }, .. } => message.clone(),
            _ => return Err(fault.into()),
        };
        let problem = match &negotiated.session {
            Some(_) => McpProblem::Session { elsewhere: true, words },
            None => McpProblem::Uninitialised { words },
        };
        let fault = Fault::Mcp { method: request.method, problem, seen: observation.seen() };
        Ok(Reply::Refused(Box::new(fault)))
    }
}

/// What is known of a session.
#[derive(Clone, Copy, PartialEq)]
enum Session {
    /// The server has given it an id.
    Begun,
    /// A request of it was answered, so some instance knows it.
    Answered,
}

/// What an instance says to a client that another instance may know.
enum Reply {
    Answered {
        by_new_instance: bool,
    },
    Refused(Box<Fault>),
    /// No instance was free.
    Busy,
}

/// Where a server names itself in revisions without a handshake.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

fn begun_by_handshake(answer: Answer) -> Result<Begun, Fault> {
    let Answer { seen, result, session } = answer;
    let fault = |problem| Fault::Mcp { method: "initialize", problem, seen: seen.clone() };
    let Some(protocol) = result.get("protocolVersion").and_then(Value::as_str) else {
        return Err(fault(McpProblem::Lacks("protocolVersion")));
    };
    if !WITH_HANDSHAKE.contains(&protocol) {
        return Err(fault(McpProblem::Revision(protocol.to_owned())));
    }
    let Some(capabilities) = result.get("capabilities").and_then(Value::as_object) else {
        return Err(fault(McpProblem::Lacks("capabilities")));
    };
    let Some(server) = server(result.get("serverInfo")) else {
        return Err(fault(McpProblem::Lacks("serverInfo")));
    };
    let is_visible = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    if session.as_ref().is_some_and(|id| !is_visible(id)) {
        return Err(fault(McpProblem::SessionId));
    }
    let has_tools = capabilities.contains_key("tools");
    Ok(Begun { negotiated: Negotiated { protocol: protocol.to_owned(), session }, server, has_tools, seen })
}

/// Whether the answer to `initialize` may be that of a server which only speaks revisions without it. An error of the
/// server itself is none.
fn may_have_no_handshake(observation: &Observation) -> bool {
    /// JSON-RPC's codes for a method and parameters that do not fit, and MCP's for a header, a capability and a version.
    const CODES: [i64; 5] = [-32601, -32602, -32020, -32021, -32022];
    let found = observation.body().messages.as_ref().map(|messages| messages.found());
    let Some(Found::Answer(answer)) = found else { return false };
    let error = &answer["error"];
    error["data"]["supported"].is_array() || error["code"].as_i64().is_some_and(|code| CODES.contains(&code))
}

/// The name and version of a server.
fn server(info: Option<&Value>) -> Option<String> {
    let name = info?.get("name")?.as_str().filter(|name| !name.is_empty())?;
    let version = info?.get("version").and_then(Value::as_str).filter(|version| !version.is_empty());
    Some(version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}")))
}

/// How many tools a list has, or what it lacks.
fn count_valid(result: &Value) -> Result<usize, &'static str> {
    let tools = result.get("tools").and_then(Value::as_array).ok_or("tools")?;
    for tool in tools {
        tool.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).ok_or("tools[].name")?;
        tool.get("inputSchema").filter(|schema| schema.is_object()).ok_or("tools[].inputSchema")?;
    }
    Ok(tools.len())
}

/// The same fault, or that the session is unknown, if the server says so; `elsewhere` if another instance said it.
fn of_session(fault: Fault, elsewhere: bool) -> Fault {
    match fault {
        Fault::Mcp { method, problem: McpProblem::Status { words }, seen }
            if seen.status == 404 || seen.status == 400 && signs::is_about_session(&words) =>
        {
            Fault::Mcp { method, problem: McpProblem::Session { elsewhere, words }, seen }
        }
        Fault::Mcp { method, problem: McpProblem::Error { message, .. }, seen }
            if signs::is_about_session(&message) =>
        {
            Fault::Mcp { method, problem: McpProblem::Session { elsewhere, words: message }, seen }
        }
        other => other,
    }
}
