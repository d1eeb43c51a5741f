//! Processes that run what was uploaded: one invocation at a time in each, as many as the limits allow.
//! This is no sandbox: a function may do what its user may do.

mod answer;
mod binary;
mod companions;
mod environment;
mod fleet;
mod guardian;
mod instance;
mod invocation;
mod language;
mod layers;
mod mounts;
mod output;
mod pace;
mod pipe;
mod port;
mod preparation;
mod report;
mod spawn;
mod tag;
pub(crate) mod unpack;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

pub(crate) use answer::{Answer, Failure, LARGEST};
pub(crate) use fleet::{Fleet, Seat};
pub(crate) use layers::{adapter, layers_at};
pub(crate) use pace::Pace;
pub(crate) use pipe::{Piece, pipe};
pub(crate) use tag::{Mark, begin, processes};

use crate::cloud::Cloud;
use crate::data::Directory;
use crate::uses::Use;
use crate::wire::error::Fault;
use crate::world::configuration::Configuration;
use crate::world::function::{Code, Function, Version};
use fleet::Place;

/// Everything needed to run one version.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    pub(crate) function: String,
    pub(crate) region: String,
    pub(crate) number: String,
    /// With the qualifier that was asked for.
    pub(crate) arn: String,
    pub(crate) build: String,
    pub(crate) configuration: Configuration,
    pub(crate) code: Code,
    pub(crate) reserved: Option<u32>,
    /// Its code and layers, which are not deleted while anybody has this.
    _uses: Arc<Vec<Use>>,
}

impl Blueprint {
    /// What to run for a qualifier, of the world that is being looked at.
    pub(crate) fn of(data: &Directory, function: &Function, version: &Version, qualifier: &str) -> Self {
        let (configuration, code, build) = version.runs();
        let layers = configuration.layers.iter().filter_map(|layer| layer.digest.as_ref());
        let uses = layers.chain([&code.digest]).map(|digest| data.uses.begin(data.code(digest)));
        Self {
            function: function.name.clone(),
            region: function.region.clone(),
            number: version.number.clone(),
            arn: function.arn(qualifier),
            build: build.to_owned(),
            configuration: configuration.clone(),
            code: code.clone(),
            reserved: function.reserved,
            _uses: Arc::new(uses.collect()),
        }
    }
}

/// One event to be handled.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) event: Bytes,
    pub(crate) trace: String,
    pub(crate) client_context: Option<String>,
}

impl Request {
    pub(crate) fn new(id: String, event: Bytes) -> Self {
        Self { id, event, trace: trace(), client_context: None }
    }
}

/// A fresh X-Ray trace header.
pub(crate) fn trace() -> String {
    let seconds = crate::wire::date::now() / 1000;
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &id[..24], &id[16..])
}

/// A request on its way to an instance, with the seat it takes until it is done.
pub(crate) struct Order {
    pub(crate) request: Request,
    pub(crate) arn: String,
    /// How an instance is to be started for it.
    start: Start,
    pub(crate) reply: Reply,
    pub(crate) finished: oneshot::Sender<Vec<u8>>,
    pub(crate) seat: Seat,
}

/// Who waits for an outcome; an error asks for another start.
pub(crate) type Reply = oneshot::Sender<Result<Outcome, Start>>;

/// How an instance is started; the default is how the first one is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// It may take as long as an invocation: AWS starts what took too long once more, within the first invocation.
    patient: bool,
    /// It has to have the port that it asks for: its app did not start with another one.
    on_its_port: bool,
}

/// How the function answered.
pub(crate) enum Outcome {
    Answer(Answer),
    Error {
        payload: Bytes,
        /// What the function printed last.
        last: String,
    },
}

impl Outcome {
    /// An error that the platform words, as AWS does.
    pub(crate) fn failed(kind: &str, message: &str) -> Self {
        let payload = serde_json::json!({"errorType": kind, "errorMessage": message});
        Self::Error { payload: payload.to_string().into(), last: String::new() }
    }
}

/// An invocation that has begun to answer.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    /// The last lines of its log, once it is over.
    pub(crate) finished: oneshot::Receiver<Vec<u8>>,
}

/// How long a request waits for an instance that has answered but has not come back yet, rather than start another.
const COMING_BACK: Duration = Duration::from_millis(25);

/// The same where there may be no other.
const COMING_BACK_TO_THE_LIMIT: Duration = Duration::from_secs(1);

/// Runs a request on an idle instance or a new one; waits until it begins to answer.
pub(crate) async fn invoke(cloud: &Arc<Cloud>, blueprint: Blueprint, request: Request) -> Result<Run, Fault> {
    let blueprint = Arc::new(blueprint);
    let mut start = Start::default();
    loop {
        let since = Instant::now();
        let (seat, place) = loop {
            let place = cloud.fleet.place(cloud, &blueprint, since).inspect_err(|fault| {
                let reason = fault.more.map_or("", |(_, reason)| reason);
                cloud.note(&format!("{}, request {}: {} {reason}", blueprint.function, request.id, fault.message));
            })?;
            match place {
                Place::Wait(free, until) => drop(tokio::time::timeout_at(until, free).await),
                Place::Idle(seat, inbox) => break (seat, Some(inbox)),
                Place::New(seat) => break (seat, None),
            }
        };
        let (reply, outcome) = oneshot::channel();
        let (finished, tail) = oneshot::channel();
        let order = Order { request: request.clone(), arn: blueprint.arn.clone(), start, reply, finished, seat };
        let sent = match place {
            // An instance that died a moment ago leaves the order to another one.
            Some(inbox) => inbox.try_send(order).is_ok(),
            None => {
                // In a task of its own: a client that leaves now must not leave half an instance.
                let starting = tokio::spawn(instance::start(cloud.clone(), blueprint.clone(), order));
                starting.await.map_err(Fault::internal)?;
                true
            }
        };
        match outcome.await {
            Ok(Ok(outcome)) if sent => return Ok(Run { outcome, finished: tail }),
            Ok(Err(again)) => start = again,
            _ => {}
        }
    }
}
