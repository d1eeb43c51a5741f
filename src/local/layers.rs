//! Copies of layers of other accounts, for the local cloud, which reads no credentials and fetches nothing itself.

use super::cache::cache;
use anyhow::{Context, ensure};
use std::fs;
use std::path::PathBuf;

/// Where the copies lie.
pub fn directory() -> Option<PathBuf> {
    Some(cache()?.join("layers"))
}

/// Where the copy of a layer's version lies, or would.
///
/// # Errors
/// When there is no home to have a cache in.
pub fn copy_of(arn: &str) -> anyhow::Result<PathBuf> {
    let directory = directory().context("there is no home directory to keep it in: name one in LAMSTREAM_CACHE_DIR")?;
    Ok(directory.join(localcloud::layer_file(arn)))
}

/// Keeps a copy; gives where.
///
/// # Errors
/// When it is no zip, or the cache cannot be written.
pub fn keep(arn: &str, zip: &[u8]) -> anyhow::Result<PathBuf> {
    ensure!(zip.starts_with(b"PK"), "the layer `{arn}` is no zip file");
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
