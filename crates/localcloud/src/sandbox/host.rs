//! The parts of the cloud that instances need.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::credentials::{Credentials, HandedOver};
use super::fleet::Fleet;
use super::spec::InstanceSpec;
use super::tag;
use crate::clock::{self, millis};
use crate::limits::concurrency::FunctionKey;
use crate::options::Options;
use crate::platform::{limits, mounts};
use crate::store::Store;
use crate::wire::error::Fault;
use crate::world::VersionKey;
use crate::world::version::{Version, not_ready};

/// Options, data and the other instances.
pub(crate) struct Host {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) fleet: Arc<Fleet>,
    pub(super) handed_over: HandedOver,
}

impl Host {
    /// Opens the data directory of the options, and ends the processes that a killed cloud has left behind.
    ///
    /// # Errors
    /// If the directory cannot be used, belongs to another user, or another cloud serves it.
    pub(crate) fn open(options: Options) -> anyhow::Result<Arc<Self>> {
        let store = Store::open(&options)?;
        if options.mount_layers && mounts::refusal().is_none() {
            store.data.contents.share();
        }
        limits::raise_open_files();
        let obedient = is_open_to_root(store.data.root());
        let fleet = Arc::new(Fleet::new(tag::begin_run(&store.data), options.concurrency, obedient));
        let following = fleet.clone();
        store.observe(move |world| following.follow(world));
        Ok(Arc::new(Self { options, store, fleet, handed_over: HandedOver::default() }))
    }

    /// Gives a function's instances credentials of AWS from now on, or no longer. Those that have others end as soon as
    /// they are idle.
    pub(crate) fn hand_over(&self, function: FunctionKey, credentials: Option<Credentials>) {
        let builds: Vec<String> = self.store.read(|world| {
            let found = world.regions.get(&function.0).and_then(|region| region.functions.get(&function.1));
            let versions = found.into_iter().flat_map(|found| found.versions.values().chain([&found.latest]));
            versions.map(|version| version.runs().2.to_owned()).collect()
        });
        if self.handed_over.set(function, credentials) {
            self.fleet.retire(&builds);
        }
    }

    /// Records that a version was used, if unused ones become inactive. Not more often than matters, as this writes
    /// to disk.
    pub(crate) fn record_use(self: &Arc<Self>, spec: &InstanceSpec) {
        let Some(after) = self.options.inactive_after.map(millis) else { return };
        let now = clock::now();
        let key = (spec.region.clone(), spec.function.clone(), spec.number.clone());
        let is_due = |version: &Version| version.used.max(version.modified) + after / 8 <= now;
        if !self.store.read(|world| world.version(&key).is_some_and(is_due)) {
            return;
        }
        let host = self.clone();
        drop(tokio::task::spawn_blocking(move || {
            host.store.change(|world| {
                if let Some(version) = world.version_mut(&key) {
                    version.used = now;
                }
                Ok(())
            })
        }));
    }

    /// Begins to restore a version that is inactive, and returns the error of this invocation.
    pub(crate) async fn wake(self: &Arc<Self>, key: VersionKey) -> Fault {
        let (host, until) = (self.clone(), clock::after(self.options.pending));
        let wake = move || {
            host.store.change(|world| {
                if let Some(version) = world.version_mut(&key).filter(|version| version.inactive) {
                    version.wake(clock::now(), until);
                }
                Ok(())
            })
        };
        match tokio::task::spawn_blocking(wake).await {
            Ok(Ok(())) => not_ready(),
            Ok(Err(fault)) => fault,
            Err(error) => Fault::internal(error),
        }
    }

    /// Appends a line to `cloud.log`: something that went wrong in a function.
    pub(crate) fn note(&self, line: &str) {
        self.store.note(line);
    }
}

/// Whether root reaches a directory without its right to ignore permissions: another user's home may be closed.
fn is_open_to_root(path: &Path) -> bool {
    path.ancestors().skip(1).all(|above| above.metadata().is_ok_and(|found| found.uid() == 0 || found.mode() & 1 == 1))
}
