//! A policy of the account's own that roles may have attached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tags::Tags;

use crate::clock::Millis;

/// A customer-managed policy; the numbers of its versions are never used twice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    /// The version in force.
    pub(crate) default: u32,
    pub(crate) last_version: u32,
    pub(crate) tags: Tags,
}

/// One text of a policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) document: String,
    pub(crate) created: Millis,
}

impl ManagedPolicy {
    /// Adds a version, which the first one puts in force; the number it has.
    pub(crate) fn add(&mut self, document: &str, now: Millis, in_force: bool) -> u32 {
        self.last_version += 1;
        self.versions.insert(self.last_version, PolicyVersion { document: document.to_owned(), created: now });
        self.updated = now;
        if in_force {
            self.default = self.last_version;
        }
        self.last_version
    }
}
