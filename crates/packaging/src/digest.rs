//! SHA-256 as text.

use std::path::Path;

use sha2::{Digest as _, Sha256};

/// In hexadecimal, 64 letters.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The same of a file.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn of_file(file: &Path) -> std::io::Result<String> {
    std::fs::read(file).map(sha256)
}
