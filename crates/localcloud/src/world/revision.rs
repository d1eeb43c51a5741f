//! RevisionIds.

use sha2::{Digest, Sha256};

use crate::random;

/// A new RevisionId.
pub(crate) fn fresh() -> String {
    random::uuid()
}

/// The RevisionId after another one when something has changed only because time has passed: it is the same whenever
/// and however often it is computed.
pub(crate) fn following(revision: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(revision)[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
