//! Starts the processes of instances, so that none outlives the cloud.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::mpsc;

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::child::Child;
use super::exec::Starter;
use super::guardian::Guardian;
use super::mounts::MountNamespace;
use super::tag::{self, ProcessTag};

/// The pause before a busy executable is tried again.
const BUSY: std::time::Duration = std::time::Duration::from_millis(5);

/// How often.
const ATTEMPTS: usize = 100;

/// What to start, and how.
pub(super) struct Job {
    /// The program, with its directory and all of its variables.
    pub(super) command: Command,
    /// Its stdout and stderr.
    pub(super) output: OwnedFd,
    /// Its mount namespace, if it has one of its own.
    pub(super) namespace: Option<MountNamespace>,
    pub(super) tag: ProcessTag,
}

/// A job, where its child is expected, and the runtime that waits for the child.
type Order = (Job, oneshot::Sender<io::Result<Child>>, Handle);

/// One thread that starts every child. The kernel sends the parent-death signal when the *thread* that started a child ends,
/// so this thread lives exactly as long as the cloud.
pub(super) struct Spawner(mpsc::Sender<Order>);

impl Spawner {
    /// `obedient` is whether a program that root starts obeys the permissions of files.
    pub(super) fn start(run: u64, obedient: bool) -> Self {
        let (jobs, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            let mut guardian = None;
            let mut starter = None;
            for (job, reply, runtime) in inbox {
                let _entered = runtime.enter();
                if tag::is_supported() {
                    guardian.get_or_insert_with(|| Guardian::start(run));
                }
                let _ = reply.send(spawn(&mut starter, &job, obedient));
            }
        });
        Self(jobs)
    }

    /// Starts a process of an instance.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) async fn spawn(&self, job: Job) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let ended = || io::Error::other("the spawning thread has ended");
        self.0.send((job, reply, Handle::current())).map_err(|_| ended())?;
        child.await.map_err(|_| ended())?
    }
}

fn spawn(starter: &mut Option<Starter>, job: &Job, obedient: bool) -> io::Result<Child> {
    let cloud = getpid();
    let prepare = || {
        // First, since changing its privileges clears a process's death signal.
        job.namespace.as_ref().map_or(Ok(()), MountNamespace::enter)?;
        if obedient {
            obey_permissions();
        }
        job.tag.apply();
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The cloud may have ended before the signal was set.
        if getppid() == Some(cloud) { Ok(()) } else { Err(io::Error::from_raw_os_error(3)) }
    };
    let starter = match starter {
        Some(starter) => starter,
        none => none.insert(Starter::new()?),
    };
    let mut start = || starter.start(&job.command, &job.output, &prepare);
    // A child that was forked while the code was being unpacked has it open for writing until its own exec.
    for _ in 1..ATTEMPTS {
        match start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(BUSY),
            started => return started.map(Child::new),
        }
    }
    start().map(Child::new)
}

/// Makes the program that root is about to start obey the permissions of files, as functions do on Lambda. Called
/// in the new process: it makes system calls alone.
fn obey_permissions() {
    for capability in [CapabilitySet::DAC_OVERRIDE, CapabilitySet::DAC_READ_SEARCH] {
        // Only root has them, and may give them up.
        let _ = remove_capability_from_bounding_set(capability);
    }
}
