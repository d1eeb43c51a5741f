//! Which directories of unpacked code are in use, beyond what the state names: uploads that are not part of it yet, and
//! instances that still run what is not part of it any more.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::cloud::lock;

/// How the names of drafts, and of what is being deleted, end.
pub(crate) const DRAFT: &str = ".tmp";

/// All uses of this cloud.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    counts: Mutex<HashMap<PathBuf, usize>>,
    /// Told when something may be unused.
    freed: Notify,
}

/// One use of one path, until it is dropped.
#[derive(Debug)]
pub(crate) struct Use {
    table: Arc<Table>,
    path: PathBuf,
}

impl Uses {
    /// Keeps a path from being deleted. What the state names may be taken into use only while looking at the state.
    pub(crate) fn begin(&self, path: PathBuf) -> Use {
        *lock(&self.0.counts).entry(path.clone()).or_default() += 1;
        Use { table: self.0.clone(), path }
    }

    /// Something may be unused now.
    pub(crate) fn notice(&self) {
        self.0.freed.notify_one();
    }

    /// Waits until something may be unused.
    pub(crate) async fn noticed(&self) {
        self.0.freed.notified().await;
    }

    /// Takes away what is in no use and not `wanted`; gives what is left to delete.
    pub(crate) fn retire(&self, there: Vec<PathBuf>, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let counts = lock(&self.0.counts);
        let unused = there.into_iter().filter(|path| {
            // A zip is used as long as the directory beside it.
            let of = path.with_extension("");
            !counts.contains_key(&of) && !wanted(&of)
        });
        unused.filter_map(|path| retired(&path)).collect()
    }
}

/// Nobody finds a path under its new name, so that it can be deleted without haste.
fn retired(path: &Path) -> Option<PathBuf> {
    let doomed = path.with_file_name(format!("{}{DRAFT}", uuid::Uuid::new_v4()));
    fs::rename(path, &doomed).ok().map(|()| doomed)
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
