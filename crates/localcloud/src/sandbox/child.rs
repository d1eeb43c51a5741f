//! A process that the cloud has started, and its end.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{SignalKind, signal};

use crate::platform::exec;

/// A process of an instance. It is killed when this value is dropped.
pub(super) struct Child {
    pid: Pid,
    /// How it has ended, if it has been waited for.
    ended: Option<ExitStatus>,
    /// Becomes readable when it ends. Not every system has such descriptors.
    handle: Option<AsyncFd<OwnedFd>>,
}

impl Child {
    /// Takes over a child of this process; needs a tokio runtime.
    #[expect(unsafe_code, reason = "tokio does not own the descriptor")]
    pub(super) fn new(pid: Pid) -> Self {
        let watch = |handle| {
            // SAFETY: nothing replaces or closes the descriptor before its owner is dropped.
            unsafe { AsyncFd::register_with_interest(handle, Interest::READABLE) }.ok()
        };
        let handle = exec::end_of(pid).and_then(watch);
        Self { pid, ended: None, handle }
    }

    /// Its id, until it has been waited for: another process may have its number then.
    pub(super) fn id(&self) -> Option<u32> {
        self.running().and_then(|pid| pid.as_raw_nonzero().get().try_into().ok())
    }

    /// Waits until it has ended. A call that is cancelled loses nothing.
    ///
    /// # Errors
    /// If it is not a child of this process, or a signal handler cannot be set.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        if self.handle.is_none() {
            return self.wait_for_signals().await;
        }
        while self.reap()?.is_none() {
            if let Some(handle) = &self.handle {
                handle.readable().await?.clear_ready();
            }
        }
        Ok(self.ended.unwrap_or_default())
    }

    /// The same with the signal that says that any child has ended.
    async fn wait_for_signals(&mut self) -> io::Result<ExitStatus> {
        // Before looking, so that no end is missed.
        let mut ends = signal(SignalKind::child())?;
        loop {
            if let Some(status) = self.reap()? {
                return Ok(status);
            }
            ends.recv().await;
        }
    }

    /// How it has ended, if it has.
    fn reap(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            let found = waitpid(Some(self.pid), WaitOptions::NOHANG)?;
            self.ended = found.map(|(_, status)| ExitStatus::from_raw(status.as_raw()));
        }
        Ok(self.ended)
    }

    /// Its process group, which has its number.
    pub(super) fn group(&self) -> Pid {
        self.pid
    }

    fn running(&self) -> Option<Pid> {
        self.ended.is_none().then_some(self.pid)
    }

    /// Kills its whole process group.
    pub(super) fn kill_group(&self) {
        self.signal_group(Signal::KILL);
    }

    /// Asks its whole process group to end.
    pub(super) fn terminate_group(&self) {
        self.signal_group(Signal::TERM);
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(pid) = self.running() {
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(pid) = self.running() else { return };
        let _ = kill_process(pid, Signal::KILL);
        // It takes a moment to end.
        std::thread::spawn(move || waitpid(Some(pid), WaitOptions::empty()));
    }
}

/// How a process ended, in AWS's words.
pub(super) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, signal) => format!("Runtime exited with error: signal: {}", signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use rustix::process::test_kill_process;

    use super::*;

    #[expect(clippy::zombie_processes, reason = "what is tested waits for it")]
    fn start(script: &str) -> Pid {
        let _turn = crate::sync::turn();
        let child = Command::new("/bin/sh").args(["-c", script]).spawn().expect("a shell");
        Pid::from_child(&child)
    }

    async fn wait(child: &mut Child) -> ExitStatus {
        let ended = tokio::time::timeout(Duration::from_secs(20), child.wait());
        ended.await.expect("it ends").expect("it is a child")
    }

    #[tokio::test]
    async fn an_end_is_noticed_with_and_without_a_descriptor() {
        for has_handle in [true, false] {
            let mut child = Child::new(start("exit 7"));
            if !has_handle {
                child.handle = None;
            }
            assert!(child.id().is_some());
            assert_eq!(wait(&mut child).await.code(), Some(7), "{has_handle}");
            assert_eq!((child.id(), wait(&mut child).await.code()), (None, Some(7)));
            let mut killed = Child::new(start("exec sleep 1000"));
            if !has_handle {
                killed.handle = None;
            }
            let _ = kill_process(killed.pid, Signal::KILL);
            assert_eq!(ending(wait(&mut killed).await), "Runtime exited with error: signal: killed");
        }
    }

    #[tokio::test]
    async fn a_dropped_child_is_killed_and_leaves_no_zombie() {
        let pid = start("exec sleep 1000");
        drop(Child::new(pid));
        let gone = async {
            while test_kill_process(pid).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it has been waited for");
    }
}
