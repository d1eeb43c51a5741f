//! Which directories of unpacked code are in use although the state does not name them: uploads that are not part of
//! the state yet, and code that is no longer part of it but that an instance still runs.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::files::draft_in;
use crate::sync::lock;

/// The paths that are in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    counts: Mutex<HashMap<PathBuf, usize>>,
    /// Notified when something may have become unused.
    freed: Notify,
}

/// Keeps one path in use until it is dropped.
#[derive(Debug)]
pub(crate) struct Use {
    table: Arc<Table>,
    path: PathBuf,
}

impl Uses {
    /// Keeps a path from being deleted. A path that the state names may only be taken into use while the state is
    /// locked.
    pub(crate) fn begin(&self, path: PathBuf) -> Use {
        *lock(&self.0.counts).entry(path.clone()).or_default() += 1;
        Use { table: self.0.clone(), path }
    }

    /// Reports that something may be unused now.
    pub(crate) fn notice(&self) {
        self.0.freed.notify_one();
    }

    /// Waits until something may be unused.
    pub(crate) async fn noticed(&self) {
        self.0.freed.notified().await;
    }

    /// Renames everything that is neither in use nor `wanted`, and returns the new paths, which are to be deleted.
    pub(crate) fn retire(&self, there: Vec<PathBuf>, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let counts = lock(&self.0.counts);
        let unused = there.into_iter().filter(|path| {
            // A zip is in use as long as the directory of the same name.
            let of = path.with_extension("");
            !counts.contains_key(&of) && !wanted(&of)
        });
        unused.filter_map(|path| retired(&path)).collect()
    }
}

/// Moves a path to a name that nothing looks up, so that it can be deleted without holding the lock.
fn retired(path: &Path) -> Option<PathBuf> {
    let retired = draft_in(path.parent()?);
    fs::rename(path, &retired).ok().map(|()| retired)
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut counts = lock(&self.table.counts);
        if let Some(count) = counts.get_mut(&self.path) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.path);
                self.table.freed.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_or_wanted_stays() {
        let outer = tempfile::tempdir().expect("a directory");
        let path = |name: &str| outer.path().join(name);
        for name in ["used", "wanted", "free"] {
            fs::create_dir(path(name)).expect("a directory");
            fs::write(path(&format!("{name}.zip")), name).expect("a zip");
        }
        let uses = Uses::default();
        let (first, second) = (uses.begin(path("used")), uses.begin(path("used")));
        let there = || fs::read_dir(outer.path()).expect("names").flatten().map(|entry| entry.path()).collect();
        assert_eq!(uses.retire(there(), |of| of == path("wanted")).len(), 2);
        drop(first);
        assert!(path("used.zip").exists() && path("wanted.zip").exists() && !path("free").exists());
        drop(second);
        uses.retire(vec![path("used"), path("used.zip")], |_| false);
        assert!(!path("used").exists() && !path("used.zip").exists());
    }
}
