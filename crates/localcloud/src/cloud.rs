//! The running cloud: the world, the disk beneath it, and the processes and ports that follow from it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::{JoinHandle, JoinSet};

use crate::data::Directory;
use crate::disk::remove_tree;
use crate::journal::Journal;
use crate::lambda::Rates;
use crate::sandbox::Fleet;
use crate::url::Doors;
use crate::wire::date::{self, Millis};
use crate::wire::error::Fault;
use crate::world::World;
use crate::{Credentials, Options};

/// Everything a request may need.
pub(crate) struct Cloud {
    pub(crate) options: Options,
    pub(crate) credentials: Credentials,
    pub(crate) data: Directory,
    pub(crate) journal: Journal,
    pub(crate) fleet: Fleet,
    pub(crate) doors: Doors,
    pub(crate) rates: Rates,
    connections: Mutex<JoinSet<()>>,
    /// Held by one change at a time, from its copy of the world until that is on disk. Who only looks does not wait.
    changing: Mutex<()>,
    world: Mutex<World>,
    cleaning: Mutex<Option<JoinHandle<()>>>,
}

/// A lock whose value stays usable when a thread died holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A duration of the options in the unit of the clock.
pub(crate) fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

/// How long it is until a moment, and a little more.
fn left_until(at: Millis) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(at - date::now()).unwrap_or_default() + 1)
}

/// A thousand instances need some five thousand descriptors, and the usual limit is 1,024 until somebody asks for more.
fn ask_for_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Refused, it only means fewer instances.
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
}

impl Cloud {
    /// Opens what the data directory holds.
    pub(crate) fn open(options: Options) -> anyhow::Result<Self> {
        let data = Directory::take(&options.data)?;
        let credentials = crate::data::credentials(data.root())?;
        let world = data.load()?;
        data.clean(&world);
        ask_for_descriptors();
        let fleet = Fleet::new(crate::sandbox::begin(&data));
        fleet.follow(&world);
        let journal = Journal::new(data.logs());
        journal.clean(&world);
        let cloud = Self {
            journal,
            fleet,
            doors: Doors::default(),
            rates: Rates::new(options.api_rate),
            connections: Mutex::default(),
            changing: Mutex::default(),
            world: Mutex::new(world),
            cleaning: Mutex::default(),
            options,
            credentials,
            data,
        };
        cloud.clean();
        Ok(cloud)
    }

    /// Looks at the world as it is now. What has become due since it was written follows from what was written and from
    /// the clock, so that looking writes nothing.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let mut world = lock(&self.world);
        if world.settle(date::now()) {
            self.fleet.follow(&world);
            self.data.uses.notice();
        }
        look(&world)
    }

    /// Changes the world, writes it down, and lets ports and processes follow. What cannot be written down has not
    /// happened, and neither has what is refused.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
        self.change_and(change, |_| ())
    }

    /// The same, and does what belongs to it on disk before another change can begin.
    pub(crate) fn change_and<T>(
        &self,
        change: impl FnOnce(&mut World) -> Result<T, Fault>,
        then: impl FnOnce(&T),
    ) -> Result<T, Fault> {
        let _changing = lock(&self.changing);
        let mut next = lock(&self.world).clone();
        next.settle(date::now());
        let answer = change(&mut next)?;
        next.doom(&self.options.failing);
        // Where nothing takes time, what was begun is complete.
        next.settle(date::now());
        self.data.save(&next).map_err(Fault::unwritten)?;
        then(&answer);
        let mut world = lock(&self.world);
        *world = next;
        self.fleet.follow(&world);
        self.doors.close_all_but(&world);
        drop(world);
        self.data.uses.notice();
        Ok(answer)
    }

    /// Deletes unpacked code as soon as nothing uses it, until the cloud closes.
    pub(crate) fn keep_clean(self: &Arc<Self>) {
        let cloud = self.clone();
        let mut closing = self.fleet.closing();
        let cleaning = tokio::spawn(async move {
            loop {
                // What an update replaces is unused when the update is complete, whether anybody looks then or not.
                let due = cloud.read(World::due);
                let due = async {
                    match due {
                        Some(at) => tokio::time::sleep(left_until(at)).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    _ = closing.wait_for(|closing| *closing) => return,
                    () = cloud.data.uses.noticed() => {}
                    () = due => {}
                }
                let ours = cloud.clone();
                let _ = tokio::task::spawn_blocking(move || ours.clean()).await;
            }
        });
        *lock(&self.cleaning) = Some(cleaning);
    }

    /// Deletes the code and layers that neither the world nor an upload or an instance uses.
    pub(crate) fn clean(&self) {
        let there = self.data.unpacked();
        let unused = self.read(|world| {
            let code = world.digests().map(|digest| self.data.code(digest));
            let layers = world.layers().filter_map(|layers| crate::sandbox::layers_at(self, layers));
            let wanted: HashSet<PathBuf> = code.chain(layers).collect();
            self.data.uses.retire(there, |path: &Path| wanted.contains(path))
        });
        for path in unused {
            if let Err(error) = remove_tree(&path) {
                self.note(&format!("cannot delete `{}`, which nothing uses: {error}", path.display()));
            }
        }
    }

    /// Serves a connection for as long as the cloud lives.
    pub(crate) fn attend(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let mut connections = lock(&self.connections);
        while connections.try_join_next().is_some() {}
        connections.spawn(connection);
    }

    /// Ends everything: ports, processes, connections.
    pub(crate) async fn close(&self) {
        self.doors.close().await;
        let mut connections = std::mem::take(&mut *lock(&self.connections));
        connections.shutdown().await;
        self.fleet.close().await;
        let cleaning = lock(&self.cleaning).take();
        if let Some(cleaning) = cleaning {
            let _ = cleaning.await;
        }
    }

    /// Tells, in `cloud.log`, what went wrong in a function.
    pub(crate) fn note(&self, line: &str) {
        self.data.note(line);
    }
}
