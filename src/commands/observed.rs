//! What a request has shown, in the form in which it is reported.

use crate::apply::{McpServer, McpSessions, Verified};
use crate::verify::{McpSeen, Seen, Sessions};

impl From<&Seen> for Verified {
    fn from(seen: &Seen) -> Verified {
        Verified {
            status: seen.status,
            first_byte: seen.first_byte,
            chunks: seen.chunks,
            duration: seen.duration,
            streamed: seen.streamed,
            mcp: seen.mcp.as_ref().map(McpServer::from),
        }
    }
}

impl From<&McpSeen> for McpServer {
    fn from(seen: &McpSeen) -> McpServer {
        let McpSeen { protocol, server, tools, sessions } = seen.clone();
        let sessions = match sessions {
            Sessions::Stateless => McpSessions::Stateless,
            Sessions::Shared => McpSessions::Shared,
            Sessions::InMemory => McpSessions::InMemory,
            Sessions::Unknown => McpSessions::Unknown,
        };
        McpServer { protocol, server, tools, sessions }
    }
}
