//! How many requests may run at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, futures::OwnedNotified};

use crate::sync::lock;
use crate::world::World;

/// A function's region and name.
pub(crate) type FunctionKey = (String, String);

/// The concurrency of the account.
pub(crate) struct Concurrency {
    /// How many requests may run at once, all functions of a region together.
    limit: usize,
    shared: Arc<Shared>,
}

struct Shared {
    in_use: Mutex<InUse>,
    /// Notified whenever a permit is given back, or an instance becomes free.
    freed: Arc<Notify>,
}

#[derive(Default)]
struct InUse {
    functions: HashMap<FunctionKey, Usage>,
    /// The reservations of functions, by region.
    reserved: HashMap<String, usize>,
}

/// The requests of one function.
#[derive(Default)]
struct Usage {
    running: usize,
    /// Those of `running` that have been answered, whose instances ask for the next request in a moment.
    finishing: usize,
    has_reservation: bool,
}

/// Whether another request of a function may run.
pub(crate) struct Availability {
    /// AWS's reason for refusing it, if the limit is reached.
    pub(crate) refusal: Option<&'static str>,
    /// Whether a request of this function is about to finish.
    pub(crate) finishing: bool,
}

/// The right to run one request, given back when dropped.
pub(crate) struct ConcurrencyPermit {
    shared: Arc<Shared>,
    function: FunctionKey,
    finishing: bool,
}

impl Concurrency {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, shared: Arc::new(Shared { in_use: Mutex::default(), freed: Arc::default() }) }
    }

    /// Whether another request of a function may run; `reserved` is what the function has reserved.
    pub(crate) fn availability(&self, function: &FunctionKey, reserved: Option<u32>) -> Availability {
        let mut in_use = lock(&self.shared.in_use);
        let others = in_use.functions.iter().filter(|(other, usage)| other.0 == function.0 && !usage.has_reservation);
        let unreserved: usize = others.map(|(_, usage)| usage.running).sum();
        let reserved_in_region = in_use.reserved.get(&function.0).copied().unwrap_or_default();
        let usage = in_use.functions.entry(function.clone()).or_default();
        usage.has_reservation = reserved.is_some();
        let (is_full, reason) = match reserved {
            Some(limit) => (usage.running >= limit as usize, "ReservedFunctionConcurrentInvocationLimitExceeded"),
            None => (unreserved + reserved_in_region >= self.limit, "ConcurrentInvocationLimitExceeded"),
        };
        Availability { refusal: is_full.then_some(reason), finishing: usage.finishing > 0 }
    }

    /// Takes a permit. The caller has checked the availability, and lets no other request in between.
    pub(crate) fn take(&self, function: FunctionKey) -> ConcurrencyPermit {
        lock(&self.shared.in_use).functions.entry(function.clone()).or_default().running += 1;
        ConcurrencyPermit { shared: self.shared.clone(), function, finishing: false }
    }

    /// Resolves when a permit or an instance becomes free after this call.
    pub(crate) fn freed(&self) -> OwnedNotified {
        self.shared.freed.clone().notified_owned()
    }

    /// Reports that an instance has become free.
    pub(crate) fn notify_freed(&self) {
        self.shared.freed.notify_waiters();
    }

    /// Takes over what functions have reserved.
    pub(crate) fn follow(&self, world: &World) {
        let reserved = world.regions.iter().map(|(name, region)| (name.clone(), region.reserved()));
        lock(&self.shared.in_use).reserved = reserved.collect();
    }
}

impl ConcurrencyPermit {
    /// Reports that the request has been answered, and that its instance will ask for the next one in a moment.
    pub(crate) fn finishing(&mut self) {
        if !std::mem::replace(&mut self.finishing, true)
            && let Some(usage) = lock(&self.shared.in_use).functions.get_mut(&self.function)
        {
            usage.finishing += 1;
        }
    }
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        let mut in_use = lock(&self.shared.in_use);
        if let Some(usage) = in_use.functions.get_mut(&self.function) {
            usage.running -= 1;
            usage.finishing -= usize::from(self.finishing);
            if usage.running == 0 {
                in_use.functions.remove(&self.function);
            }
        }
        drop(in_use);
        self.shared.freed.notify_waiters();
    }
}
