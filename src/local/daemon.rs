//! Serving a local cloud in this process.

use super::home::{Home, PAUSE, Running, build};
use super::limits::Limits;
use super::lock::Lock;
use anyhow::{Context, bail};
use std::fs::File;
use std::future::Future;
use tokio::net::TcpListener;

/// How often the directory is asked for before it counts as somebody else's.
const LOOKS: usize = 25;

/// Serves until `shutdown`; `ready` is told the address as soon as it answers.
///
/// # Errors
/// When another process serves the same directory, or the port is taken.
pub async fn run(
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
    let _held = serve_alone(home).await?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.with_context(|| format!("cannot listen on port {port} of 127.0.0.1"))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let pid = std::process::id() as i32;
    let (limits, options) = (limits.flags(), limits.options(&home.data));
    let running = Running { pid, endpoint, build: build(), limits, adapter: options.adapter.clone() };
    // The URLs of earlier runs are open before anybody is told that it runs.
    let cloud = localcloud::open(options)?;
    home.announce(&running)?;
    starting.let_go()?;
    ready(&running.endpoint);
    cloud.serve(listener, shutdown).await;
    Ok(())
}

/// Who looks whether a local cloud runs may be in the way for an instant, so that one refusal proves nothing.
async fn serve_alone(home: &Home) -> anyhow::Result<File> {
    for _ in 0..LOOKS {
        if let Some(held) = home.serve()? {
            return Ok(held);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("another local cloud serves `{}` already", home.data.display())
}
