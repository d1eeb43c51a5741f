//! The properties of one function while they are imported.

use crate::node::{Content, Node};

/// Every property, with `Globals` merged and everything resolved. Each reader takes those that it knows, so that the
/// rest can be reported.
pub struct Properties {
    left: Vec<(String, Node)>,
    /// Where they are, for a property that is missing.
    pub place: Node,
}

impl Properties {
    pub fn new(resolved: &Node, place: &Node) -> Properties {
        Properties { left: resolved.entries().to_vec(), place: place.with(Content::Absent) }
    }

    pub fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.left.iter().position(|(known, _)| known == name)?;
        Some(self.left.remove(at).1)
    }

    pub fn peek(&self, name: &str) -> Option<&Node> {
        self.left.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// The variable of the environment, if there is one.
    pub fn variable(&self, name: &str) -> Option<&Node> {
        self.peek("Environment")?.at(&["Variables", name])
    }

    /// The names of the properties that are not taken yet.
    pub fn names(&self) -> Vec<String> {
        self.left.iter().map(|(name, _)| name.clone()).collect()
    }
}
