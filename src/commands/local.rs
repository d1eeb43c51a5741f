//! `lamstream local …`: the local cloud itself.

use super::session::Session;
use crate::aws::{Access, Account};
use crate::cli::{AdapterCommand, Global, LayerCommand, Limits, Local, LocalCommand};
use crate::failure::Failure;
use crate::local::{self, Home, Running, adapter, layers};
use crate::manifest::layer_of;
use crate::report::{Answer, Extra, LocalAnswer, LocalState};
use crate::stack::Arn;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub(super) async fn local(session: &Session, arguments: &Local) -> Result<Answer, Failure> {
    let found = || Home::find(arguments.data.as_deref()).map_err(local_failure);
    let extra = match &arguments.command {
        LocalCommand::Run { port, limits } => {
            let home = found()?;
            serve(session, &home, *port, limits).await?;
            Extra::Local(described(&home, LocalState::Ended))
        }
        LocalCommand::Start { limits } => {
            let home = found()?;
            let started = session.until_stopped(home.start_with(limits)).await;
            let started =
                started.map_err(|failure| failure.hint("run `lamstream local stop` in case it has already started"))?;
            Extra::Local(described(&home, running(started.map_err(local_failure)?)))
        }
        LocalCommand::Status => {
            let home = found()?;
            let state = home.running().map_err(local_failure)?.map_or(LocalState::NotRunning, running);
            Extra::Local(described(&home, state))
        }
        LocalCommand::Env => {
            let home = found()?;
            let found = home.running().map_err(local_failure)?.ok_or_else(Failure::not_running)?;
            let env = env(&home, &found)?;
            Extra::Local(LocalAnswer { env, ..described(&home, running(found)) })
        }
        LocalCommand::Stop => {
            let home = found()?;
            session.until_stopped(home.stop()).await?.map_err(local_failure)?;
            Extra::Local(described(&home, LocalState::Ended))
        }
        LocalCommand::Reset => {
            let home = found()?;
            session.until_stopped(home.reset()).await?.map_err(local_failure)?;
            Extra::Local(described(&home, LocalState::Ended))
        }
        LocalCommand::Adapter(AdapterCommand::Install { from }) => Extra::Path(Some(install_adapter(from)?)),
        LocalCommand::Adapter(AdapterCommand::Remove) => {
            remove_adapter(session)?;
            Extra::Nothing
        }
        LocalCommand::Layer(LayerCommand::Add { arn, zip }) => {
            Extra::Path(Some(add_layer(session, arn, zip.as_deref()).await?))
        }
    };
    Ok(extra.into())
}

fn running(running: Running) -> LocalState {
    LocalState::Running { endpoint: running.endpoint }
}

fn described(home: &Home, state: LocalState) -> LocalAnswer {
    LocalAnswer { state, data: home.data.display().to_string(), env: Vec::new() }
}

/// The local cloud that `--local` uses.
pub(super) fn home() -> Result<Home, Failure> {
    let data = std::env::var_os("LAMSTREAM_LOCAL_DIR").filter(|data| !data.is_empty());
    Home::find(data.as_deref().map(Path::new)).map_err(local_failure)
}

/// The region that `--local` uses.
pub(super) fn region(global: &Global, manifest_region: Option<&str>) -> String {
    let region = global.region.clone().or_else(|| manifest_region.map(str::to_owned));
    region.unwrap_or_else(|| localcloud::REGION.to_owned())
}

pub(super) fn local_failure(error: anyhow::Error) -> Failure {
    Failure::of_local(&error)
}

/// Serves until a signal arrives. If the address cannot be printed, it stops immediately.
async fn serve(session: &Session, home: &Home, port: u16, limits: &Limits) -> Result<(), Failure> {
    let (sender, unprinted) = oneshot::channel();
    let ready = |endpoint: &str| {
        if let Err(failure) = session.console.print(endpoint) {
            let _ = sender.send(failure);
        }
    };
    let mut failure = None;
    let shutdown = async {
        tokio::select! {
            _ = session.stop.wait() => {}
            Ok(unprinted) = unprinted => failure = Some(unprinted),
        }
    };
    local::run(home, port, limits, ready, shutdown).await.map_err(local_failure)?;
    failure.map_or(Ok(()), Err)
}

/// Runs `work` while a local cloud serves: one that runs already, or one in this process, which ends with `work`.
///
/// # Errors
/// Those of `work`, and when the local cloud cannot be started.
pub(super) async fn serve_during(
    session: &Session,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
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

/// Returns the path of the program.
fn install_adapter(file: &Path) -> Result<PathBuf, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::unreadable("the adapter", file, &error))?;
    adapter::install(file, &bytes).map_err(local_failure)
}

fn remove_adapter(session: &Session) -> Result<(), Failure> {
    let note = match adapter::remove().map_err(local_failure)? {
        true => "removed the installed adapter: web apps use the one that lamstream includes",
        false => "no adapter is installed: web apps use the one that lamstream includes",
    };
    session.console.note(note);
    Ok(())
}

/// A layer is copied as it is, because AWS has it so. Lambda cannot use everything in it.
fn tell_faults(session: &Session, zip: &[u8]) {
    for fault in packaging::zip_faults(zip) {
        session.console.note(&format!("the layer has {fault}"));
    }
}

/// Returns the path of the copy.
async fn add_layer(session: &Session, arn: &str, zip: Option<&Path>) -> Result<PathBuf, Failure> {
    if layer_of(arn).is_none() {
        return Err(Failure::not_a_layer(arn));
    }
    match zip {
        Some(zip) => {
            let bytes = std::fs::read(zip).map_err(|error| Failure::unreadable("the layer", zip, &error))?;
            tell_faults(session, &bytes);
            layers::keep(arn, &bytes).map_err(local_failure)
        }
        None => {
            let known = layers::copy_of(arn).map_err(local_failure)?;
            if known.is_file() {
                session.console.note("this layer has already been copied");
                return Ok(known);
            }
            let region = Arn::parse(arn).map(|arn| arn.region.to_owned()).filter(|region| !region.is_empty());
            let access = Access::Aws { profile: session.global.profile.clone(), region, manifest_region: None };
            let account = session.read("the credentials", Account::open(access)).await??;
            session.console.hide(account.secrets.iter().cloned());
            let bytes = session.read("the layer", account.layer(arn)).await??;
            tell_faults(session, &bytes);
            layers::keep(arn, &bytes).map_err(local_failure)
        }
    }
}

fn env(home: &Home, running: &Running) -> Result<Vec<(String, String)>, Failure> {
    let credentials = home.credentials().map_err(local_failure)?;
    let pairs = [
        ("AWS_ENDPOINT_URL", running.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
        ("AWS_ACCOUNT_ID", localcloud::ACCOUNT),
        ("AWS_REGION", localcloud::REGION),
        // botocore, and therefore the aws CLI, reads no other variable for the region.
        ("AWS_DEFAULT_REGION", localcloud::REGION),
    ];
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}
