//! Starts and ends processes, so that none outlives the cloud.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::ExitStatus;
use std::sync::mpsc;

use rustix::process::{Pid, Signal, getpid, getppid, kill_process_group, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::guardian::Guardian;
use super::mounts::MountNamespace;
use super::tag::{self, ProcessTag};

/// The pause before a busy executable is tried again.
const BUSY: std::time::Duration = std::time::Duration::from_millis(5);

/// What to start, in which mount namespace, with which tag.
type Job = (std::process::Command, Option<MountNamespace>, ProcessTag, oneshot::Sender<io::Result<Child>>);

/// One thread that forks every child. The kernel sends the parent-death signal when the *thread* that forked ends, so
/// this thread lives exactly as long as the cloud.
pub(super) struct Spawner(mpsc::Sender<(Job, tokio::runtime::Handle)>);

impl Spawner {
    /// `obedient` is whether a program that root starts obeys the permissions of files.
    pub(super) fn start(run: u64, obedient: bool) -> Self {
        let (jobs, inbox) = mpsc::channel::<(Job, tokio::runtime::Handle)>();
        std::thread::spawn(move || {
            let mut guardian = None;
            for ((command, namespace, tag, reply), runtime) in inbox {
                let _entered = runtime.enter();
                if tag::is_supported() {
                    guardian.get_or_insert_with(|| Guardian::start(run));
                }
                let _ = reply.send(spawn(command, namespace, tag, obedient));
            }
        });
        Self(jobs)
    }

    /// Starts a process of an instance, in a mount namespace of its own or in the cloud's.
    pub(super) async fn spawn(
        &self,
        command: std::process::Command,
        namespace: Option<MountNamespace>,
        tag: ProcessTag,
    ) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let job = ((command, namespace, tag, reply), tokio::runtime::Handle::current());
        self.0.send(job).map_err(|_| io::Error::other("the spawning thread has ended"))?;
        child.await.map_err(|_| io::Error::other("the spawning thread has ended"))?
    }
}

#[expect(unsafe_code, reason = "the parent-death signal can only be asked for between fork and exec")]
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
            // First, since changing its privileges clears a process's death signal.
            namespace.as_ref().map_or(Ok(()), MountNamespace::enter)?;
            if obedient {
                obey_permissions();
            }
            tag.apply();
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The cloud may have ended before the signal was set.
            if getppid() == Some(cloud) { Ok(()) } else { Err(io::Error::from_raw_os_error(3)) }
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

/// Makes the program that root is about to start obey the permissions of files, as functions do on Lambda. Called
/// between fork and exec: it makes system calls alone.
fn obey_permissions() {
    for capability in [CapabilitySet::DAC_OVERRIDE, CapabilitySet::DAC_READ_SEARCH] {
        // Only root has them, and may give them up.
        let _ = remove_capability_from_bounding_set(capability);
    }
}

/// Kills a child's whole group.
pub(super) fn kill_group(child: &Child) {
    signal_group(child, Signal::KILL);
}

/// Asks a child's whole group to end.
pub(super) fn terminate_group(child: &Child) {
    signal_group(child, Signal::TERM);
}

fn signal_group(child: &Child, signal: Signal) {
    // Without an id it has been waited for, and another process may have its number.
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
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
