//! Everything that exists, in memory and on disk: how it is read, changed and written.

use std::sync::Mutex;

use crate::clock::{self, Millis, millis};
use crate::disk::directory::{self, Directory};
use crate::disk::key_pair::Credentials;
use crate::disk::log_store::{LogStore, LogStream};
use crate::options::Options;
use crate::sync::lock;
use crate::wire::error::Fault;
use crate::world::World;
use crate::world::log_group::LogGroup;

/// Runs whenever the world has changed, while it is locked.
type Observer = Box<dyn Fn(&World) + Send + Sync>;

/// The world and the data directory beneath it.
pub(crate) struct Store {
    pub(crate) credentials: Credentials,
    pub(crate) data: Directory,
    pub(crate) logs: LogStore,
    /// Functions whose creation or update fails.
    failing: Vec<String>,
    /// After which time an unused version is inactive.
    inactive_after: Option<Millis>,
    /// Held by one change at a time, from its copy of the world until that is on disk. Reading does not wait for it.
    changing: Mutex<()>,
    world: Mutex<World>,
    observers: Mutex<Vec<Observer>>,
}

impl Store {
    /// Opens a data directory, and deletes what a killed cloud left behind in it.
    ///
    /// # Errors
    /// If it cannot be used, belongs to another user, or another cloud serves it.
    pub(crate) fn open(options: &Options) -> anyhow::Result<Self> {
        let data = Directory::take(&options.data)?;
        let credentials = directory::credentials(data.root())?;
        let world = data.load()?;
        data.clean(&world);
        let logs = LogStore::new(data.logs());
        logs.clean(&world);
        let (failing, inactive_after) = (options.failing.clone(), options.inactive_after.map(millis));
        let (changing, world, observers) = (Mutex::default(), Mutex::new(world), Mutex::default());
        Ok(Self { credentials, data, logs, failing, inactive_after, changing, world, observers })
    }

    /// Calls an observer with the world as it is now, and again whenever the world has changed.
    pub(crate) fn observe(&self, observer: impl Fn(&World) + Send + Sync + 'static) {
        let world = lock(&self.world);
        observer(&world);
        lock(&self.observers).push(Box::new(observer));
    }

    fn notify(&self, world: &World) {
        lock(&self.observers).iter().for_each(|observer| observer(world));
    }

    /// Reads the world as it is now. Whatever has become due since the last change follows from the state on disk and
    /// the clock, so reading writes nothing.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let mut world = lock(&self.world);
        if world.settle(clock::now()) {
            self.notify(&world);
            self.data.uses.notice();
        }
        world.rest(clock::now(), self.inactive_after);
        look(&world)
    }

    /// Changes the world and writes it to disk, then notifies the observers. If the change is refused or cannot be
    /// written, nothing has changed. This waits for the disk, so it must not run on an async worker.
    ///
    /// # Errors
    /// Those of the change, and of the disk.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
        self.change_and(change, |_| ())
    }

    /// The same, with something that has to happen on disk before the next change can begin.
    ///
    /// # Errors
    /// Those of the change, and of the disk.
    pub(crate) fn change_and<T>(
        &self,
        change: impl FnOnce(&mut World) -> Result<T, Fault>,
        then: impl FnOnce(&T),
    ) -> Result<T, Fault> {
        let _changing = lock(&self.changing);
        let mut next = lock(&self.world).clone();
        next.settle(clock::now());
        next.rest(clock::now(), self.inactive_after);
        let answer = change(&mut next)?;
        next.let_fail(&self.failing);
        // Where delays are zero, what has just begun is complete.
        next.settle(clock::now());
        self.data.save(&next).map_err(Fault::unwritten)?;
        then(&answer);
        let mut world = lock(&self.world);
        *world = next;
        self.notify(&world);
        drop(world);
        self.data.uses.notice();
        Ok(answer)
    }

    /// Opens a new log stream, and creates its group if it does not exist. This waits for the disk, so it must not run
    /// on an async worker.
    ///
    /// # Errors
    /// If the group cannot be created.
    pub(crate) fn open_log_stream(&self, region: &str, group: &str, stream: &str) -> Result<LogStream, Fault> {
        let exists = |world: &World| world.regions.get(region).is_some_and(|of| of.log_groups.contains_key(group));
        if !self.read(exists) {
            self.change(|world| {
                if !exists(world) {
                    self.logs.begin_group(region, group).map_err(Fault::unwritten)?;
                    let groups = &mut world.region(region).log_groups;
                    groups.insert(group.to_owned(), LogGroup::new(group, clock::now()));
                }
                Ok(())
            })?;
        }
        Ok(self.logs.begin(region, group, stream))
    }

    /// Appends a line to `cloud.log`.
    pub(crate) fn note(&self, line: &str) {
        self.data.note(line);
    }
}
