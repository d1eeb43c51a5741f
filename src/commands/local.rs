//! `lamstream local …`: the local cloud itself.

use super::session::Session;
use crate::apply::Event;
use crate::aws::{Access, Account};
use crate::cli::{AdapterCommand, Global, LayerCommand, Limits, Local, LocalCommand};
use crate::failure::{Failure, Kind};
use crate::local::{self, Home, Running, adapter, layers};
use crate::manifest::Manifest;
use crate::report::{Answer, LocalAnswer};
use crate::stack::Arn;
use std::path::{Path, PathBuf};

pub async fn local(session: &Session, arguments: &Local) -> Result<Answer, Failure> {
    let found = || Home::find(arguments.data.as_deref()).map_err(local_failure);
    match &arguments.command {
        LocalCommand::Run { port, limits } => {
            let home = found()?;
            serve(session, &home, *port, limits).await?;
            Ok(Answer::LocalRun(Some(described(&home, None))))
        }
        LocalCommand::Start { limits } => {
            let home = found()?;
            let started = session.until_stopped(home.start_with(limits)).await;
            let started =
                started.map_err(|failure| failure.hint("run `lamstream local stop` to stop what has started"))?;
            Ok(Answer::LocalStart(Some(described(&home, Some(started.map_err(local_failure)?)))))
        }
        LocalCommand::Status => {
            let home = found()?;
            Ok(Answer::LocalStatus(Some(described(&home, home.running().map_err(local_failure)?))))
        }
        LocalCommand::Env => {
            let home = found()?;
            let running = home.running().map_err(local_failure)?.ok_or_else(Failure::not_running)?;
            let env = env(&home, &running)?;
            Ok(Answer::LocalEnv(Some(LocalAnswer { env, ..described(&home, Some(running)) })))
        }
        LocalCommand::Stop => {
            let home = found()?;
            session.until_stopped(home.stop()).await?.map_err(local_failure)?;
            Ok(Answer::LocalStop(Some(described(&home, None))))
        }
        LocalCommand::Reset => {
            let home = found()?;
            session.until_stopped(home.reset()).await?.map_err(local_failure)?;
            Ok(Answer::LocalReset(Some(described(&home, None))))
        }
        LocalCommand::Adapter(AdapterCommand::Install { from }) => {
            install_adapter(session, from.as_deref()).await.map(|path| Answer::AdapterInstall(Some(path)))
        }
        LocalCommand::Layer(LayerCommand::Add { arn, zip }) => {
            add_layer(session, arn, zip.as_deref()).await.map(|path| Answer::LayerAdd(Some(path)))
        }
    }
}

fn described(home: &Home, running: Option<Running>) -> LocalAnswer {
    LocalAnswer {
        endpoint: running.map(|running| running.endpoint),
        data: home.data.display().to_string(),
        env: Vec::new(),
    }
}

/// The local cloud that `--local` means.
pub(super) fn home() -> Result<Home, Failure> {
    let data = std::env::var_os("LAMSTREAM_LOCAL_DIR").filter(|data| !data.is_empty());
    Home::find(data.as_deref().map(Path::new)).map_err(local_failure)
}

/// The region that `--local` means.
pub(super) fn region(global: &Global, manifest: &Manifest) -> String {
    let region = global.region.clone().or_else(|| manifest.region.clone());
    region.unwrap_or_else(|| localcloud::REGION.to_owned())
}

pub(super) fn local_failure(error: anyhow::Error) -> Failure {
    Failure::new(Kind::Cloud, format!("{error:#}"))
}

/// Runs until a signal comes, or at once to its end when its address cannot be told.
async fn serve(session: &Session, home: &Home, port: u16, limits: &Limits) -> Result<(), Failure> {
    let (sender, unprinted) = tokio::sync::oneshot::channel();
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

/// Gives where the program is.
async fn install_adapter(session: &Session, from: Option<&Path>) -> Result<PathBuf, Failure> {
    let (program, new) = match from {
        Some(file) => (
            adapter::install_from(file).map_err(|error| {
                local_failure(error).hint("leave out `--from` to build it for this machine with cargo")
            })?,
            true,
        ),
        None => {
            let tell = |line: &str| session.console.tell(&Event::BuildLine { line: line.to_owned() });
            let piped: Option<&dyn Fn(&str)> = if session.console.is_terminal() { None } else { Some(&tell) };
            session.until_stopped(adapter::install(piped)).await?.map_err(|error| {
                local_failure(error).hint(
                    "to install a program that was built elsewhere: `lamstream local adapter install --from FILE`",
                )
            })?
        }
    };
    if !new {
        session.console.note("Lambda Web Adapter is already installed");
    }
    Ok(program)
}

/// Gives where the copy is.
async fn add_layer(session: &Session, arn: &str, zip: Option<&Path>) -> Result<PathBuf, Failure> {
    match zip {
        Some(zip) => {
            let bytes = std::fs::read(zip)
                .map_err(|error| Failure::usage(format!("cannot read the layer `{}`: {error}", zip.display())))?;
            layers::keep(arn, &bytes).map_err(local_failure)
        }
        None => {
            let known = layers::copy_of(arn).map_err(local_failure)?;
            if known.is_file() {
                session.console.note("a copy is already there");
                return Ok(known);
            }
            let region = Arn::parse(arn).map(|arn| arn.region.to_owned()).filter(|region| !region.is_empty());
            let access = Access::Aws { profile: session.global.profile.clone(), region, manifest_region: None };
            let account = session.read("the credentials", Account::open(access)).await??;
            session.console.hide(account.secrets.iter().cloned());
            let bytes = session.read("the layer", account.layer(arn)).await??;
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
        ("AWS_REGION", localcloud::REGION),
        // botocore, and so the aws CLI, reads no other.
        ("AWS_DEFAULT_REGION", localcloud::REGION),
    ];
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}
