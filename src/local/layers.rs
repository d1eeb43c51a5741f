//! Copies of other accounts' layers, for the local cloud, which reads no credentials and downloads nothing itself.

use super::cache::cache;
use anyhow::{Context, ensure};
use std::fs;
use std::path::PathBuf;

/// Where the copies are.
pub(crate) fn directory() -> Option<PathBuf> {
    Some(cache()?.join("layers"))
}

/// Where the copy of a layer's version is, or would be.
///
/// # Errors
/// When there is no home directory for the cache.
pub(crate) fn copy_of(arn: &str) -> anyhow::Result<PathBuf> {
    let directory = directory().context("cannot find a home directory for the cache: set LAMSTREAM_CACHE_DIR")?;
    Ok(directory.join(localcloud::layer_file(arn)))
}

/// Stores a copy, and returns its path.
///
/// # Errors
/// When it is not a zip file, or the cache cannot be written.
pub(crate) fn keep(arn: &str, zip: &[u8]) -> anyhow::Result<PathBuf> {
    ensure!(zip.starts_with(b"PK"), "the layer `{arn}` is not a zip file");
    let path = copy_of(arn)?;
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let draft = path.with_extension("new");
        fs::write(&draft, zip)?;
        fs::rename(&draft, &path)
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}
