//! The properties of one function while they are imported.

use crate::node::{Content, Node};

/// Every property, with `Globals` merged and everything resolved. Each reader takes those that it knows, so that the
/// rest can be reported.
pub(super) struct Properties {
    left: Vec<(String, Node)>,
    /// Where the properties are, for reporting a missing one.
    pub place: Node,
}

impl Properties {
    pub(super) fn new(resolved: &Node, place: &Node) -> Properties {
        Properties { left: resolved.entries().to_vec(), place: place.with(Content::Absent) }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.left.iter().position(|(known, _)| known == name)?;
        Some(self.left.remove(at).1)
    }

    pub(super) fn peek(&self, name: &str) -> Option<&Node> {
        self.left.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// The variable of the environment, if there is one.
    pub(super) fn variable(&self, name: &str) -> Option<&Node> {
        self.peek("Environment")?.at(&["Variables", name])
    }

    /// Adds a variable to the environment, unless the template sets it.
    pub(super) fn add_variable(&mut self, name: &str, value: &str) {
        let place = self.place.clone();
        let map = || place.with(Content::Map(Vec::new()));
        if self.peek("Environment").is_none() {
            self.left.push(("Environment".to_owned(), map()));
        }
        let environment = self.left.iter_mut().find(|(known, _)| known == "Environment");
        let Some(Content::Map(environment)) = environment.map(|(_, node)| &mut node.content) else { return };
        if !environment.iter().any(|(known, _)| known == "Variables") {
            environment.push(("Variables".to_owned(), map()));
        }
        let variables = environment.iter_mut().find(|(known, _)| known == "Variables");
        let Some(Content::Map(variables)) = variables.map(|(_, node)| &mut node.content) else { return };
        if !variables.iter().any(|(known, _)| known == name) {
            variables.push((name.to_owned(), place.with(Content::text(value))));
        }
    }

    pub(super) fn add(&mut self, name: &str, value: Node) {
        self.left.push((name.to_owned(), value));
    }

    /// The names of the properties that are not taken yet.
    pub(super) fn names(&self) -> Vec<String> {
        self.left.iter().map(|(name, _)| name.clone()).collect()
    }
}
