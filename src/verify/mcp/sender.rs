//! How requests get to the instances of an MCP server, and what is found out about them.

use crate::manifest::Check;
use crate::verify::fault::Fault;
use crate::verify::observation::Observation;

/// Which instance a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instance {
    Any,
    /// A new one, as far as the cloud can be told.
    New,
}

/// How a second instance can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// The cloud starts one for a request that asks for it.
    OnRequest,
    /// AWS starts one for a request that arrives while all others are busy. This many may be sent at once.
    UnderLoad(usize),
    /// The function has one instance at a time. `on_request` is whether the cloud starts another one nevertheless.
    Single { on_request: bool },
}

impl Instances {
    /// Whether the cloud starts an instance for a request that asks for it.
    pub fn on_request(self) -> bool {
        matches!(self, Instances::OnRequest | Instances::Single { on_request: true })
    }
}

/// The header by which a request asks the local cloud for a new instance, and by which the cloud says that it was one.
pub const NEW_INSTANCE: (&str, &str) = ("x-localcloud-instance", "new");
/// The header that has the local cloud start an instance beside the one that answers, for the next request.
pub const SPARE_INSTANCE: (&str, &str) = ("x-localcloud-instance", "spare");

/// What an MCP server said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpSeen {
    /// The revision of the protocol.
    pub protocol: String,
    /// Its name and version.
    pub server: String,
    /// How many tools it has; `None` if it offers none at all.
    pub tools: Option<usize>,
    pub sessions: Sessions,
}

/// Where an MCP server keeps what it knows of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// It has no sessions.
    Stateless,
    /// A second instance knows the session.
    Shared,
    /// Another instance does not know the session.
    InMemory,
    /// It is not known whether a second instance was reached.
    Unknown,
}

/// A response to one request.
pub(in crate::verify) struct Sent {
    pub observation: Observation,
    /// Whether it is known that an instance answered that had answered nothing before.
    pub by_new_instance: bool,
}

/// Why a conversation ends early.
pub(in crate::verify) enum Stop<E> {
    Fault(Box<Fault>),
    /// The call itself failed.
    Call(E),
}

impl<E> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Stop<E> {
        Stop::Fault(Box::new(fault))
    }
}

/// Sends the request of a check, and reads the response until enough of it is known.
pub(in crate::verify) trait Sender {
    type Error;

    async fn send(&self, check: &Check, to: Instance) -> Result<Sent, Stop<Self::Error>>;
}
