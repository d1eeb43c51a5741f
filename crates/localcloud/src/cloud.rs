//! The running cloud: the world, the disk beneath it, and the processes and ports that follow from it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use crate::data::Directory;
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
    world: Mutex<World>,
}

/// A lock whose value stays usable when a thread died holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A duration of the options in the unit of the clock.
pub(crate) fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
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
        Ok(Self {
            journal: Journal::new(data.logs()),
            fleet,
            doors: Doors::default(),
            rates: Rates::new(options.api_rate),
            connections: Mutex::default(),
            world: Mutex::new(world),
            options,
            credentials,
            data,
        })
    }

    /// Looks at the world as it is now.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let mut world = lock(&self.world);
        if world.settle(date::now(), &self.options.failing) {
            self.save(&world);
            self.fleet.follow(&world);
        }
        look(&world)
    }

    /// Changes the world, writes it down, and lets ports and processes follow.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut world = lock(&self.world);
        world.settle(date::now(), &self.options.failing);
        let answer = change(&mut world)?;
        // Where nothing takes time, what was begun is complete.
        world.settle(date::now(), &self.options.failing);
        self.data.save(&world).map_err(Fault::internal)?;
        self.fleet.follow(&world);
        self.doors.close_all_but(&world);
        Ok(answer)
    }

    fn save(&self, world: &World) {
        if let Err(error) = self.data.save(world) {
            self.data.note(&format!("cannot write the state: {error:#}"));
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
    }

    /// Tells, in `cloud.log`, what went wrong in a function.
    pub(crate) fn note(&self, line: &str) {
        self.data.note(line);
    }
}
