//! What identifies the processes of an instance.
//!
//! A process can leave its group, its session, its parent and its environment, so none of them identifies it. But a tag stays
//! with everything that a process starts, and other instances cannot guess it. On systems without tags, a process is
//! recognised by its environment, or by a process group that the cloud has started.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::guardian::Guardian;
use crate::disk::directory::Directory;
use crate::disk::files::write_private;
use crate::platform::{listening, processes, sockets, tags};
use crate::random;
use crate::sync::lock;

/// The file with the number of the cloud that serves a data directory.
const NUMBER: &str = "processes";

/// How often to look for processes that were started while others were being ended, and the pause between two rounds.
const ROUNDS: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// The numbers of an instance and of its cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessTag {
    run: u64,
    instance: u64,
}

impl ProcessTag {
    /// A new tag of a cloud.
    pub(super) fn new(run: u64) -> Self {
        Self { run, instance: random::number(1..run) }
    }

    /// Tags this process, and thereby all that it will start. Called before it runs its program: it makes one system
    /// call.
    pub(super) fn apply(self) {
        tags::set(self.instance, self.run);
    }

    fn of(pid: Pid) -> Option<Self> {
        tags::of(pid).map(|(instance, run)| Self { run, instance })
    }
}

/// Identifies the processes of one instance.
#[derive(Clone)]
pub(super) struct InstanceMark {
    pub(super) tag: ProcessTag,
    /// The environment variable with the name of its log stream, for systems without tags.
    variable: String,
    groups: Arc<Groups>,
}

/// The process groups of an instance, which the guardian watches as long as any mark of the instance exists.
struct Groups {
    guardian: Arc<Guardian>,
    all: Mutex<Vec<Pid>>,
}

impl Drop for Groups {
    fn drop(&mut self) {
        for group in lock(&self.all).drain(..) {
            self.guardian.forget(group);
        }
    }
}

impl InstanceMark {
    pub(super) fn new(tag: ProcessTag, stream: &str, guardian: Arc<Guardian>) -> Self {
        let groups = Arc::new(Groups { guardian, all: Mutex::default() });
        Self { tag, variable: format!("AWS_LAMBDA_LOG_STREAM_NAME={stream}"), groups }
    }

    /// Adds a process that was started in a group of its own.
    pub(super) fn add_group(&self, leader: Pid) {
        lock(&self.groups.all).push(leader);
        self.groups.guardian.watch(leader);
    }

    /// Whether a process belongs to the instance.
    pub(super) fn is_on(&self, pid: Pid) -> bool {
        is_any_on(std::slice::from_ref(self), pid)
    }

    /// The same without tags.
    fn is_recognised(&self, pid: Pid) -> bool {
        let is_of_group = || processes::group(pid).is_some_and(|group| lock(&self.groups.all).contains(&group));
        processes::has_variable(pid, |variable| variable == self.variable.as_bytes()) || is_of_group()
    }
}

fn is_any_on(marks: &[InstanceMark], pid: Pid) -> bool {
    if tags::are_supported() {
        return ProcessTag::of(pid).is_some_and(|found| marks.iter().any(|mark| mark.tag == found));
    }
    marks.iter().any(|mark| mark.is_recognised(pid))
}

/// Kills processes, and whatever they start in the meantime, until none is left.
fn end_all(is_target: impl Fn(Pid) -> bool) {
    for _ in 0..ROUNDS {
        let is_running_target = |pid: &Pid| *pid != getpid() && is_target(*pid) && !processes::has_ended(*pid);
        let found: Vec<Pid> = processes::all().into_iter().filter(is_running_target).collect();
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether a process was started by a function of the cloud that serves this data, or that served it last.
fn is_of_cloud(data: &Path) -> impl Fn(Pid) -> bool {
    let run: Option<u64> =
        std::fs::read_to_string(data.join(NUMBER)).ok().and_then(|number| number.trim().parse().ok());
    let root = |of: &str| format!("LAMBDA_TASK_ROOT={}/", data.join(of).display());
    let roots = ["code", "task"].map(root);
    move |pid| {
        let tagged = run.is_some() && ProcessTag::of(pid).map(|tag| tag.run) == run;
        tagged
            || processes::has_variable(pid, |variable| roots.iter().any(|root| variable.starts_with(root.as_bytes())))
    }
}

/// Whether the cloud with this data, which the process `serving` runs, or a process that one of its functions has started
/// listens on a port.
pub(crate) fn has_port(data: &Path, serving: i32, port: u16) -> bool {
    let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let is_function = is_of_cloud(&data);
    let listeners = listening::receivers(port, None);
    let is_own = |pid: &Pid| pid.as_raw_nonzero().get() == serving || is_function(*pid);
    let own: Vec<Pid> = processes::all().into_iter().filter(is_own).collect();
    !listeners.is_empty() && listeners.iter().all(|socket| own.iter().any(|pid| sockets::holds(*pid, *socket)))
}

/// Ends the processes of an earlier cloud with this data that was killed. Returns the number of a new cloud, and stores
/// it for the next one.
pub(super) fn begin_run(data: &Directory) -> u64 {
    end_all(is_of_cloud(data.root()));
    let most = tags::largest();
    let run = random::number(most / 2..most);
    // If this fails, the next cloud finds the processes of this one by their environment.
    let _ = write_private(&data.root().join(NUMBER), run.to_string().as_bytes());
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
    use std::io::{Read, Write};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// Starts `cat`, and returns when it runs: before, its environment cannot be read.
    fn started(cat: &mut Command) -> std::process::Child {
        let mut child = cat.spawn().expect("a process");
        child.stdin.as_mut().expect("its input").write_all(b"x").expect("it reads");
        child.stdout.as_mut().expect("its output").read_exact(&mut [0]).expect("it writes");
        child
    }

    #[test]
    fn without_tags_a_process_is_recognised_by_its_environment_and_by_its_group() {
        let mark = InstanceMark::new(ProcessTag::new(1 << 40), "stream", Arc::new(Guardian::new(1)));
        let mut command = Command::new("/bin/cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let turn = crate::sync::turn();
        let mut plain = started(&mut command);
        let mut named = started(command.env("AWS_LAMBDA_LOG_STREAM_NAME", "stream"));
        drop(turn);
        let pid = |child: &std::process::Child| Pid::from_raw(child.id() as i32).expect("a process has a number");
        let recognised = |mark: &InstanceMark| [&plain, &named].map(|child| mark.is_recognised(pid(child)));
        assert_eq!(recognised(&mark), [false, true]);
        mark.add_group(pid(&plain));
        assert_eq!(recognised(&mark), [true, true]);
        for child in [&mut plain, &mut named] {
            child.kill().expect("it runs");
            child.wait().expect("it has ended");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
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
        let mut shell = {
            let _turn = crate::sync::turn();
            command.spawn().expect("a shell")
        };
        let is_tagged = |pid: &Pid| ProcessTag::of(*pid) == Some(tag) && !processes::has_ended(*pid);
        let tagged = || processes::all().into_iter().filter(is_tagged).count();
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
