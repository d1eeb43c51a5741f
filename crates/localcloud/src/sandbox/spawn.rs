//! Starts the processes of instances, so that none outlives the cloud.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::{Arc, mpsc};

use rustix::process::getpid;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::child::Child;
use super::guardian::Guardian;
use super::tag::InstanceMark;
use crate::platform::exec::Starter;
use crate::platform::mounts::MountNamespace;
use crate::platform::{Prepare, start};

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
    /// Identifies the instance's processes.
    pub(super) mark: InstanceMark,
}

/// A job, where its child is expected, and the runtime that waits for the child.
type Order = (Job, oneshot::Sender<io::Result<Child>>, Handle);

/// One thread that starts every child. Linux sends the parent-death signal when the *thread* that started a child ends, so
/// this thread lives exactly as long as the cloud.
pub(super) struct Spawner {
    jobs: mpsc::Sender<Order>,
    guardian: Arc<Guardian>,
}

impl Spawner {
    /// `obedient` is whether a program that root starts obeys the permissions of files.
    pub(super) fn start(run: u64, obedient: bool) -> Self {
        let (jobs, inbox) = mpsc::channel::<Order>();
        let guardian = Arc::new(Guardian::new(run));
        let started = guardian.clone();
        std::thread::spawn(move || {
            let mut starter = None;
            for (job, reply, runtime) in inbox {
                let _entered = runtime.enter();
                started.start();
                let _ = reply.send(spawn(&mut starter, job, obedient));
            }
        });
        Self { jobs, guardian }
    }

    /// The guardian of the cloud's processes.
    pub(super) fn guardian(&self) -> Arc<Guardian> {
        self.guardian.clone()
    }

    /// Starts a process of an instance.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) async fn spawn(&self, job: Job) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let ended = || io::Error::other("the spawning thread has ended");
        let mark = job.mark.clone();
        self.jobs.send((job, reply, Handle::current())).map_err(|_| ended())?;
        let child = child.await.map_err(|_| ended())??;
        mark.add_group(child.group());
        Ok(child)
    }
}

fn spawn(starter: &mut Option<Starter>, job: Job, obedient: bool) -> io::Result<Child> {
    let Job { command, output, namespace, mark } = job;
    let (cloud, tag) = (getpid(), mark.tag);
    let prepare: Prepare = Arc::new(move || {
        namespace.as_ref().map_or(Ok(()), MountNamespace::enter)?;
        if obedient {
            start::obey_permissions();
        }
        tag.apply();
        start::end_with_parent(cloud)
    });
    let starter = match starter {
        Some(starter) => starter,
        none => none.insert(Starter::new()?),
    };
    let mut start = || starter.start(&command, &output, &prepare);
    // A child that was forked while the code was being unpacked has it open for writing until its own exec.
    for _ in 1..ATTEMPTS {
        match start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(BUSY),
            started => return started.map(Child::new),
        }
    }
    start().map(Child::new)
}
