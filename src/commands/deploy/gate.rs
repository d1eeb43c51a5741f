//! Keeps a deploy from creating anything before the code of all functions is accepted.
//!
//! Cargo knows only when it builds whether a lock file, a version, a feature or a profile is wrong. It says so before it
//! compiles the first unit, so nothing is created until then. Of an app, the packages that it depends on must be
//! installed, and must include what starts it.

use tokio::sync::watch;

pub(super) struct Gate {
    state: watch::Sender<State>,
}

struct State {
    /// The functions whose code is not accepted yet.
    open: usize,
    failed: bool,
}

impl Gate {
    /// For this number of functions.
    pub(super) fn new(functions: usize) -> Gate {
        Gate { state: watch::Sender::new(State { open: functions, failed: false }) }
    }

    /// Cargo, or the tool that installs packages, has accepted the code of one of the functions.
    pub(super) fn accept(&self) {
        self.state.send_modify(|state| state.open = state.open.saturating_sub(1));
    }

    /// A function cannot be built.
    pub(super) fn fail(&self) {
        self.state.send_modify(|state| state.failed = true);
    }

    /// Waits until the code of all functions is accepted. False if a function cannot be built.
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
    fn it_opens_after_the_last_function_and_never_after_a_failure() {
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
