//! Locks between processes.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Creates the file if needed, and locks it until it is dropped. `waits` is called if another process has it; this then
/// waits, in a thread of its own: it may block for long, and must not keep the process from exiting.
///
/// # Errors
/// When the file cannot be created or locked.
pub(crate) async fn take(file: &Path, waits: &(dyn Fn() + Sync)) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(file)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => waits(),
        Err(TryLockError::Error(error)) if is_unsupported(&error) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().spawn(move || {
        let locked = file.lock().map(|()| file);
        // If the receiver is gone, the lock is released.
        let _ = sender.send(locked);
    })?;
    receiver.await.unwrap_or_else(|_| Err(io::Error::other("the wait for its lock ended")))
}

/// Some network file systems have no locks. Cargo builds there without one.
fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(rustix::io::Errno::NOSYS.raw_os_error())
}
