//! Runs a request: on an idle instance, or on a new one.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::fleet::Placement;
use super::host::Host;
use super::instance;
use super::request::{Invocation, PortChoice, QueuedRequest, Request, Start};
use super::spec::InstanceSpec;
use crate::random;
use crate::wire::error::Fault;

/// Runs a request, and returns when its answer begins.
///
/// # Errors
/// 429 if no instance is free and none may be started.
pub(crate) async fn invoke(host: &Arc<Host>, spec: InstanceSpec, request: Request) -> Result<Invocation, Fault> {
    let spec = Arc::new(spec);
    let mut start = Start::default();
    let mut wants_spare = request.with_spare;
    loop {
        let since = Instant::now();
        let (permit, inbox) = loop {
            let placement = host.fleet.place(&spec, since, request.new_instance).inspect_err(|fault| {
                let reason = fault.more.map_or("", |(_, reason)| reason);
                host.note(&format!("{}, request {}: {} {reason}", spec.function, request.id, fault.message));
            })?;
            match placement {
                Placement::Wait(freed, until) => drop(tokio::time::timeout_at(until, freed).await),
                Placement::Idle(permit, inbox) => break (permit, Some(inbox)),
                Placement::New(permit) => break (permit, None),
            }
        };
        if std::mem::take(&mut wants_spare) {
            start_spare(host, &spec);
        }
        let (reply, outcome) = oneshot::channel();
        let (finished, tail) = oneshot::channel();
        let queued = QueuedRequest { request: request.clone(), arn: spec.arn.clone(), start, reply, finished, permit };
        let sent = match inbox {
            // If the instance has just ended, another one is found in the next round.
            Some(inbox) => inbox.try_send(queued).is_ok(),
            None => {
                // In a task of its own: if the client leaves now, the start must still be completed.
                let starting = tokio::spawn(instance::start(host.clone(), spec.clone(), queued));
                starting.await.map_err(Fault::internal)?;
                true
            }
        };
        match outcome.await {
            Ok(Ok(outcome)) if sent => {
                host.record_use(&spec);
                return Ok(Invocation { outcome, finished: tail });
            }
            Ok(Err(again)) => start = again,
            _ => {}
        }
    }
}

/// Starts an instance for the next request, if none is idle and the app can have a second one.
fn start_spare(host: &Arc<Host>, spec: &Arc<InstanceSpec>) {
    if !host.fleet.begin_spare(spec) {
        return;
    }
    let Ok(Placement::New(permit)) = host.fleet.place(spec, Instant::now(), true) else {
        return host.fleet.end_spare(&spec.build);
    };
    // Its first request has no client that waits for an answer, so it is idle as soon as it has started.
    let request = Request::new(random::uuid(), Bytes::new());
    let start = Start { port: PortChoice::Another, is_spare: true, ..Start::default() };
    let (reply, finished) = (oneshot::channel().0, oneshot::channel().0);
    let queued = QueuedRequest { request, arn: spec.arn.clone(), start, reply, finished, permit };
    drop(tokio::spawn(instance::start(host.clone(), spec.clone(), queued)));
}
