//! The settings of a log group.

use serde::{Deserialize, Serialize};

use super::tags::Tags;

use crate::clock::Millis;
use crate::options::ACCOUNT;
use crate::wire::partition::partition;

/// A log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    pub(crate) name: String,
    pub(crate) created: Millis,
    /// When it was last changed.
    #[serde(default)]
    pub(crate) changed: Millis,
    pub(crate) retention: Option<u32>,
    pub(crate) class: String,
    pub(crate) tags: Tags,
}

impl LogGroup {
    /// A group whose events never expire.
    pub(crate) fn new(name: &str, now: Millis) -> Self {
        Self {
            name: name.into(),
            created: now,
            changed: now,
            retention: None,
            class: "STANDARD".into(),
            tags: Tags::new(),
        }
    }
}

/// Its ARN, without the `:*` that some answers have.
pub(crate) fn arn(region: &str, name: &str) -> String {
    format!("arn:{}:logs:{region}:{ACCOUNT}:log-group:{name}", partition(region))
}
