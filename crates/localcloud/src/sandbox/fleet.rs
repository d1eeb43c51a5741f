//! Which instances exist, and which of them are idle.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use tokio::sync::{Semaphore, futures::OwnedNotified, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use super::request::QueuedRequest;
use super::spawn::Spawner;
use super::spec::InstanceSpec;
use super::tag::{self, Cleanup, InstanceMark, ProcessTag};
use crate::limits::concurrency::{Concurrency, ConcurrencyPermit, FunctionKey};
use crate::sync::lock;
use crate::wire::error::Fault;
use crate::world::World;

/// How long a request waits for an instance that has answered and is about to ask for the next request, before another
/// instance is started.
const RETURN_WAIT: Duration = Duration::from_millis(100);

/// The same if the limit is reached, so that no other instance can be started.
const RETURN_WAIT_AT_LIMIT: Duration = Duration::from_secs(1);

/// How many instances are prepared at once. That takes a blocking thread each; more of them would wait for a core.
const PREPARED_AT_ONCE: usize = 8;

/// All instances of all functions.
pub(crate) struct Fleet {
    pub(super) spawner: Spawner,
    /// Held while an instance is prepared and its processes are started.
    pub(super) preparation: Semaphore,
    pub(super) cleanup: Cleanup,
    /// The number that all of its processes carry.
    run: u64,
    /// The tasks of the instances.
    pub(super) tasks: Mutex<JoinSet<()>>,
    closing: watch::Sender<bool>,
    concurrency: Concurrency,
    instances: Mutex<Instances>,
}

#[derive(Default)]
struct Instances {
    next_id: u64,
    /// By build: instances of another build are never used.
    pools: HashMap<String, Pool>,
    /// The ports of web apps, by instance.
    ports: HashMap<u64, PortHolder>,
    /// The functions whose web app has last started on another port than the one that it asks for.
    movable: HashSet<FunctionKey>,
    /// The builds of which an instance starts for the next request.
    spares: HashSet<String>,
}

/// The instance that has a port.
struct PortHolder {
    port: u16,
    function: FunctionKey,
    build: String,
    ending: bool,
}

/// The state of the instance that has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortHolderState {
    /// It ends, and its port will be free.
    Ends,
    /// It is in use.
    Stays,
    /// No instance is known yet or any more: it is just starting, or has just ended.
    Unknown,
}

/// The instances of one build.
#[derive(Default)]
struct Pool {
    alive: HashMap<u64, mpsc::Sender<QueuedRequest>>,
    idle: Vec<u64>,
}

/// Where a request may run.
pub(super) enum Placement {
    Idle(ConcurrencyPermit, mpsc::Sender<QueuedRequest>),
    New(ConcurrencyPermit),
    Wait(OwnedNotified, Instant),
}

impl Fleet {
    /// `run` is what [`tag::begin_run`] has returned, `limit` how many requests may run at once, `obedient` as in
    /// [`Spawner::start`].
    pub(crate) fn new(run: u64, limit: usize, obedient: bool) -> Self {
        Self {
            spawner: Spawner::start(run, obedient),
            preparation: Semaphore::new(PREPARED_AT_ONCE),
            cleanup: Cleanup::default(),
            run,
            tasks: Mutex::default(),
            closing: watch::Sender::new(false),
            concurrency: Concurrency::new(limit),
            instances: Mutex::default(),
        }
    }

    /// What identifies the processes of a new instance, by a tag and by the name of its log stream.
    pub(super) fn new_mark(&self, stream: &str) -> InstanceMark {
        InstanceMark::new(ProcessTag::new(self.run), stream, self.spawner.guardian())
    }

    /// Becomes true when the cloud ends.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Finds an idle instance, or a permit for a new one, for a request that has been waiting since a moment. `new` asks
    /// for a new one in any case.
    ///
    /// # Errors
    /// 429 if the limit is reached.
    pub(super) fn place(&self, spec: &InstanceSpec, since: Instant, new: bool) -> Result<Placement, Fault> {
        if *self.closing.borrow() {
            return Err(Fault::internal("it is ending"));
        }
        // Registered before looking, so that nothing that becomes free in between is missed.
        let freed = self.concurrency.freed();
        let mut instances = lock(&self.instances);
        let availability = self.concurrency.availability(&spec.key(), spec.reserved);
        let wait = if availability.refusal.is_some() { RETURN_WAIT_AT_LIMIT } else { RETURN_WAIT };
        let until = since + wait;
        let may_wait = availability.finishing && Instant::now() < until;
        if let Some(reason) = availability.refusal {
            return if may_wait { Ok(Placement::Wait(freed, until)) } else { Err(Fault::throttled(reason)) };
        }
        if new {
            return Ok(Placement::New(self.concurrency.take(spec.key())));
        }
        let idle = instances.pools.get_mut(&spec.build).and_then(|pool| {
            let id = pool.idle.pop()?;
            pool.alive.get(&id).cloned()
        });
        if idle.is_none() && may_wait {
            return Ok(Placement::Wait(freed, until));
        }
        let permit = self.concurrency.take(spec.key());
        Ok(match idle {
            Some(inbox) => Placement::Idle(permit, inbox),
            None => Placement::New(permit),
        })
    }

    /// Enters a new instance; returns its id and both ends of its inbox.
    pub(super) fn enter(&self, build: &str) -> (u64, mpsc::Sender<QueuedRequest>, mpsc::Receiver<QueuedRequest>) {
        // One request waits while the process starts; later ones are only sent to an idle instance.
        let (inbox, requests) = mpsc::channel(1);
        let mut instances = lock(&self.instances);
        instances.next_id += 1;
        let id = instances.next_id;
        instances.pools.entry(build.to_owned()).or_default().alive.insert(id, inbox.clone());
        (id, inbox, requests)
    }

    /// Notes the port of an instance's app.
    pub(super) fn note_port(&self, id: u64, spec: &InstanceSpec, port: Option<u16>) {
        let Some(port) = port else { return };
        let holder = PortHolder { port, function: spec.key(), build: spec.build.clone(), ending: false };
        lock(&self.instances).ports.insert(id, holder);
    }

    /// Notes whether a function's web app has started on another port than the one that it asks for.
    pub(super) fn note_movable(&self, function: FunctionKey, is_movable: bool) {
        let mut instances = lock(&self.instances);
        match is_movable {
            true => instances.movable.insert(function),
            false => instances.movable.remove(&function),
        };
    }

    /// Whether a function's web app is known to start on any port.
    pub(super) fn is_movable(&self, function: &FunctionKey) -> bool {
        lock(&self.instances).movable.contains(function)
    }

    /// Notes that an instance starts for the next request. False if none should: one is idle or starts already, or it would
    /// take a port, or a part of the function's own concurrency, from another one.
    pub(super) fn begin_spare(&self, spec: &InstanceSpec) -> bool {
        let has_port = !spec.is_web_app() || self.is_movable(&spec.key());
        let mut instances = lock(&self.instances);
        let has_idle = instances.pools.get(&spec.build).is_some_and(|pool| !pool.idle.is_empty());
        has_port && !has_idle && spec.reserved.is_none() && instances.spares.insert(spec.build.clone())
    }

    /// Notes that such an instance has started, or has ended.
    pub(super) fn end_spare(&self, build: &str) {
        lock(&self.instances).spares.remove(build);
    }

    /// Ends the instance that has a port if it is idle, and either of an older build of the same function or `any`.
    pub(super) fn end_port_holder(&self, port: u16, spec: &InstanceSpec, any: bool) -> PortHolderState {
        let mut instances = lock(&self.instances);
        let Instances { ports, pools, .. } = &mut *instances;
        let Some((id, holder)) = ports.iter_mut().find(|(_, holder)| holder.port == port) else {
            return PortHolderState::Unknown;
        };
        let is_older = holder.function == spec.key() && holder.build != spec.build;
        let pool = pools.get_mut(&holder.build).filter(|pool| (any || is_older) && pool.idle.contains(id));
        if let Some(pool) = pool {
            pool.idle.retain(|other| other != id);
            pool.alive.remove(id);
            holder.ending = true;
        }
        if holder.ending { PortHolderState::Ends } else { PortHolderState::Stays }
    }

    /// Notes that an instance is idle; false if it is no longer wanted.
    pub(super) fn set_idle(&self, build: &str, id: u64) -> bool {
        let mut instances = lock(&self.instances);
        let Some(pool) = instances.pools.get_mut(build).filter(|pool| pool.alive.contains_key(&id)) else {
            return false;
        };
        pool.idle.push(id);
        drop(instances);
        self.concurrency.notify_freed();
        true
    }

    /// Removes an instance that has ended.
    pub(super) fn leave(&self, build: &str, id: u64) {
        let mut instances = lock(&self.instances);
        instances.ports.remove(&id);
        if let Some(pool) = instances.pools.get_mut(build) {
            pool.alive.remove(&id);
            pool.idle.retain(|other| *other != id);
            if pool.alive.is_empty() {
                instances.pools.remove(build);
            }
        }
        drop(instances);
        self.concurrency.notify_freed();
    }

    /// Takes over a change of the world: instances of builds that no longer exist end as soon as they are idle, because
    /// their inbox closes.
    pub(super) fn follow(&self, world: &World) {
        let builds: HashSet<&str> = world.builds().collect();
        lock(&self.instances).pools.retain(|build, _| builds.contains(build.as_str()));
        self.concurrency.follow(world);
    }

    /// Ends the instances of these builds as soon as they are idle.
    pub(super) fn retire(&self, builds: &[String]) {
        lock(&self.instances).pools.retain(|build, _| !builds.contains(build));
    }

    /// Ends all instances and waits until their processes are gone.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        while tasks.join_next().await.is_some() {}
        tag::end_run(self.run).await;
    }
}
