//! A number that identifies the processes of an instance.
//!
//! A process can leave its group, its session, its parent and its environment, so none of them identifies it. But every
//! child inherits the kernel's resource limits, and the one on file locks has had no effect since Linux 2.4.25, so its
//! value is free to identify instances. Other instances cannot guess it.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};

use crate::disk::directory::Directory;
use crate::disk::files::write_private;
use crate::net::peer::processes;
use crate::random;
use crate::sync::lock;

/// How often to look for processes that were started while others were being ended, and the pause between two rounds.
const ROUNDS: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// The soft limit is the instance's number, the hard one the cloud's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessTag {
    run: u64,
    instance: u64,
}

/// Identifies the processes of one instance.
#[derive(Clone, Debug)]
pub(super) struct InstanceMark {
    pub(super) tag: ProcessTag,
    /// The environment variable with the name of its log stream, for systems without the limit.
    variable: String,
}

impl ProcessTag {
    /// A new tag of a cloud.
    pub(super) fn new(run: u64) -> Self {
        Self { run, instance: random::number(1..run) }
    }

    /// Tags this process, and thereby all that it will start. Called before it runs its program: it makes one system
    /// call.
    pub(super) fn apply(self) {
        // On systems without the limit, the environment is used: see `InstanceMark`.
        let _ = setrlimit(Resource::Locks, Rlimit { current: Some(self.instance), maximum: Some(self.run) });
    }

    fn of(pid: Pid) -> Option<Self> {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero())).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max file locks"))?;
        let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
        Some(Self { instance: numbers.next()?, run: numbers.next()? })
    }
}

/// Whether this system supports tags.
pub(super) fn is_supported() -> bool {
    static SUPPORTED: OnceLock<bool> = OnceLock::new();
    *SUPPORTED.get_or_init(|| setrlimit(Resource::Locks, getrlimit(Resource::Locks)).is_ok())
}

impl InstanceMark {
    pub(super) fn new(tag: ProcessTag, stream: &str) -> Self {
        Self { tag, variable: format!("AWS_LAMBDA_LOG_STREAM_NAME={stream}") }
    }

    /// Whether a process belongs to the instance.
    pub(super) fn is_on(&self, pid: Pid) -> bool {
        is_any_on(std::slice::from_ref(self), pid)
    }
}

fn is_any_on(marks: &[InstanceMark], pid: Pid) -> bool {
    if is_supported() {
        return ProcessTag::of(pid).is_some_and(|found| marks.iter().any(|mark| mark.tag == found));
    }
    has_variable(pid, |variable| marks.iter().any(|mark| mark.variable.as_bytes() == variable))
}

fn has_variable(pid: Pid, is_ours: impl Fn(&[u8]) -> bool) -> bool {
    let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(is_ours)
}

/// Whether a process has ended and has not been waited for.
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

/// Kills processes, and whatever they start in the meantime, until none is left.
fn end_all(is_target: impl Fn(Pid) -> bool) {
    for _ in 0..ROUNDS {
        let is_running_target = |pid: &Pid| *pid != getpid() && is_target(*pid) && !is_zombie(*pid);
        let found: Vec<Pid> = processes().into_iter().filter(is_running_target).collect();
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Ends the processes of an earlier cloud with this data that was killed. Returns the number of a new cloud, and stores
/// it for the next one.
pub(super) fn begin_run(data: &Directory) -> u64 {
    let path = data.root().join("processes");
    let earlier: Option<u64> = std::fs::read_to_string(&path).ok().and_then(|number| number.trim().parse().ok());
    let root = |of: &str| format!("LAMBDA_TASK_ROOT={}/", data.root().join(of).display());
    let roots = ["code", "task"].map(root);
    end_all(|pid| {
        let tagged = earlier.is_some() && ProcessTag::of(pid).map(|tag| tag.run) == earlier;
        tagged || has_variable(pid, |variable| roots.iter().any(|root| variable.starts_with(root.as_bytes())))
    });
    // A cloud that is run by a function of another cloud can only lower the limit.
    let most = getrlimit(Resource::Locks).maximum.unwrap_or(1 << 62).max(4);
    let run = random::number(most / 2..most);
    // If this fails, the next cloud finds the processes of this one by their environment.
    let _ = write_private(&path, run.to_string().as_bytes());
    run
}

/// Ends every process of a cloud.
pub(super) async fn end_run(run: u64) {
    let ended =
        tokio::task::spawn_blocking(move || end_all(|pid| ProcessTag::of(pid).is_some_and(|tag| tag.run == run)));
    let _ = ended.await;
}

/// Ends the remaining processes of instances; those of instances that end at the same time are looked for together.
#[derive(Default)]
pub(super) struct Cleanup {
    ending: Mutex<Vec<InstanceMark>>,
    turn: tokio::sync::Mutex<()>,
}

impl Cleanup {
    /// Ends the remaining processes of an instance, and returns when none is left.
    pub(super) async fn end(&self, mark: &InstanceMark) {
        lock(&self.ending).push(mark.clone());
        let _turn = self.turn.lock().await;
        let marks = std::mem::take(&mut *lock(&self.ending));
        if !marks.is_empty() {
            let _ = tokio::task::spawn_blocking(move || end_all(|pid| is_any_on(&marks, pid))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "the tag is applied between fork and exec")]
    fn a_tag_stays_with_what_leaves_group_session_parent_and_environment() {
        let tag = ProcessTag::new(1 << 40);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "env -i /usr/bin/setsid /bin/sleep 1000 & wait"]).stdin(Stdio::null());
        // SAFETY: one system call.
        unsafe {
            command.pre_exec(move || {
                tag.apply();
                Ok(())
            });
        }
        let mut shell = command.spawn().expect("a shell");
        let tagged =
            || processes().into_iter().filter(|pid| ProcessTag::of(*pid) == Some(tag) && !is_zombie(*pid)).count();
        while tagged() < 2 {
            std::thread::yield_now();
        }
        assert!(ProcessTag::of(getpid()) != Some(tag));
        shell.kill().expect("it runs");
        shell.wait().expect("it has ended");
        assert_eq!(tagged(), 1);
        end_all(|pid| ProcessTag::of(pid) == Some(tag));
        assert_eq!(tagged(), 0);
    }
}
