//! Checks whether a deployed URL answers as its check requires, and whether it really streams.
//!
//! - [`verify`] checks a URL over HTTP, waits until a new URL has settled, and returns what it observed.
//! - An MCP server is sent several requests (`mcp`), whose responses are judged by its protocol.
//! - [`try_version`] checks a version that has no URL, through Lambda's streaming invocation.
//! - [`Exchange`] sends a single request of the user's choice and returns the response chunk by chunk.
//! - [`judge`] decides. It is pure: it takes a [`Check`](crate::manifest::Check) and an [`Observation`], so responses
//!   that did not arrive over HTTP are judged by the same rules.

mod ask;
mod body;
mod cause;
mod decoder;
mod event;
mod events;
mod exchange;
mod fault;
mod judge;
mod last_words;
mod mcp;
mod observation;
mod obstacle;
mod prelude;
mod probe;
mod quote;
mod requirements;
mod shortcoming;
mod signs;
mod span;
mod subject;
mod version;
mod words;

pub use ask::{Delay, Sign, Target, verify};
pub use cause::{Cause, Kind};
pub use event::{Caller, event};
pub use exchange::{Exchange, Question};
pub use fault::{Fault, Refusal};
pub use judge::judge;
pub use mcp::{Instance, Instances, McpProblem, McpSeen, NEW_INSTANCE, SPARE_INSTANCE, Sessions};
pub use observation::{Ending, Head, Observation, Seen};
pub use obstacle::Obstacle;
pub use shortcoming::{NoEvents, Shortcoming};
pub use subject::Subject;
pub use version::{Begin, Frame, Invocation, Trial, try_version};
