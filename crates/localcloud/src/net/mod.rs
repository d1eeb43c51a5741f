//! What all listeners share: which requests they refuse, how long clients may take, how bodies are read, and which
//! process has connected or listens.

pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod guard;
pub(crate) mod head_timeout;
pub(crate) mod listening;
pub(crate) mod peer;
pub(crate) mod quick_ack;
pub(crate) mod self_wake;
