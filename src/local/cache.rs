//! The cache that all apps share: installed packages, an installed adapter, copies of layers.

use std::path::PathBuf;

/// `$LAMSTREAM_CACHE_DIR`, or `$XDG_CACHE_HOME/lamstream`, or `~/.cache/lamstream`; `None` if there is no home directory.
pub(crate) fn cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || Some(set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("lamstream"));
    set("LAMSTREAM_CACHE_DIR").or_else(usual).map(|path| std::path::absolute(&path).unwrap_or(path))
}
