//! `lamstream local …`: the local cloud itself.

use super::session::{Session, local_failure};
use crate::apply::Event;
use crate::aws::{Access, Account};
use crate::cli::{self, AdapterCommand, LayerCommand, Local, LocalCommand};
use crate::failure::Failure;
use crate::local::{self, Home, Limits, Running, adapter, layers};
use crate::report::{Answer, LocalAnswer};
use std::path::Path;

pub async fn local(session: &Session, arguments: &Local) -> Result<Answer, Failure> {
    match &arguments.command {
        LocalCommand::Adapter(AdapterCommand::Install { from }) => {
            return install_adapter(session, from.as_deref()).await;
        }
        LocalCommand::Layer(LayerCommand::Add { arn, zip }) => return add_layer(session, arn, zip.as_deref()).await,
        _ => {}
    }
    let home = Home::find(arguments.data.as_deref()).map_err(local_failure)?;
    let running = match &arguments.command {
        LocalCommand::Run { port, limits } => {
            serve(session, &home, *port, limits).await?;
            None
        }
        LocalCommand::Start { limits } => {
            let started = session.until_stopped(home.start_with(&wanted(limits))).await;
            let started = started.map_err(|failure| failure.hint("`lamstream local stop` ends what has come up"))?;
            Some(started.map_err(local_failure)?)
        }
        LocalCommand::Status | LocalCommand::Env => home.running().map_err(local_failure)?,
        LocalCommand::Adapter(_) | LocalCommand::Layer(_) => None,
        LocalCommand::Stop => {
            session.until_stopped(home.stop()).await?.map_err(local_failure)?;
            None
        }
        LocalCommand::Reset => {
            session.until_stopped(home.reset()).await?.map_err(local_failure)?;
            None
        }
    };
    let env = match arguments.command {
        LocalCommand::Env => env(&home, running.as_ref().ok_or_else(Failure::not_running)?)?,
        _ => Vec::new(),
    };
    let local = LocalAnswer {
        running: running.is_some(),
        endpoint: running.map(|running| running.endpoint),
        data: home.data.display().to_string(),
        env,
    };
    Ok(Answer { local: Some(local), ..Answer::new(name(&arguments.command)) })
}

/// Runs until a signal comes, or at once to its end when its address cannot be told.
async fn serve(session: &Session, home: &Home, port: u16, limits: &cli::Limits) -> Result<(), Failure> {
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
    local::run(home, port, &wanted(limits), ready, shutdown).await.map_err(local_failure)?;
    failure.map_or(Ok(()), Err)
}

async fn install_adapter(session: &Session, from: Option<&Path>) -> Result<Answer, Failure> {
    let (program, new) = match from {
        Some(file) => (
            adapter::install_from(file).map_err(|error| {
                local_failure(error).hint("without `--from` it is built here, for this machine, by cargo")
            })?,
            true,
        ),
        None => {
            let tell = |line: &str| session.console.tell(&Event::BuildLine { line: line.to_owned() });
            let piped: Option<&dyn Fn(&str)> = if session.console.is_terminal() { None } else { Some(&tell) };
            session.until_stopped(adapter::install(piped)).await?.map_err(|error| {
                local_failure(error)
                    .hint("`lamstream local adapter install --from FILE` takes a program that was built elsewhere")
            })?
        }
    };
    if !new {
        session.console.note("Lambda Web Adapter is there already");
    }
    Ok(Answer { path: Some(program), ..Answer::new("local adapter install") })
}

async fn add_layer(session: &Session, arn: &str, zip: Option<&Path>) -> Result<Answer, Failure> {
    let path = match zip {
        Some(zip) => {
            let bytes = std::fs::read(zip)
                .map_err(|error| Failure::usage(format!("cannot read the layer `{}`: {error}", zip.display())))?;
            layers::keep(arn, &bytes).map_err(local_failure)?
        }
        None => {
            let known = layers::copy_of(arn).map_err(local_failure)?;
            if known.is_file() {
                session.console.note("a copy is there already");
                return Ok(Answer { path: Some(known), ..Answer::new("local layer add") });
            }
            let region = arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned);
            let access = Access::Aws { profile: session.global.profile.clone(), region, manifest_region: None };
            let account = session.looking("the credentials", Account::open(access)).await??;
            session.console.hide(account.secrets.iter().cloned());
            let bytes = session.looking("the layer", account.layer(arn)).await??;
            layers::keep(arn, &bytes).map_err(local_failure)?
        }
    };
    Ok(Answer { path: Some(path), ..Answer::new("local layer add") })
}

fn wanted(limits: &cli::Limits) -> Limits {
    Limits {
        like_aws: limits.like_aws,
        role_propagation: limits.role_propagation,
        pending: limits.pending,
        update: limits.update,
        url_permission_lag: limits.url_permission_lag,
        stream_rate: limits.stream_rate,
        stream_size: limits.stream_size,
        api_rate: limits.api_rate,
        concurrency: limits.concurrency,
        block_public: limits.block_public,
        public_hosts: limits.public_hosts,
        failing: limits.failing.clone(),
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

pub fn name(command: &LocalCommand) -> &'static str {
    match command {
        LocalCommand::Run { .. } => "local run",
        LocalCommand::Start { .. } => "local start",
        LocalCommand::Status => "local status",
        LocalCommand::Stop => "local stop",
        LocalCommand::Reset => "local reset",
        LocalCommand::Env => "local env",
        LocalCommand::Adapter(AdapterCommand::Install { .. }) => "local adapter install",
        LocalCommand::Layer(LayerCommand::Add { .. }) => "local layer add",
    }
}
