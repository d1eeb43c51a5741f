//! The local cloud while `dev` runs: one that runs already, or one in this process, which ends with it.

use super::local_failure;
use crate::cli::Limits;
use crate::commands::local::home;
use crate::commands::session::Session;
use crate::failure::Failure;
use crate::local;
use std::future::Future;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Runs `work` while a local cloud serves, and then ends that local cloud unless it ran before.
///
/// # Errors
/// Those of `work`, and when the local cloud cannot be started.
pub(super) async fn served(session: &Session, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let home = home()?;
    if let Some(running) = home.running().map_err(local_failure)? {
        if running.is_current() {
            session.console.note("using the local cloud that runs already, which keeps running when `dev` ends");
            return work.await;
        }
        session.until_stopped(home.stop()).await?.map_err(local_failure)?;
    }
    let (announce, ready) = oneshot::channel();
    let ended = CancellationToken::new();
    // An edit does not wait for delays that only AWS has.
    let none = Some(Duration::ZERO);
    let limits = Limits { role_propagation: none, pending: none, update: none, ..Limits::default() };
    let announce = |_: &str| {
        let _ = announce.send(());
    };
    let mut serving = Box::pin(local::run(&home, 0, &limits, announce, ended.cancelled()));
    let working = async {
        match ready.await {
            Ok(()) => work.await,
            // It has failed, and says why.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = &mut serving => served.map_err(local_failure),
        done = working => {
            ended.cancel();
            serving.await.map_err(local_failure)?;
            done
        }
    }
}
