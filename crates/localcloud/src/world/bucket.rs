//! Buckets of S3, and their objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tags::Tags;

use crate::clock::Millis;
use crate::wire::error::Fault;

/// A bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) region: String,
    /// `None` until they are put.
    pub(crate) tags: Option<Tags>,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// An object's metadata; its bytes are in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    /// The name of that file.
    pub(crate) file: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) content_type: String,
    pub(crate) modified: Millis,
}

impl Bucket {
    /// An object by its key.
    ///
    /// # Errors
    /// S3's own if it does not exist.
    pub(crate) fn object(&self, key: &str) -> Result<&Object, Fault> {
        let missing = || Fault::new(404, "NoSuchKey", "The specified key does not exist.");
        self.objects.get(key).ok_or_else(missing)
    }
}
