//! Asks an MCP server what clients ask it first, over Streamable HTTP, and then asks a second instance of it.
//!
//! Lambda sends each request to any instance, so a session that only one instance knows is lost on every other one.

mod answer;
mod conversation;
mod messages;
mod problem;
mod request;
mod sender;

#[cfg(test)]
mod tests;

pub(super) use conversation::converse;
pub(super) use messages::Messages;
pub use problem::McpProblem;
pub use sender::{Instance, Instances, McpSeen, NEW_INSTANCE, SPARE_INSTANCE, Sessions};
pub(super) use sender::{Sender, Sent, Stop};
