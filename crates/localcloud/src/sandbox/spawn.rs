//! Starts and ends processes, so that none outlives the cloud.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::ExitStatus;
use std::sync::{Arc, mpsc};

use rustix::process::{Pid, Signal, getpid, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::guardian::Guardian;
use super::tag::{InstanceMark, ProcessTag};
use crate::platform::mounts::MountNamespace;
use crate::platform::start;

/// The pause before a busy executable is tried again.
const BUSY: std::time::Duration = std::time::Duration::from_millis(5);

/// What to start, in which mount namespace, with which tag.
type Job = (std::process::Command, Option<MountNamespace>, ProcessTag, oneshot::Sender<io::Result<Child>>);

/// One thread that forks every child. Linux sends the parent-death signal when the *thread* that forked ends, so
/// this thread lives exactly as long as the cloud.
pub(super) struct Spawner {
    jobs: mpsc::Sender<(Job, tokio::runtime::Handle)>,
    guardian: Arc<Guardian>,
}

impl Spawner {
    /// `obedient` is whether a program that root starts obeys the permissions of files.
    pub(super) fn start(run: u64, obedient: bool) -> Self {
        let (jobs, inbox) = mpsc::channel::<(Job, tokio::runtime::Handle)>();
        let guardian = Arc::new(Guardian::new(run));
        let started = guardian.clone();
        std::thread::spawn(move || {
            for ((command, namespace, tag, reply), runtime) in inbox {
                let _entered = runtime.enter();
                started.start();
                let _ = reply.send(spawn(command, namespace, tag, obedient));
            }
        });
        Self { jobs, guardian }
    }

    /// The guardian of the cloud's processes.
    pub(super) fn guardian(&self) -> Arc<Guardian> {
        self.guardian.clone()
    }

    /// Starts a process of an instance, in a mount namespace of its own or in the cloud's.
    pub(super) async fn spawn(
        &self,
        command: std::process::Command,
        namespace: Option<MountNamespace>,
        mark: &InstanceMark,
    ) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let job = ((command, namespace, mark.tag, reply), tokio::runtime::Handle::current());
        self.jobs.send(job).map_err(|_| io::Error::other("the spawning thread has ended"))?;
        let child = child.await.map_err(|_| io::Error::other("the spawning thread has ended"))??;
        if let Some(leader) = pid(&child) {
            mark.add_group(leader);
        }
        Ok(child)
    }
}

#[expect(unsafe_code, reason = "namespaces, tags and the parent-death signal are set between fork and exec")]
fn spawn(
    mut command: std::process::Command,
    namespace: Option<MountNamespace>,
    tag: ProcessTag,
    obedient: bool,
) -> io::Result<Child> {
    let cloud = getpid();
    command.process_group(0);
    // SAFETY: the closure makes system calls and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            namespace.as_ref().map_or(Ok(()), MountNamespace::enter)?;
            if obedient {
                start::obey_permissions();
            }
            tag.apply();
            start::end_with_parent(cloud)
        });
    }
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    // A child that was forked while the code was being unpacked has it open for writing until its own exec.
    for _ in 0..100 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(BUSY),
            spawned => return spawned,
        }
    }
    command.spawn()
}

/// Kills a child's whole group.
pub(super) fn kill_group(child: &Child) {
    signal_group(child, Signal::KILL);
}

/// Asks a child's whole group to end.
pub(super) fn terminate_group(child: &Child) {
    signal_group(child, Signal::TERM);
}

/// A child's number, which is also that of its group.
fn pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

fn signal_group(child: &Child, signal: Signal) {
    // Without an id it has been waited for, and another process may have its number.
    if let Some(pid) = pid(child) {
        let _ = kill_process_group(pid, signal);
    }
}

/// How a process ended, in AWS's words.
pub(super) fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, signal) => format!("Runtime exited with error: signal: {}", signal.unwrap_or_default()),
    }
}
