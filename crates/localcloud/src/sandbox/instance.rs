//! One instance from its start to its end: it waits for a request, runs it, and waits again.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use super::channel::RuntimeChannel;
use super::child::Child;
use super::extension_process::ExtensionProcesses;
use super::host::Host;
use super::launch::{Endpoints, Launch};
use super::message::{Delivery, RuntimeMessage};
use super::output::Output;
use super::port::{self, PortLease};
use super::port_check::PortCheck;
use super::processes::InstanceProcesses;
use super::request::{Outcome, QueuedRequest, Start};
use super::runtime_api;
use super::spec::InstanceSpec;
use super::start_error::{CANNOT_START, StartError};
use super::tag::InstanceMark;
use crate::clock;
use crate::disk::files::remove_tree;
use crate::disk::log_store::LogStream;
use crate::disk::uses::Use;
use crate::platform::tags;
use crate::random;
use crate::sync::lock;
use crate::wire::date;

/// A running process, and what it is doing.
pub(super) struct Instance {
    pub(super) host: Arc<Host>,
    pub(super) spec: Arc<InstanceSpec>,
    pub(super) id: u64,
    /// The first part of its lines in `cloud.log`.
    pub(super) name: String,
    /// Its own directory.
    own: PathBuf,
    /// Identifies its processes.
    mark: InstanceMark,
    pub(super) child: Child,
    /// The processes of its extensions.
    pub(super) extensions: ExtensionProcesses,
    /// Why the instance ends, in the words of the Extensions API.
    pub(super) reason: &'static str,
    /// Whether the extensions have been told that it ends.
    is_shut_down: bool,
    warnings: Vec<String>,
    port: Option<PortLease>,
    /// Keeps its layers from being deleted.
    _layers: Option<Use>,
    /// How it was started.
    pub(super) start: Start,
    pub(super) output: Output,
    stream: LogStream,
    pub(super) channel: Arc<RuntimeChannel>,
    /// The task of the Runtime API. Once it knows that the process is gone, it reads what is left and ends.
    pub(super) api: JoinHandle<()>,
    pub(super) gone: Option<oneshot::Sender<()>>,
    pub(super) messages: mpsc::UnboundedReceiver<RuntimeMessage>,
    pub(super) requests: mpsc::Receiver<QueuedRequest>,
    closing: watch::Receiver<bool>,
    /// The process's open `/next`.
    pub(super) waiting: Option<oneshot::Sender<Delivery>>,
    pub(super) started: Instant,
    /// How long the start took; `None` until it is complete.
    pub(super) init: Option<Duration>,
    pub(super) deadline: Instant,
    pub(super) current: Option<Current>,
    /// The end of the log since the current request, or since the start.
    pub(super) tail: Vec<u8>,
    pub(super) warm: bool,
}

/// The current request.
pub(super) struct Current {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) finished: oneshot::Sender<Vec<u8>>,
    pub(super) since: Instant,
    /// The same, in milliseconds since 1970.
    pub(super) at: i64,
    /// When its answer began, and when it ended.
    pub(super) answering: Option<Instant>,
    pub(super) answered: Option<Instant>,
    /// The size of its answer.
    pub(super) bytes: u64,
    /// The type of the error, if its answer was cut, or it reported its own failure in trailers.
    pub(super) failed: Option<String>,
    pub(super) timed_out: bool,
    /// Whether it is the first request of this instance, whose report includes the start.
    pub(super) cold: bool,
}

enum Event {
    Message(RuntimeMessage),
    Request(Option<QueuedRequest>),
    Printed,
    Exited(ExitStatus),
    Deadline,
    Closing,
}

/// How long extensions have to end after they were told to.
const EXTENSION_SHUTDOWN: Duration = Duration::from_secs(2);

/// How long the runtime has to end after SIGTERM, in an instance with extensions.
const RUNTIME_SHUTDOWN: Duration = Duration::from_millis(300);

/// Starts an instance with its first request.
pub(super) async fn start(host: Arc<Host>, spec: Arc<InstanceSpec>, queued: QueuedRequest) {
    let (id, inbox, requests) = host.fleet.enter(&spec.build);
    match Instance::spawn(&host, &spec, id, requests, queued.start).await {
        Ok(instance) => {
            let _ = inbox.try_send(queued);
            let mut tasks = lock(&host.fleet.tasks);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(instance.run());
        }
        Err(error) => {
            host.fleet.leave(&spec.build, id);
            if queued.start.is_spare {
                host.fleet.end_spare(&spec.build);
            }
            host.note(&format!("{}:{}: cannot start: {error:#}", spec.function, spec.number));
            let id = &queued.request.id;
            let kind = error.downcast_ref::<StartError>().map_or(CANNOT_START, |error| error.kind);
            let message = format!("RequestId: {id} Error: {error:#}");
            let _ = queued.finished.send(Vec::new());
            let _ = queued.reply.send(Ok(Outcome::failed(kind, &message)));
        }
    }
}

impl Instance {
    async fn spawn(
        host: &Arc<Host>,
        spec: &Arc<InstanceSpec>,
        id: u64,
        requests: mpsc::Receiver<QueuedRequest>,
        start: Start,
    ) -> anyhow::Result<Self> {
        port::free(host, spec, start).await;
        let _turn = host.fleet.preparation.acquire().await?;
        let token = random::token();
        let own = own_directory(host, &token)?;
        let spawned = Self::spawn_in(host, spec, (id, start), requests, &token, &own).await;
        if spawned.is_err() {
            discard(own).await;
        }
        spawned
    }

    async fn spawn_in(
        host: &Arc<Host>,
        spec: &Arc<InstanceSpec>,
        (id, start): (u64, Start),
        requests: mpsc::Receiver<QueuedRequest>,
        token: &str,
        own: &Path,
    ) -> anyhow::Result<Self> {
        let launch = prepare(host, spec, start, own).await?;
        host.fleet.note_port(id, spec, launch.port.as_ref().map(PortLease::number));
        let runtime = launch.runtime(spec)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (stream_name, stream) = own_stream(host, spec, token).await?;
        let (output, writer) = Output::open()?;
        let (address, mark) = (listener.local_addr()?, host.fleet.new_mark(&stream_name));
        let endpoints = Endpoints { address: address.to_string(), stream: stream_name, mark: mark.clone(), writer };
        let (sender, messages) = mpsc::unbounded_channel();
        let started = Instant::now();
        let (child, extensions, expected) =
            launch.start(runtime, &host.fleet.spawner, spec, &endpoints, &sender).await?;
        let processes = InstanceProcesses::new(mark.clone(), child.id().into_iter().chain(extensions.processes()));
        let ports =
            launch.port.as_ref().map(|lease| PortCheck::new(lease, spec.configuration.variables(), mark.clone()));
        let channel = Arc::new(RuntimeChannel::new(&host.options, address, processes, ports, sender, expected));
        let timeout = Duration::from_secs(spec.configuration.timeout.into());
        let (gone, process_gone) = oneshot::channel();
        let api = tokio::spawn(runtime_api::serve(channel.clone(), listener, process_gone));
        Ok(Self {
            name: format!("{}:{} {}", spec.function, spec.number, &token[..8]),
            warnings: launch.warnings,
            port: launch.port,
            _layers: launch.opt_use,
            start,
            extensions,
            reason: "spindown",
            is_shut_down: false,
            closing: host.fleet.closing(),
            deadline: started + if start.patient { timeout } else { host.options.init_timeout },
            host: host.clone(),
            spec: spec.clone(),
            id,
            own: own.to_owned(),
            mark,
            child,
            output,
            stream,
            channel,
            api,
            gone: Some(gone),
            messages,
            requests,
            waiting: None,
            started,
            init: None,
            current: None,
            tail: Vec::new(),
            warm: false,
        })
    }

    async fn run(mut self) {
        self.report_init_start();
        for warning in std::mem::take(&mut self.warnings) {
            self.note(&warning);
            self.log_line(&format!("[local cloud] {warning}"));
        }
        while self.handle_event().await {}
        self.end().await;
    }

    async fn event(&mut self) -> Event {
        let may_take = self.waiting.is_some() && self.current.is_none() && self.init.is_some();
        tokio::select! {
            // Messages come before the end of the process, and output comes last, so that it does not delay anything.
            biased;
            Some(message) = self.messages.recv() => Event::Message(message),
            _ = self.closing.wait_for(|closing| *closing) => Event::Closing,
            () = tokio::time::sleep_until(self.deadline) => Event::Deadline,
            request = self.requests.recv(), if may_take => Event::Request(request),
            status = self.child.wait() => Event::Exited(status.unwrap_or_default()),
            () = self.output.readable() => Event::Printed,
        }
    }

    /// Handles one event; false if the instance is to end.
    async fn handle_event(&mut self) -> bool {
        match self.event().await {
            Event::Message(message) => match self.stranger_at_start(&message).await {
                Some(problem) => self.lost_port(&problem),
                None => self.handle_message(message),
            },
            // The app may have ended, and another program may have taken its port.
            Event::Request(Some(request)) => match self.channel.stranger().await {
                Some(problem) => self.give_back(request, &problem),
                None => {
                    let wanted = self.deliver(request);
                    // The process gets its request before the log gets its line, which is still the first of this request.
                    tokio::task::yield_now().await;
                    self.report_start();
                    wanted
                }
            },
            Event::Request(None) | Event::Closing => false,
            Event::Printed => {
                self.print();
                true
            }
            Event::Exited(status) => {
                self.exited(status).await;
                false
            }
            Event::Deadline => self.deadline_passed().await,
        }
    }

    /// Ends the instance: its processes, its place in the fleet, its directory.
    async fn end(mut self) {
        self.host.fleet.leave(&self.spec.build, self.id);
        if self.start.is_spare {
            self.host.fleet.end_spare(&self.spec.build);
        }
        self.shut_down().await;
        self.extensions.kill().await;
        self.child.kill_group();
        let _ = self.child.wait().await;
        self.end_remaining_processes().await;
        self.print_all();
        self.api.abort();
        discard(self.own).await;
    }

    /// Ends what its processes have started, in their process group or not.
    pub(super) async fn end_remaining_processes(&self) {
        // A cloud that ends looks for all of its processes together, by their tags.
        if !*self.closing.borrow() || !tags::are_supported() {
            self.host.fleet.cleanup.end(&self.mark).await;
        }
    }

    /// Tells the extensions that the instance ends. If there are any, the runtime gets SIGTERM, too, as on AWS.
    pub(super) async fn shut_down(&mut self) {
        let deadline = clock::after(EXTENSION_SHUTDOWN);
        let event = json!({"eventType": "SHUTDOWN", "shutdownReason": self.reason, "deadlineMs": deadline});
        let told = {
            let mut extensions = lock(&self.channel.extensions);
            if extensions.is_empty() || std::mem::replace(&mut self.is_shut_down, true) {
                return;
            }
            extensions.shut_down(&event)
        };
        self.child.terminate_group();
        let ended = tokio::time::timeout(RUNTIME_SHUTDOWN, self.child.wait());
        let _ = tokio::join!(ended, self.extensions.ended(&told, EXTENSION_SHUTDOWN));
    }

    /// Writes what the processes have printed to the log stream.
    pub(super) fn print(&mut self) {
        for line in self.output.lines() {
            // A panic that unwinds ends the answer as if it were complete, so this line is the only sign of it.
            if line.starts_with("thread '") && line.contains(" panicked at ") {
                self.note(&format!("the function panicked: {}", line.trim_end()));
            }
            self.log_line(&line);
        }
    }

    /// The same, including a last line without an end.
    pub(super) fn print_all(&mut self) {
        self.print();
        if let Some(rest) = self.output.rest() {
            self.log_line(&rest);
        }
    }

    /// Whether it is a web app, with a port.
    pub(super) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// Whether its app has another port than the function asks for.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.port.as_ref().is_some_and(PortLease::is_elsewhere)
    }

    /// What keeps the port that its app needs.
    pub(super) fn taken_port(&self) -> Option<String> {
        self.port.as_ref().and_then(PortLease::taken).map(str::to_owned)
    }

    /// Writes one event to the log stream, and to the tail.
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

/// Prepares a launch on a blocking thread.
async fn prepare(host: &Arc<Host>, spec: &Arc<InstanceSpec>, start: Start, own: &Path) -> anyhow::Result<Launch> {
    let (host, spec, own) = (host.clone(), spec.clone(), own.to_owned());
    tokio::task::spawn_blocking(move || Launch::prepare(&host, &spec, &own, start.port)).await?
}

/// Creates the instance's own directory, which only the cloud's user can read.
fn own_directory(host: &Host, token: &str) -> std::io::Result<PathBuf> {
    let own = host.store.data.run().join(token);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(own.join("tmp"))?;
    Ok(own)
}

/// Deletes an instance's directory, on a blocking thread since it may be large. What cannot be deleted is tried again
/// at the next start.
async fn discard(own: PathBuf) {
    let _ = tokio::task::spawn_blocking(move || remove_tree(&own)).await;
}

/// How many bytes `LogType=Tail` returns.
const TAIL: usize = 4096;

/// Opens the instance's own log stream, on a blocking thread; returns its name, too.
async fn own_stream(host: &Arc<Host>, spec: &Arc<InstanceSpec>, token: &str) -> anyhow::Result<(String, LogStream)> {
    let group = &spec.configuration.logging.log_group;
    // Functions may share a group of another name.
    let function = if *group == format!("/aws/lambda/{}", spec.function) { "" } else { &spec.function };
    let name = format!("{}/{function}[{}]{token}", date::stream(clock::now()), spec.number);
    let (host, spec, stream) = (host.clone(), spec.clone(), name.clone());
    let open = move || host.store.open_log_stream(&spec.region, &spec.configuration.logging.log_group, &stream);
    let opened = tokio::task::spawn_blocking(open).await?;
    Ok((name, opened.map_err(|fault| anyhow::anyhow!(fault.message))?))
}
