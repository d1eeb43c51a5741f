//! A customer-managed policy, which can be attached to roles.

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
    /// The number of the default version.
    pub(crate) default: u32,
    pub(crate) last_version: u32,
    pub(crate) tags: Tags,
}

/// One version of a policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) document: String,
    pub(crate) created: Millis,
}

impl ManagedPolicy {
    /// Adds a version, and returns its number.
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
