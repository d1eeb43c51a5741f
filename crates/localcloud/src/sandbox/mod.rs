//! Processes that run uploaded code: one invocation at a time in each, as many as the limits allow.
//! This does not isolate anything: a function may do whatever its user may do.

mod answer;
mod binary;
mod channel;
mod child;
mod credentials;
mod environment;
mod extension_process;
mod extensions;
mod extensions_api;
mod fleet;
mod guardian;
mod host;
mod instance;
mod invocation;
mod invoke;
mod language;
mod launch;
mod layers;
mod lost_port;
mod message;
mod output;
mod pipe;
mod port;
mod port_check;
mod processes;
mod records;
mod report;
mod request;
mod runtime_api;
mod runtime_reply;
mod spawn;
mod spec;
mod start_error;
mod tag;

pub(crate) use answer::{Answer, LARGEST};
pub(crate) use credentials::Credentials;
pub(crate) use host::Host;
pub(crate) use invoke::invoke;
pub use language::missing_interpreter;
pub(crate) use layers::{adapter, layers_directory};
pub(crate) use request::{INSTANCE, NEW, Outcome, Request, SPARE, trace};
pub(crate) use spec::InstanceSpec;
pub(crate) use tag::has_port;
