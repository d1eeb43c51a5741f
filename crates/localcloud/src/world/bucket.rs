//! Buckets of S3, and what is in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::wire::date::Millis;

/// A bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) region: String,
    /// None until somebody puts them.
    pub(crate) tags: Option<Tags>,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// What is known of an object; its bytes are a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    /// The file's name.
    pub(crate) file: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) content_type: String,
    pub(crate) modified: Millis,
}
