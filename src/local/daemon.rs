//! Serves a local cloud in this process.

use super::home::{Home, Running, build};
use super::lock::{Lock, PAUSE};
use crate::cli::Limits;
use anyhow::{Context, bail};
use std::fs::File;
use std::future::Future;
use tokio::net::TcpListener;

/// How often to try to lock the directory before it counts as served by another process.
const ATTEMPTS: usize = 25;

/// Serves until `shutdown`; `ready` is called with the address as soon as it answers.
///
/// # Errors
/// When another process serves the same directory, or the port is taken.
pub(crate) async fn run(
    home: &Home,
    port: u16,
    limits: &Limits,
    ready: impl FnOnce(&str),
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    tokio::pin!(shutdown);
    let starting = tokio::select! {
        lock = Lock::inherit_or_take(&home.data) => lock?,
        () = &mut shutdown => return Ok(()),
    };
    home.make_credentials()?;
    let served = serve(home, port, limits, starting, ready, shutdown).await;
    if let Err(error) = &served {
        home.keep_failure(error);
    }
    served
}

async fn serve(
    home: &Home,
    port: u16,
    limits: &Limits,
    starting: Lock,
    ready: impl FnOnce(&str),
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let _held = serve_alone(home).await?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.with_context(|| format!("cannot listen on port {port} of 127.0.0.1"))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let pid = std::process::id() as i32;
    let (limits, options) = (limits.flags(), limits.options(&home.data));
    let running = Running { pid, endpoint, build: build(), limits, adapters: options.adapters.clone() };
    // This opens the URLs of earlier runs, before the local cloud is announced.
    let cloud = localcloud::open(options)?;
    home.announce(&running)?;
    starting.release()?;
    ready(&running.endpoint);
    cloud.serve(listener, shutdown).await;
    Ok(())
}

/// Locks the directory. A command that looks whether a local cloud runs may hold the lock for an instant, so one refusal
/// proves nothing.
async fn serve_alone(home: &Home) -> anyhow::Result<File> {
    for _ in 0..ATTEMPTS {
        if let Some(held) = home.serve()? {
            return Ok(held);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("another local cloud already serves `{}`", home.data.display())
}
