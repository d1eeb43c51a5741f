//! What all listeners share: which requests they refuse, how long clients may take, and how bodies are read.

pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod guard;
pub(crate) mod head_timeout;
pub(crate) mod quick_ack;
pub(crate) mod self_wake;
