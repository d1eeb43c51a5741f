//! Keeps a deploy from creating anything before cargo has accepted all crates.
//!
//! Cargo knows only when it builds whether a lock file, a version, a feature or a profile is wrong. It says so before it
//! compiles the first unit, so nothing is created until then.

use tokio::sync::watch;

pub(super) struct Gate {
    state: watch::Sender<State>,
}

struct State {
    /// The crates that cargo has not accepted yet.
    open: usize,
    failed: bool,
}

impl Gate {
    /// For this number of crates.
    pub(super) fn new(crates: usize) -> Gate {
        Gate { state: watch::Sender::new(State { open: crates, failed: false }) }
    }

    /// Cargo has accepted one of the crates.
    pub(super) fn accept(&self) {
        self.state.send_modify(|state| state.open = state.open.saturating_sub(1));
    }

    /// A function cannot be built.
    pub(super) fn fail(&self) {
        self.state.send_modify(|state| state.failed = true);
    }

    /// Waits until all crates are accepted. False if a function cannot be built.
    pub(super) async fn is_open(&self) -> bool {
        let mut state = self.state.subscribe();
        let decided = state.wait_for(|state| state.failed || state.open == 0).await;
        decided.is_ok_and(|state| !state.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn it_opens_after_the_last_crate_and_never_after_a_failure() {
        let gate = Gate::new(2);
        gate.accept();
        assert_eq!(gate.is_open().now_or_never(), None);
        gate.accept();
        assert_eq!(gate.is_open().now_or_never(), Some(true));
        gate.fail();
        assert_eq!(gate.is_open().now_or_never(), Some(false));
        assert_eq!(Gate::new(0).is_open().now_or_never(), Some(true));
    }
}
