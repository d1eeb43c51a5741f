//! Keeps a deploy from creating anything before the code of all functions is accepted.
//!
//! Cargo knows only when it builds whether a lock file, a version, a feature or a profile is wrong. It says so before it
//! compiles the first unit, so nothing is created until then. Of an app, the packages that it depends on must be
//! installed, and must include what starts it.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// How many functions may create what needs no code at once. AWS limits the calls, so that with more of them none would be
/// ready soon.
const AT_ONCE: usize = 8;

pub(super) struct Gate {
    state: watch::Sender<State>,
    turns: Semaphore,
}

struct State {
    /// The builds that are not accepted yet.
    open: usize,
    /// The builds that have not ended.
    unfinished: usize,
    failed: bool,
}

/// The build of one function. It has ended when this is dropped.
pub(super) struct Build<'g> {
    gate: &'g Gate,
    /// False of a function whose code another one has built.
    is_own: AtomicBool,
}

impl Gate {
    /// For this number of builds.
    pub(super) fn new(builds: usize) -> Gate {
        let state = State { open: builds, unfinished: builds, failed: false };
        Gate { state: watch::Sender::new(state), turns: Semaphore::new(AT_ONCE) }
    }

    pub(super) fn build(&self) -> Build<'_> {
        Build { gate: self, is_own: AtomicBool::new(false) }
    }

    /// A function cannot be built.
    pub(super) fn fail(&self) {
        self.state.send_modify(|state| state.failed = true);
    }

    /// Waits until a function may create what needs no code. `None` if everything is built by then, because that comes next
    /// anyway; or if a function cannot be built.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        if !self.is_open().await {
            return None;
        }
        let turn = self.turns.acquire().await.ok()?;
        self.is_building().then_some(turn)
    }

    /// Waits until all builds are accepted. False if a function cannot be built.
    async fn is_open(&self) -> bool {
        let mut state = self.state.subscribe();
        let decided = state.wait_for(|state| state.failed || state.open == 0).await;
        decided.is_ok_and(|state| !state.failed)
    }

    /// Whether there is a build that has not ended, and none has failed.
    pub(super) fn is_building(&self) -> bool {
        let state = self.state.borrow();
        state.unfinished > 0 && !state.failed
    }
}

impl Build<'_> {
    /// Cargo, or the tool that installs packages, has accepted the code.
    pub(super) fn accept(&self) {
        self.is_own.store(true, Ordering::Relaxed);
        self.gate.state.send_modify(|state| state.open = state.open.saturating_sub(1));
    }
}

impl Drop for Build<'_> {
    fn drop(&mut self) {
        let ended = usize::from(self.is_own.load(Ordering::Relaxed));
        self.gate.state.send_modify(|state| state.unfinished = state.unfinished.saturating_sub(ended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn it_opens_after_the_last_build_and_never_after_a_failure() {
        let gate = Gate::new(2);
        gate.build().accept();
        assert_eq!(gate.is_open().now_or_never(), None);
        gate.build().accept();
        assert_eq!(gate.is_open().now_or_never(), Some(true));
        gate.fail();
        assert_eq!(gate.is_open().now_or_never(), Some(false));
        assert_eq!(Gate::new(0).is_open().now_or_never(), Some(true));
    }

    #[test]
    fn functions_take_turns_until_everything_is_built() {
        let gate = Gate::new(1);
        let build = gate.build();
        assert!(gate.turn().now_or_never().is_none());
        build.accept();
        let turn = || gate.turn().now_or_never();
        let turns: Vec<_> = std::iter::from_fn(|| turn().flatten()).collect();
        assert_eq!(turns.len(), AT_ONCE);
        let waiting = gate.turn();
        drop(build);
        drop(turns);
        assert!(waiting.now_or_never().is_some_and(|turn| turn.is_none()));
    }

    #[test]
    fn a_build_ends_with_the_function_that_has_it_built() {
        let gate = Gate::new(2);
        let first = gate.build();
        first.accept();
        drop(gate.build());
        drop(first);
        assert!(gate.is_building());
        gate.build().accept();
        assert!(!gate.is_building());
    }
}
