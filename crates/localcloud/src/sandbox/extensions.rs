//! The extensions of one instance: which have registered, and which wait for an event.
//!
//! An extension registers, then asks for its next event again and again. An instance has started once the runtime and
//! every extension have asked for the first time; an invocation is over once the runtime and all extensions that take
//! INVOKE have asked again.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::random;

/// All extensions, internal and external ones.
#[derive(Default)]
pub(super) struct Extensions {
    /// Programs that were started and have not registered yet.
    expected: BTreeSet<String>,
    registered: Vec<Extension>,
    /// The description of the function that a registration returns.
    function: Value,
}

/// An extension that has registered.
pub(super) struct Extension {
    pub(super) name: String,
    id: String,
    takes_invoke: bool,
    takes_shutdown: bool,
    /// Its open `event/next`.
    waiting: Option<oneshot::Sender<Bytes>>,
    /// An event that arrived before it asked.
    pending: Option<Bytes>,
}

impl Extensions {
    /// The state before any registration; `function` is the description that registrations return.
    pub(super) fn expecting(names: impl IntoIterator<Item = String>, function: Value) -> Self {
        Self { expected: names.into_iter().collect(), registered: Vec::new(), function }
    }

    /// Whether all that were started have registered and wait for an event.
    pub(super) fn all_started(&self) -> bool {
        self.expected.is_empty() && self.registered.iter().all(|extension| extension.waiting.is_some())
    }

    /// The names of those that have not started completely.
    pub(super) fn missing(&self) -> Vec<String> {
        let silent = self.registered.iter().filter(|extension| extension.waiting.is_none());
        self.expected.iter().cloned().chain(silent.map(|extension| extension.name.clone())).collect()
    }

    /// Whether all that take part in invocations are done with the last one.
    pub(super) fn all_finished(&self) -> bool {
        self.registered.iter().all(|extension| !extension.takes_invoke || extension.waiting.is_some())
    }

    /// Sends an invocation's event to those that take it.
    pub(super) fn invoke(&mut self, event: &Value) {
        let all = self.registered.iter_mut();
        all.filter(|extension| extension.takes_invoke).for_each(|extension| extension.send(event));
    }

    /// Sends the last event to those that take it, and returns their names.
    pub(super) fn shut_down(&mut self, event: &Value) -> Vec<String> {
        let all = self.registered.iter_mut().filter(|extension| extension.takes_shutdown);
        all.map(|extension| {
            extension.send(event);
            extension.name.clone()
        })
        .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.registered.is_empty()
    }

    pub(super) fn is_registered(&self, name: &str) -> bool {
        self.registered.iter().any(|extension| extension.name == name)
    }

    /// Registers an extension; returns its id, and the description of the function for it.
    pub(super) fn register(&mut self, name: &str, events: &[String]) -> (String, &Value) {
        self.expected.remove(name);
        let takes = |event: &str| events.iter().any(|other| other == event);
        let id = random::uuid();
        self.registered.push(Extension {
            name: name.to_owned(),
            id: id.clone(),
            takes_invoke: takes("INVOKE"),
            takes_shutdown: takes("SHUTDOWN"),
            waiting: None,
            pending: None,
        });
        (id, &self.function)
    }

    /// A registered extension by its id.
    pub(super) fn find(&mut self, id: &str) -> Option<&mut Extension> {
        self.registered.iter_mut().find(|extension| extension.id == id)
    }
}

impl Extension {
    /// Resolves to the next event, which may be there already.
    pub(super) fn next(&mut self) -> oneshot::Receiver<Bytes> {
        let (waiting, event) = oneshot::channel();
        match self.pending.take() {
            Some(pending) => drop(waiting.send(pending)),
            None => self.waiting = Some(waiting),
        }
        event
    }

    fn send(&mut self, event: &Value) {
        let event = Bytes::from(event.to_string());
        match self.waiting.take() {
            Some(waiting) => drop(waiting.send(event)),
            None => self.pending = Some(event),
        }
    }
}
