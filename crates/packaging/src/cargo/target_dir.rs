//! The directory that a workspace is built in: its own, and locked by one lamstream at a time.
//!
//! Several workspaces may share one target directory (`CARGO_TARGET_DIR`), and so may several checkouts of one
//! workspace. To cargo, the packages of two checkouts are the same: each would overwrite what the other built,
//! and would rebuild everything, because [flags](super::remap) contain the checkout's path. So each workspace has a
//! directory of its own in the shared one.
//!
//! Two packages of a workspace may have binaries of the same name, which cargo puts at the same path. So each run has
//! an empty directory of its own for the final binaries, and shares the intermediate artifacts.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use toml::Value;

use super::preference::Linker;
use crate::digest;
use crate::error::BuildError;
use crate::lock;

/// The lock file in it.
const LOCK: &str = ".lamstream-lock";
/// Prefix of the directories for the final binaries.
const FINAL: &str = ".final-";

/// The workspace's directory in `target_dir`. Cargo rebuilds everything when the linker changes, so a function with a
/// linker of its own also has a directory of its own.
pub(super) fn of_workspace(target_dir: &Path, workspace_root: &Path, linker: Option<&Linker>) -> PathBuf {
    let mut of = workspace_root.as_os_str().as_encoded_bytes().to_vec();
    if let Some(linker) = linker {
        of.extend(format!("\0{linker:?}").bytes());
    }
    let key = digest::sha256(of)[..16].to_owned();
    let name = workspace_root.file_name().unwrap_or_default().to_string_lossy();
    target_dir.join(if name.is_empty() { key } else { format!("{name}-{key}") })
}

/// Such a directory, locked until this is dropped.
pub(super) struct Held {
    /// Where cargo puts the binary; removed before the lock is released.
    last: TempDir,
    directory: PathBuf,
    _lock: File,
}

impl Held {
    /// Creates the directory if needed, and locks it. `waits` is called once if another lamstream is building in it; this
    /// then waits until the other one has ended.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub(super) async fn take(directory: &Path, waits: &(dyn Fn() + Sync)) -> Result<Held, BuildError> {
        let failed =
            |error: io::Error| BuildError::new(format!("cannot write `{}`", directory.display())).because(error);
        std::fs::create_dir_all(directory).map_err(failed)?;
        let lock = lock::take(&directory.join(LOCK), waits).await.map_err(failed)?;
        remove_left_behind(directory);
        let last = tempfile::Builder::new().prefix(FINAL).tempdir_in(directory).map_err(failed)?;
        Ok(Held { last, directory: directory.to_path_buf(), _lock: lock })
    }

    /// Cargo's arguments for where it builds. `splits` is whether it can keep intermediate artifacts outside the target
    /// directory, as cargo 1.91 and later can. Otherwise the lock alone separates two builds.
    pub(super) fn arguments(&self, splits: bool) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let directory = text(&self.directory);
        // Cargo would interpret braces as template variables.
        if !splits || directory.contains(['{', '}']) {
            return vec!["--target-dir".into(), directory];
        }
        let build_dir = format!("build.build-dir={}", Value::String(directory));
        vec!["--target-dir".into(), text(self.last.path()), "--config".into(), build_dir]
    }
}

/// Directories of runs that were killed.
fn remove_left_behind(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(FINAL) {
            // A directory that cannot be removed only costs space.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn each_workspace_and_each_linker_has_a_directory_of_its_own() {
        let of = |root: &str, linker: Option<&Linker>| of_workspace(Path::new("/t"), Path::new(root), linker);
        let (one, other) = (of("/a/shop", None), of("/b/shop", None));
        assert_ne!(one, other);
        assert_ne!(one, of("/a/shop", Some(&Linker::Zig)));
        assert_eq!(one, of("/a/shop", None));
        assert!(one.to_str().unwrap().starts_with("/t/shop-"), "{one:?}");
        assert_eq!(of("/", None).parent(), Some(Path::new("/t")));
    }

    #[tokio::test]
    async fn who_comes_second_waits_and_says_so_and_nothing_is_left() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(".final-killed")).unwrap();
        let waits = AtomicUsize::new(0);
        let count = || {
            waits.fetch_add(1, Ordering::SeqCst);
        };
        let first = Held::take(directory.path(), &count).await.unwrap();
        assert_eq!(waits.load(Ordering::SeqCst), 0);
        let second = Held::take(directory.path(), &count);
        tokio::pin!(second);
        tokio::select! {
            biased;
            _ = &mut second => panic!("two have it"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(waits.load(Ordering::SeqCst), 1);
        drop(first);
        drop(second.await.unwrap());
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(left, [LOCK]);
    }

    #[tokio::test]
    async fn cargo_gets_the_directory_for_what_it_compiles() {
        let directory = tempfile::tempdir().unwrap();
        let held = Held::take(directory.path(), &|| {}).await.unwrap();
        let path = directory.path().to_str().unwrap();
        assert_eq!(held.arguments(false), ["--target-dir", path]);
        let arguments = held.arguments(true);
        assert!(arguments[1].starts_with(&format!("{path}/{FINAL}")), "{arguments:?}");
        assert_eq!(arguments[3], format!("build.build-dir=\"{path}\""));
        let braces = directory.path().join("{x}");
        let held = Held::take(&braces, &|| {}).await.unwrap();
        assert_eq!(held.arguments(true), ["--target-dir", braces.to_str().unwrap()]);
    }
}
