//! An embedded cloud on loopback: enough of AWS to deploy streaming functions and really run them.
//!
//! The modules of this crate are layers; `tests/layers.rs` has the map.

mod clock;
mod cloud;
mod disk;
mod limits;
mod net;
mod options;
mod platform;
mod random;
mod sandbox;
mod server;
mod services;
mod signature;
mod store;
mod sync;
mod url;
mod wire;
mod world;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::ownership::{self, Ownership};
use disk::{directory, key_pair, state};

pub use disk::key_pair::Credentials;
pub use disk::ownership::{LOCK, MARKER};
pub use disk::state::UnusableState;
pub use options::{ACCOUNT, Options, REGION, layer_file};
pub use sandbox::missing_interpreter;

/// The executable of this process, for [`Options::adapters`]. On Linux it stays what it is when the file is replaced or
/// deleted.
pub fn this_program() -> PathBuf {
    platform::executables::this_program()
}

/// Whether a layer's version is one of those that are made of one of [`Options::adapters`].
pub fn is_adapter_layer(arn: &str) -> bool {
    world::configuration::is_adapter(arn)
}

/// Reads the key pair of a data directory, and creates it if there is none.
///
/// # Errors
/// If the directory cannot be used, or belongs to another user.
pub fn credentials(data: &Path) -> anyhow::Result<Credentials> {
    directory::credentials(data)
}

/// Reads the key pair of a data directory that has one.
///
/// # Errors
/// If there is none; an [`UnusableState`] if it is damaged.
pub fn known_credentials(data: &Path) -> anyhow::Result<Credentials> {
    key_pair::read(data)
}

/// Creates a data directory, or takes one that is empty or a local cloud's.
///
/// # Errors
/// If it cannot be created, or holds something else.
pub fn prepare(data: &Path) -> anyhow::Result<()> {
    ownership::prepare(data)
}

/// Whether `data` is a local cloud's data directory, perhaps one whose creation or deletion was interrupted.
pub fn is_data_directory(data: &Path) -> bool {
    ownership::ownership(data).is_ok_and(|ownership| ownership == Ownership::Ours)
}

/// Whether `data` holds something else, which no cloud may take or delete.
pub fn is_foreign(data: &Path) -> bool {
    ownership::ownership(data).map_or(true, |ownership| ownership == Ownership::Foreign)
}

/// Whether the state in a data directory can be used; it can if there is none.
///
/// # Errors
/// If it cannot be read; an [`UnusableState`] if it is damaged, or was written by a newer version.
pub fn check_state(data: &Path) -> anyhow::Result<()> {
    state::load(data).map(drop)
}

/// Whether the cloud that the process `serving` runs with this data listens on a port, itself or by a function.
pub fn has_port(data: &Path, serving: i32, port: u16) -> bool {
    sandbox::has_port(data, serving, port)
}

/// Deletes a data directory that no cloud serves; one that is absent or empty stays as it is.
///
/// # Errors
/// If it is not a local cloud's, or something in it cannot be deleted: then it is still a data directory, and can be
/// erased again.
pub fn erase(data: &Path) -> anyhow::Result<()> {
    ownership::erase(data)
}

/// How many threads the runtime of a process should have that only serves a cloud: half of the cores. Functions and their
/// clients need the others, and a stream is faster if it stays on one thread on its way from one to the other.
pub fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// Serves until `shutdown` resolves, then ends all processes and returns.
///
/// # Errors
/// Those of [`open`].
pub async fn serve(
    listener: tokio::net::TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    open(options)?.serve(listener, shutdown).await;
    Ok(())
}

/// A cloud whose Function URLs are open, and whose API waits for its listener.
pub struct Opened(Arc<cloud::Cloud>);

/// Opens the data directory and the Function URLs in it; needs a tokio runtime.
///
/// # Errors
/// If the data directory cannot be used, belongs to another user, or another cloud serves it.
pub fn open(options: Options) -> anyhow::Result<Opened> {
    let cloud = cloud::Cloud::open(options)?;
    survive_file_limits();
    Ok(Opened(Arc::new(cloud)))
}

/// Makes a write beyond the largest allowed size of a file fail, like a write to a full disk, instead of ending the
/// process.
fn survive_file_limits() {
    let signal = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // If the signal cannot be handled, the limit ends the process as it would without this.
    let _ = tokio::signal::unix::signal(signal);
}

impl Opened {
    /// Serves the API until `shutdown` resolves, then ends every process.
    pub async fn serve(self, listener: tokio::net::TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let Self(cloud) = self;
        let accepting = tokio::spawn(server::accept(cloud.clone(), listener));
        shutdown.await;
        accepting.abort();
        // The task holds the cloud, and with it the lock on the data, which must be free when this returns.
        let _ = accepting.await;
        cloud.close().await;
    }
}
