//! Layers and their versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// A layer; the numbers of its versions are never used twice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) last_version: u64,
    pub(crate) versions: BTreeMap<u64, LayerVersion>,
}

/// One published version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LayerVersion {
    /// The digest of the zip, in hex, which names the directory of its content.
    pub(crate) digest: String,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) created: Millis,
    pub(crate) description: String,
    pub(crate) license: Option<String>,
    pub(crate) runtimes: Vec<String>,
    pub(crate) architectures: Vec<String>,
}
