//! The lock under which one command at a time starts, stops or resets a local cloud.

use anyhow::{Context, bail};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long to wait for the lock. Several commands may be queued, each for as long as a local cloud takes to start or stop.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a local cloud and its locks are looked at while something waits for them.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// The lock of one data directory. The kernel releases it when the last process that has it drops it or exits.
pub(super) struct Lock(File);

impl Lock {
    /// Waits for the lock of a directory, which is created if necessary.
    ///
    /// # Errors
    /// When the directory holds something else or cannot be used; when other commands keep the lock.
    pub(super) async fn take(data: &Path) -> anyhow::Result<Lock> {
        let begun = Instant::now();
        loop {
            localcloud::prepare(data)?;
            // A reset may delete the directory first; then it is created again.
            if let Some(lock) = try_take(data)? {
                return Ok(lock);
            }
            pause(data, begun).await?;
        }
    }

    /// Waits for the lock of an existing directory; `None` if it is gone, or does not belong to a local cloud.
    ///
    /// # Errors
    /// As `take`.
    pub(super) async fn take_existing(data: &Path) -> anyhow::Result<Option<Lock>> {
        let begun = Instant::now();
        while localcloud::is_data_directory(data) {
            if let Some(lock) = try_take(data)? {
                return Ok(Some(lock));
            }
            pause(data, begun).await?;
        }
        Ok(None)
    }

    /// The lock that the command that started this process passed to it as stdin, or a lock of its own.
    ///
    /// # Errors
    /// As `take`.
    pub(super) async fn inherit_or_take(data: &Path) -> anyhow::Result<Lock> {
        let stdin = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        // stdin may be any file: ask the kernel whether this process holds the lock through it.
        let ours = is_lock_of(&stdin.metadata()?, data) && stdin.try_lock().is_ok();
        if ours { Ok(Lock(stdin)) } else { Lock::take(data).await }
    }

    /// The lock as the stdin of a child process, which then holds it, too.
    ///
    /// # Errors
    /// When no file descriptors are left.
    pub(super) fn to_stdin(&self) -> anyhow::Result<Stdio> {
        Ok(self.0.try_clone().context("cannot pass on the lock")?.into())
    }

    /// Releases it in this process, also in the stdin that it may have come through. The command that started this process
    /// keeps it.
    ///
    /// # Errors
    /// When there is no `/dev/null`.
    pub(super) fn release(self) -> anyhow::Result<()> {
        let same = |stdin: Metadata| self.0.metadata().is_ok_and(|lock| is_same(&lock, &stdin));
        let stdin = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        if stdin.metadata().is_ok_and(same) {
            let nothing = File::open("/dev/null").context("cannot open `/dev/null`")?;
            rustix::stdio::dup2_stdin(&nothing).context("cannot release the lock")?;
        }
        Ok(())
    }
}

/// The lock if it is free. The file must still have its name: in a directory that was deleted in the meantime, it locks
/// nothing.
fn try_take(data: &Path) -> anyhow::Result<Option<Lock>> {
    let path = data.join(localcloud::LOCK);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("cannot open `{}`", path.display()))?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
        }
    }
    if !is_lock_of(&file.metadata()?, data) {
        return Ok(None);
    }
    // For the message of commands that wait; it does not matter if the disk is full.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Some(Lock(file)))
}

fn is_lock_of(file: &Metadata, data: &Path) -> bool {
    std::fs::metadata(data.join(localcloud::LOCK)).is_ok_and(|lock| is_same(&lock, file))
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

async fn pause(data: &Path, begun: Instant) -> anyhow::Result<()> {
    if begun.elapsed() > PATIENCE {
        let mut holder = String::new();
        let file = File::open(data.join(localcloud::LOCK));
        let _ = file.and_then(|file| file.take(20).read_to_string(&mut holder));
        let process = holder.trim().parse::<u32>().map_or(String::new(), |pid| format!(" (process {pid})"));
        bail!(
            "another lamstream{process} has been starting, stopping or resetting the local cloud in `{}` for {} s",
            data.display(),
            PATIENCE.as_secs()
        );
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}
