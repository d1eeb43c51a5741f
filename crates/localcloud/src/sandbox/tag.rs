//! A number by which a process is known as an instance's, whatever becomes of it.
//!
//! A process can leave its group, its session, its parent and its environment, all of which would say whose it is. The
//! limits that the kernel hands down to every child stay, and the one on file locks has had no effect since Linux 2.4.25:
//! what it is set to is free to tell instances apart. No other instance can guess it.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};

use crate::cloud::lock;
use crate::data::Directory;
use crate::disk::write_private;

/// How often it is looked for processes that began while others were being ended, and the pause between two looks.
const LOOKS: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// The soft limit is the instance's own number, the hard one its cloud's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    run: u64,
    instance: u64,
}

/// What the processes of one instance are known by.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(super) tag: Tag,
    /// The variable with the name of its log stream, for systems that have no such limit.
    variable: String,
}

impl Tag {
    /// A new one among those of a cloud.
    pub(super) fn new(run: u64) -> Self {
        Self { run, instance: rand::random_range(1..run) }
    }

    /// Tags this process, and so all that it will start. Called between fork and exec: it makes one system call.
    pub(super) fn take(self) {
        // A system without the limit has the environment, see `Mark`.
        let _ = setrlimit(Resource::Locks, Rlimit { current: Some(self.instance), maximum: Some(self.run) });
    }

    fn of(pid: Pid) -> Option<Self> {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero())).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max file locks"))?;
        let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
        Some(Self { instance: numbers.next()?, run: numbers.next()? })
    }
}

/// Whether this system has the limit that tags are kept in.
pub(super) fn works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| setrlimit(Resource::Locks, getrlimit(Resource::Locks)).is_ok())
}

impl Mark {
    pub(super) fn new(tag: Tag, stream: &str) -> Self {
        Self { tag, variable: format!("AWS_LAMBDA_LOG_STREAM_NAME={stream}") }
    }

    /// Whether a process is the instance's.
    pub(crate) fn is_on(&self, pid: Pid) -> bool {
        is_any_on(std::slice::from_ref(self), pid)
    }
}

fn is_any_on(marks: &[Mark], pid: Pid) -> bool {
    if works() {
        return Tag::of(pid).is_some_and(|found| marks.iter().any(|mark| mark.tag == found));
    }
    has_variable(pid, |variable| marks.iter().any(|mark| mark.variable.as_bytes() == variable))
}

fn has_variable(pid: Pid, is_ours: impl Fn(&[u8]) -> bool) -> bool {
    let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(is_ours)
}

/// Every process that there is, the latest first.
pub(crate) fn processes() -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pid = |entry: std::fs::DirEntry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
    let mut all: Vec<Pid> = entries.filter_map(pid).collect();
    all.sort_unstable_by_key(|pid| std::cmp::Reverse(pid.as_raw_nonzero()));
    all
}

/// A process that has ended and that nobody has asked about yet.
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

/// Kills processes, and what they start meanwhile, until there is none.
fn end_all(is_meant: impl Fn(Pid) -> bool) {
    for _ in 0..LOOKS {
        let meant = |pid: &Pid| *pid != getpid() && is_meant(*pid) && !is_zombie(*pid);
        let found: Vec<Pid> = processes().into_iter().filter(meant).collect();
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Ends what an earlier cloud on this data, killed and unable to do so itself, has left behind. Gives the number of a new
/// one, and keeps it for the next.
pub(crate) fn begin(data: &Directory) -> u64 {
    let path = data.root().join("processes");
    let earlier: Option<u64> = std::fs::read_to_string(&path).ok().and_then(|number| number.trim().parse().ok());
    let code = format!("LAMBDA_TASK_ROOT={}/", data.code("").display()).replace("//", "/");
    end_all(|pid| {
        let tagged = earlier.is_some() && Tag::of(pid).map(|tag| tag.run) == earlier;
        tagged || has_variable(pid, |variable| variable.starts_with(code.as_bytes()))
    });
    // A cloud that some function runs can only lower what it was given.
    let most = getrlimit(Resource::Locks).maximum.unwrap_or(1 << 62).max(4);
    let run = rand::random_range(most / 2..most);
    // Without it the environment alone tells the next cloud what is left of this one.
    let _ = write_private(&path, run.to_string().as_bytes());
    run
}

/// Ends every process of a cloud.
pub(super) async fn end_run(run: u64) {
    let ended = tokio::task::spawn_blocking(move || end_all(|pid| Tag::of(pid).is_some_and(|tag| tag.run == run)));
    let _ = ended.await;
}

/// Ends what is left of instances; those that end at the same time are looked for together.
#[derive(Default)]
pub(super) struct Cleanup {
    ending: Mutex<Vec<Mark>>,
    turn: tokio::sync::Mutex<()>,
}

impl Cleanup {
    /// Returns when no process of the instance is left.
    pub(super) async fn end(&self, mark: &Mark) {
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
    #[expect(unsafe_code, reason = "the tag is taken between fork and exec")]
    fn a_tag_stays_with_what_leaves_group_session_parent_and_environment() {
        let tag = Tag::new(1 << 40);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "env -i /usr/bin/setsid /bin/sleep 1000 & wait"]).stdin(Stdio::null());
        // SAFETY: one system call.
        unsafe {
            command.pre_exec(move || {
                tag.take();
                Ok(())
            });
        }
        let mut shell = command.spawn().expect("a shell");
        let tagged = || processes().into_iter().filter(|pid| Tag::of(*pid) == Some(tag) && !is_zombie(*pid)).count();
        while tagged() < 2 {
            std::thread::yield_now();
        }
        assert!(Tag::of(getpid()) != Some(tag));
        shell.kill().expect("it runs");
        shell.wait().expect("it has ended");
        assert_eq!(tagged(), 1);
        end_all(|pid| Tag::of(pid) == Some(tag));
        assert_eq!(tagged(), 0);
    }
}
