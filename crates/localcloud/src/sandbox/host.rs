//! What instances need of the cloud around them.

use std::sync::Arc;

use super::fleet::Fleet;
use super::tag;
use crate::options::Options;
use crate::store::Store;

/// Options, data and the other instances.
pub(crate) struct Host {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) fleet: Arc<Fleet>,
}

impl Host {
    /// Opens the data directory of the options, and ends the processes that a killed cloud has left behind.
    ///
    /// # Errors
    /// If the directory cannot be used, holds something else, or another cloud serves it.
    pub(crate) fn open(options: Options) -> anyhow::Result<Arc<Self>> {
        let store = Store::open(&options.data, options.failing.clone())?;
        raise_descriptor_limit();
        let fleet = Arc::new(Fleet::new(tag::begin_run(&store.data), options.concurrency));
        let following = fleet.clone();
        store.observe(move |world| following.follow(world));
        Ok(Arc::new(Self { options, store, fleet }))
    }

    /// Appends a line to `cloud.log`: something that went wrong in a function.
    pub(crate) fn note(&self, line: &str) {
        self.store.note(line);
    }
}

/// A thousand instances need about five thousand file descriptors; the usual soft limit is 1,024.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // If this fails, there can be fewer instances.
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
}
