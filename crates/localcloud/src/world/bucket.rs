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
    /// Not found before this moment.
    #[serde(default)]
    pub(crate) visible: Millis,
    /// `None` until they are put.
    pub(crate) tags: Option<Tags>,
    pub(crate) objects: BTreeMap<String, Object>,
    /// Uploads in parts that are neither completed nor aborted, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) uploads: BTreeMap<String, Upload>,
}

/// An object that is uploaded in parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) begun: Millis,
    /// The checksums that the parts have to have, such as `sha256`; `None` if the client asked for none.
    pub(crate) algorithm: Option<String>,
    /// Whether the whole object gets a checksum of its bytes, not one of the parts' checksums.
    pub(crate) is_full_object: bool,
    /// By their numbers.
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// A part's metadata; its bytes are in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The name of that file.
    pub(crate) file: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    /// In base64.
    pub(crate) checksum: Option<String>,
    pub(crate) modified: Millis,
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
    /// The name of an algorithm, and the checksum in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<(String, String)>,
}

impl Bucket {
    /// The files of all objects and parts.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let parts = self.uploads.values().flat_map(|upload| upload.parts.values());
        self.objects.values().map(|object| object.file.as_str()).chain(parts.map(|part| part.file.as_str()))
    }

    /// An upload by its id and its object's key.
    ///
    /// # Errors
    /// S3's own if it does not exist, or has ended.
    pub(crate) fn upload(&self, id: &str, key: &str) -> Result<&Upload, Fault> {
        self.uploads.get(id).filter(|upload| upload.key == key).ok_or_else(no_upload)
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn upload_mut(&mut self, id: &str, key: &str) -> Result<&mut Upload, Fault> {
        self.uploads.get_mut(id).filter(|upload| upload.key == key).ok_or_else(no_upload)
    }

    /// An object by its key.
    ///
    /// # Errors
    /// S3's own if it does not exist.
    pub(crate) fn object(&self, key: &str) -> Result<&Object, Fault> {
        let missing = || Fault::new(404, "NoSuchKey", "The specified key does not exist.");
        self.objects.get(key).ok_or_else(missing)
    }
}

fn no_upload() -> Fault {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                   completed.";
    Fault::new(404, "NoSuchUpload", message)
}
