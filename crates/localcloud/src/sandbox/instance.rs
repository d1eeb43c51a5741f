//! One process from its start to its end: it waits, runs one request, waits again.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use super::companions::Companions;
use super::output::Output;
use super::port::{self, Claim};
use super::preparation::{Preparation, Unstartable, Wires};
use super::spawn::{kill_group, terminate_group};
use super::tag::Mark;
use super::{Blueprint, Order, Outcome, Start, report};
use crate::cloud::{Cloud, lock};
use crate::journal::Stream;
use crate::peer::Members;
use crate::runtime::{self, Delivery, Desk, Word};
use crate::uses::Use;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::world::log_group::LogGroup;

/// A running process and what it is doing.
pub(super) struct Instance {
    pub(super) cloud: Arc<Cloud>,
    pub(super) blueprint: Arc<Blueprint>,
    pub(super) id: u64,
    /// The first part of the loud lines in `cloud.log`.
    pub(super) name: String,
    pub(super) own: PathBuf,
    /// What its processes are known by.
    pub(super) mark: Mark,
    pub(super) child: Child,
    /// The extensions beside it.
    pub(super) companions: Companions,
    /// Why the instance ends, as extensions are told.
    pub(super) reason: &'static str,
    /// Whether they were told.
    told: bool,
    warnings: Vec<String>,
    /// Held for as long as the instance lives.
    port: Option<Claim>,
    /// Its layers, which stay where they are as long as it lives.
    _layers: Option<Use>,
    /// How it was started.
    pub(super) start: Start,
    pub(super) output: Output,
    pub(super) stream: Stream,
    pub(super) desk: Arc<Desk>,
    /// The Runtime API; it ends once it has been told that the process is gone, and has read what that one sent.
    pub(super) api: JoinHandle<()>,
    pub(super) gone: Option<oneshot::Sender<()>>,
    pub(super) words: mpsc::UnboundedReceiver<Word>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) closing: watch::Receiver<bool>,
    /// The process's open `/next`.
    pub(super) waiting: Option<oneshot::Sender<Delivery>>,
    pub(super) started: Instant,
    /// How long the start took; none while it lasts.
    pub(super) init: Option<Duration>,
    pub(super) deadline: Instant,
    pub(super) busy: Option<Busy>,
    /// The end of the log since the request at hand came, or since the start while there is none.
    pub(super) tail: Vec<u8>,
    pub(super) warm: bool,
}

/// The request at hand.
pub(super) struct Busy {
    pub(super) id: String,
    pub(super) finished: oneshot::Sender<Vec<u8>>,
    pub(super) since: Instant,
    pub(super) answering: bool,
    pub(super) answered: bool,
    /// It told of its own failure, in trailers.
    pub(super) failed: bool,
    pub(super) timed_out: bool,
    /// The first request of this instance, whose report tells of the start too.
    pub(super) cold: bool,
}

enum Event {
    Word(Word),
    Order(Option<Order>),
    Printed,
    Exited(ExitStatus),
    Deadline,
    Closing,
}

/// How long extensions have from being told of the end to their own.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long the runtime has beside extensions, from its SIGTERM to its end.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What the kernel calls a binary that it cannot run.
const NO_EXECUTABLE: i32 = rustix::io::Errno::NOEXEC.raw_os_error();
const NOT_FOUND: i32 = rustix::io::Errno::NOENT.raw_os_error();

/// Starts a process with its first request.
pub(super) async fn start(cloud: Arc<Cloud>, blueprint: Arc<Blueprint>, order: Order) {
    let (id, inbox, orders) = cloud.fleet.enter(&blueprint.build);
    match Instance::spawn(&cloud, &blueprint, id, orders, order.start).await {
        Ok(instance) => {
            let _ = inbox.try_send(order);
            let mut lives = lock(&cloud.fleet.lives);
            while lives.try_join_next().is_some() {}
            lives.spawn(instance.live());
        }
        Err(error) => {
            // A bootstrap that cannot be executed is the function's fault, and is told as AWS tells it.
            cloud.fleet.leave(&blueprint.build, id);
            cloud.note(&format!("{}:{}: cannot start: {error:#}", blueprint.function, blueprint.number));
            let id = &order.request.id;
            let code = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
            let why = match (error.downcast_ref::<Unstartable>(), code) {
                (Some(Unstartable(why)), _) => why.clone(),
                (None, Some(NO_EXECUTABLE)) => "fork/exec /var/task/bootstrap: exec format error".to_owned(),
                (None, Some(NOT_FOUND)) => "Couldn't find valid bootstrap(s): [/var/task/bootstrap]".to_owned(),
                (None, _) => format!("{error:#}"),
            };
            let message = format!("RequestId: {id} Error: {why}");
            let _ = order.finished.send(Vec::new());
            let _ = order.reply.send(Ok(Outcome::failed("Runtime.InvalidEntrypoint", &message)));
        }
    }
}

impl Instance {
    async fn spawn(
        cloud: &Arc<Cloud>,
        blueprint: &Arc<Blueprint>,
        id: u64,
        orders: mpsc::Receiver<Order>,
        start: Start,
    ) -> anyhow::Result<Self> {
        port::make_way(cloud, blueprint, start).await;
        let token = uuid::Uuid::new_v4().simple().to_string();
        let own = own_directory(cloud, &token)?;
        let spawned = Self::spawn_in(cloud, blueprint, (id, start), orders, &token, &own).await;
        if spawned.is_err() {
            discard(own).await;
        }
        spawned
    }

    async fn spawn_in(
        cloud: &Arc<Cloud>,
        blueprint: &Arc<Blueprint>,
        (id, start): (u64, Start),
        orders: mpsc::Receiver<Order>,
        token: &str,
        own: &Path,
    ) -> anyhow::Result<Self> {
        let preparation = {
            let (cloud, blueprint, own) = (cloud.clone(), blueprint.clone(), own.to_owned());
            tokio::task::spawn_blocking(move || Preparation::of(&cloud, &blueprint, &own)).await??
        };
        cloud.fleet.holds(id, blueprint, preparation.port.as_ref().map(Claim::number));
        let runtime = preparation.runtime(blueprint)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (stream_name, stream) = own_stream(cloud, blueprint, token).await?;
        let (output, writer) = Output::open()?;
        let (address, mark) = (listener.local_addr()?, Mark::new(cloud.fleet.tag(), &stream_name));
        let wires = Wires { address: address.to_string(), stream: stream_name, mark: mark.clone(), writer };
        let (words, heard) = mpsc::unbounded_channel();
        let started = Instant::now();
        let (child, companions, extensions) =
            preparation.start(runtime, &cloud.fleet.spawner, blueprint, &wires, &words).await?;
        let members = Members::new(mark.clone(), child.id().into_iter().chain(companions.processes()));
        let desk = Arc::new(Desk::new(&cloud.options, address, members, words, extensions));
        let timeout = Duration::from_secs(blueprint.configuration.timeout.into());
        let (gone, told) = oneshot::channel();
        let api = tokio::spawn(runtime::serve(desk.clone(), listener, told));
        Ok(Self {
            name: format!("{}:{} {}", blueprint.function, blueprint.number, &token[..8]),
            warnings: preparation.warnings,
            port: preparation.port,
            _layers: preparation.opt_use,
            start,
            companions,
            reason: "spindown",
            told: false,
            closing: cloud.fleet.closing(),
            deadline: started + if start.patient { timeout } else { cloud.options.init_timeout },
            cloud: cloud.clone(),
            blueprint: blueprint.clone(),
            id,
            own: own.to_owned(),
            mark,
            child,
            output,
            stream,
            desk,
            api,
            gone: Some(gone),
            words: heard,
            orders,
            waiting: None,
            started,
            init: None,
            busy: None,
            tail: Vec::new(),
            warm: false,
        })
    }

    async fn live(mut self) {
        let json = self.blueprint.configuration.logging.log_format == "JSON";
        self.log_line(&report::init_start(json));
        for warning in std::mem::take(&mut self.warnings) {
            self.loud(&warning);
            self.log_line(&format!("[local cloud] {warning}"));
        }
        while self.turn().await {}
        self.end().await;
    }

    async fn event(&mut self) -> Event {
        let may_take = self.waiting.is_some() && self.busy.is_none() && self.init.is_some();
        tokio::select! {
            // What the process said comes before how it ended, and its printing holds up nothing.
            biased;
            Some(word) = self.words.recv() => Event::Word(word),
            _ = self.closing.wait_for(|closing| *closing) => Event::Closing,
            () = tokio::time::sleep_until(self.deadline) => Event::Deadline,
            order = self.orders.recv(), if may_take => Event::Order(order),
            status = self.child.wait() => Event::Exited(status.unwrap_or_default()),
            () = self.output.readable() => Event::Printed,
        }
    }

    /// One event; false when the instance is to end.
    async fn turn(&mut self) -> bool {
        match self.event().await {
            Event::Word(word) => self.heard(word),
            Event::Order(Some(order)) => self.deliver(order),
            Event::Order(None) | Event::Closing => false,
            Event::Printed => {
                self.print();
                true
            }
            Event::Exited(status) => {
                self.exited(status).await;
                false
            }
            Event::Deadline => self.late().await,
        }
    }

    /// What is left when the instance ends: nothing of its process, and no trace in the fleet.
    async fn end(mut self) {
        self.cloud.fleet.leave(&self.blueprint.build, self.id);
        self.say_goodbye().await;
        self.companions.kill().await;
        kill_group(&self.child);
        let _ = self.child.wait().await;
        self.end_the_rest().await;
        self.print_all();
        self.api.abort();
        discard(self.own).await;
    }

    /// Ends what its processes have started and left behind, in their group or out of it.
    pub(super) async fn end_the_rest(&self) {
        // A cloud that ends looks for all of its processes at once.
        if !*self.closing.borrow() {
            self.cloud.fleet.cleanup.end(&self.mark).await;
        }
    }

    /// Tells the extensions that want to know of it; where there are any, the runtime is asked, too, as on AWS.
    pub(super) async fn say_goodbye(&mut self) {
        let deadline = date::now() + crate::cloud::millis(GOODBYE);
        let event = json!({"eventType": "SHUTDOWN", "shutdownReason": self.reason, "deadlineMs": deadline});
        let told = {
            let mut extensions = lock(&self.desk.extensions);
            if extensions.is_empty() || std::mem::replace(&mut self.told, true) {
                return;
            }
            extensions.shut_down(&event)
        };
        terminate_group(&self.child);
        let ended = tokio::time::timeout(LAST_WORDS, self.child.wait());
        let _ = tokio::join!(ended, self.companions.ended(&told, GOODBYE));
    }

    /// Carries what the process has printed into its log stream.
    pub(super) fn print(&mut self) {
        for line in self.output.lines() {
            // A panic that unwinds ends the answer as if it were whole: nothing but this line tells of it.
            if line.starts_with("thread '") && line.contains(" panicked at ") {
                self.loud(&format!("the function panicked: {}", line.trim_end()));
            }
            self.log_line(&line);
        }
    }

    /// The same with a last line that has no end.
    pub(super) fn print_all(&mut self) {
        self.print();
        if let Some(rest) = self.output.rest() {
            self.log_line(&rest);
        }
    }

    /// Whether its app has another port than the one that its function asks for.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.port.as_ref().is_some_and(|port| port.warning().is_some())
    }

    /// One event in the log stream, and in the tail.
    pub(super) fn log_line(&mut self, line: &str) {
        self.stream.write(line);
        self.tail.extend_from_slice(line.as_bytes());
        if !line.ends_with('\n') {
            self.tail.push(b'\n');
        }
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }
}

/// What a function writes here is as private as what it was given.
fn own_directory(cloud: &Cloud, token: &str) -> std::io::Result<PathBuf> {
    let own = cloud.data.run().join(token);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(own.join("tmp"))?;
    Ok(own)
}

/// Deletes an instance's directory, where a large one holds up nobody. What cannot be deleted now is tried again when the
/// next cloud comes.
async fn discard(own: PathBuf) {
    let _ = tokio::task::spawn_blocking(move || crate::disk::remove_tree(&own)).await;
}

/// `LogType=Tail` shows this much.
const TAIL: usize = 4096;

/// The name of the instance's own log stream, and the stream. It is opened where it may wait for the disk.
async fn own_stream(cloud: &Arc<Cloud>, blueprint: &Arc<Blueprint>, token: &str) -> anyhow::Result<(String, Stream)> {
    let name = format!("{}/[{}]{token}", date::stream(date::now()), blueprint.number);
    let (cloud, blueprint, opened) = (cloud.clone(), blueprint.clone(), name.clone());
    let stream = tokio::task::spawn_blocking(move || open_stream(&cloud, &blueprint, &opened)).await??;
    Ok((name, stream))
}

/// The instance's own log stream; the group is made if nobody did.
fn open_stream(cloud: &Cloud, blueprint: &Blueprint, name: &str) -> anyhow::Result<Stream> {
    let group = &blueprint.configuration.logging.log_group;
    let region = &blueprint.region;
    let known =
        cloud.read(|world| world.regions.get(region).is_some_and(|region| region.log_groups.contains_key(group)));
    if !known {
        let made = cloud.change(|world| {
            let groups = &mut world.region(region).log_groups;
            if !groups.contains_key(group) {
                cloud.journal.begin_group(region, group).map_err(Fault::unwritten)?;
                groups.insert(group.clone(), LogGroup::new(group, date::now()));
            }
            Ok(())
        });
        made.map_err(|fault| anyhow::anyhow!(fault.message))?;
    }
    Ok(cloud.journal.begin(region, group, name))
}
