//! Which instances live, which are idle, and how many requests may run at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, futures::OwnedNotified, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::spawn::Spawner;
use super::tag::{self, Cleanup, Tag};
use super::{Blueprint, COMING_BACK, COMING_BACK_TO_THE_LIMIT, Order};
use crate::cloud::{Cloud, lock};
use crate::wire::error::Fault;
use crate::world::World;

/// All instances of all functions.
pub(crate) struct Fleet {
    pub(super) spawner: Spawner,
    pub(super) cleanup: Cleanup,
    /// The number that all of its processes carry.
    run: u64,
    pub(super) lives: Mutex<JoinSet<()>>,
    closing: watch::Sender<bool>,
    roster: Arc<Roster>,
}

struct Roster {
    entries: Mutex<Entries>,
    /// Told whenever an instance or a seat becomes free.
    free: Arc<Notify>,
}

#[derive(Default)]
struct Entries {
    next_id: u64,
    /// By build: instances of another build are never used.
    pools: HashMap<String, Pool>,
    /// By region and function.
    seats: HashMap<(String, String), Taken>,
    /// By region, of all functions together.
    reserved: HashMap<String, usize>,
    /// By instance: the port of a web app.
    ports: HashMap<u64, Holder>,
}

/// Who has a port.
struct Holder {
    port: u16,
    /// Region and function.
    key: (String, String),
    build: String,
    ending: bool,
}

#[derive(Default)]
struct Pool {
    alive: HashMap<u64, mpsc::Sender<Order>>,
    idle: Vec<u64>,
}

#[derive(Default)]
struct Taken {
    busy: usize,
    /// Of the busy ones, those that have answered and will be back in a moment.
    finishing: usize,
    reserved: bool,
}

/// The right to run one request, given back when dropped.
pub(crate) struct Seat {
    roster: Arc<Roster>,
    key: (String, String),
    finishing: bool,
}

/// What a request is told that looks for an instance.
pub(super) enum Place {
    Idle(Seat, mpsc::Sender<Order>),
    New(Seat),
    Wait(OwnedNotified, Instant),
}

impl Fleet {
    /// `run` is what [`super::begin`] has given.
    pub(crate) fn new(run: u64) -> Self {
        Self {
            spawner: Spawner::start(run),
            cleanup: Cleanup::default(),
            run,
            lives: Mutex::default(),
            closing: watch::Sender::new(false),
            roster: Arc::new(Roster { entries: Mutex::default(), free: Arc::default() }),
        }
    }

    /// What the processes of a new instance carry.
    pub(super) fn tag(&self) -> Tag {
        Tag::new(self.run)
    }

    /// Resolves for an instance when the cloud ends.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Finds an instance, or a seat for a new one; 429 when there is neither.
    pub(super) fn place(&self, cloud: &Cloud, blueprint: &Blueprint, since: Instant) -> Result<Place, Fault> {
        if *self.closing.borrow() {
            return Err(Fault::internal("it is ending"));
        }
        // Registered before looking, so that nothing that becomes free meanwhile is missed.
        let free = self.roster.free.clone().notified_owned();
        let mut entries = lock(&self.roster.entries);
        let key = (blueprint.region.clone(), blueprint.function.clone());
        let inside = |(region, _): &(&(String, String), &Taken)| region.0 == blueprint.region;
        let others = entries.seats.iter().filter(inside).filter(|(_, taken)| !taken.reserved);
        let unreserved: usize = others.map(|(_, taken)| taken.busy).sum();
        let reserved = entries.reserved.get(&blueprint.region).copied().unwrap_or_default();
        let taken = entries.seats.entry(key.clone()).or_default();
        taken.reserved = blueprint.reserved.is_some();
        let (full, reason) = match blueprint.reserved {
            Some(limit) => (taken.busy >= limit as usize, "ReservedFunctionConcurrentInvocationLimitExceeded"),
            None => (unreserved + reserved >= cloud.options.concurrency, "ConcurrentInvocationLimitExceeded"),
        };
        let until = since + if full { COMING_BACK_TO_THE_LIMIT } else { COMING_BACK };
        let coming_back = taken.finishing > 0 && Instant::now() < until;
        if full {
            return if coming_back { Ok(Place::Wait(free, until)) } else { Err(Fault::throttled(reason)) };
        }
        let idle = entries.pools.get_mut(&blueprint.build).and_then(|pool| {
            let id = pool.idle.pop()?;
            pool.alive.get(&id).cloned()
        });
        if idle.is_none() && coming_back {
            return Ok(Place::Wait(free, until));
        }
        if let Some(taken) = entries.seats.get_mut(&key) {
            taken.busy += 1;
        }
        let seat = Seat { roster: self.roster.clone(), key, finishing: false };
        Ok(match idle {
            Some(inbox) => Place::Idle(seat, inbox),
            None => Place::New(seat),
        })
    }

    /// Enters a new instance.
    pub(super) fn enter(&self, build: &str) -> (u64, mpsc::Sender<Order>, mpsc::Receiver<Order>) {
        // One request waits while the process starts; later ones come only to an idle instance.
        let (inbox, orders) = mpsc::channel(1);
        let mut entries = lock(&self.roster.entries);
        entries.next_id += 1;
        let id = entries.next_id;
        entries.pools.entry(build.to_owned()).or_default().alive.insert(id, inbox.clone());
        (id, inbox, orders)
    }

    /// Notes the port of an instance's app.
    pub(super) fn holds(&self, id: u64, blueprint: &Blueprint, port: Option<u16>) {
        let Some(port) = port else { return };
        let key = (blueprint.region.clone(), blueprint.function.clone());
        let holder = Holder { port, key, build: blueprint.build.clone(), ending: false };
        lock(&self.roster.entries).ports.insert(id, holder);
    }

    /// Lets the instance on a port end, if it is idle and an older build of the same function, or `any`; whether it ends.
    pub(super) fn give_way(&self, port: u16, to: &Blueprint, any: bool) -> bool {
        let mut entries = lock(&self.roster.entries);
        let Entries { ports, pools, .. } = &mut *entries;
        let Some((id, holder)) = ports.iter_mut().find(|(_, holder)| holder.port == port) else { return false };
        let is_older = holder.key == (to.region.clone(), to.function.clone()) && holder.build != to.build;
        let pool = pools.get_mut(&holder.build).filter(|pool| (any || is_older) && pool.idle.contains(id));
        if let Some(pool) = pool {
            pool.idle.retain(|other| other != id);
            pool.alive.remove(id);
            holder.ending = true;
        }
        holder.ending
    }

    /// An instance is idle; false when it is no longer wanted.
    pub(super) fn rest(&self, build: &str, id: u64) -> bool {
        let mut entries = lock(&self.roster.entries);
        let Some(pool) = entries.pools.get_mut(build).filter(|pool| pool.alive.contains_key(&id)) else { return false };
        pool.idle.push(id);
        drop(entries);
        self.roster.free.notify_waiters();
        true
    }

    /// An instance has ended.
    pub(super) fn leave(&self, build: &str, id: u64) {
        let mut entries = lock(&self.roster.entries);
        entries.ports.remove(&id);
        if let Some(pool) = entries.pools.get_mut(build) {
            pool.alive.remove(&id);
            pool.idle.retain(|other| *other != id);
            if pool.alive.is_empty() {
                entries.pools.remove(build);
            }
        }
        drop(entries);
        self.roster.free.notify_waiters();
    }

    /// Instances of builds that no longer exist end as soon as they are idle: their inbox closes. And what functions have
    /// reserved, others cannot have.
    pub(crate) fn follow(&self, world: &World) {
        let builds: HashSet<&str> = world.builds().collect();
        let reserved = world.regions.iter().map(|(name, region)| (name.clone(), region.reserved()));
        let mut entries = lock(&self.roster.entries);
        entries.pools.retain(|build, _| builds.contains(build.as_str()));
        entries.reserved = reserved.collect();
    }

    /// Ends all instances and waits until their processes are gone.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let mut lives = std::mem::take(&mut *lock(&self.lives));
        while lives.join_next().await.is_some() {}
        tag::end_run(self.run).await;
    }
}

impl Seat {
    /// The answer is complete: only the way back to the next request is left.
    pub(crate) fn finishing(&mut self) {
        if !std::mem::replace(&mut self.finishing, true)
            && let Some(taken) = lock(&self.roster.entries).seats.get_mut(&self.key)
        {
            taken.finishing += 1;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut entries = lock(&self.roster.entries);
        if let Some(taken) = entries.seats.get_mut(&self.key) {
            taken.busy -= 1;
            taken.finishing -= usize::from(self.finishing);
            if taken.busy == 0 {
                entries.seats.remove(&self.key);
            }
        }
        drop(entries);
        self.roster.free.notify_waiters();
    }
}
