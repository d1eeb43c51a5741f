//! What an instance and its Runtime API share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::answer::FailureReason;
use super::extensions::Extensions;
use super::message::RuntimeMessage;
use super::port_check::PortCheck;
use super::processes::InstanceProcesses;
use super::request::Reply;
use crate::limits::concurrency::ConcurrencyPermit;
use crate::limits::stream::StreamLimit;
use crate::options::Options;
use crate::sync::lock;

/// The request that the process is handling.
pub(super) struct OpenRequest {
    pub(super) request_id: String,
    /// Newer runtime clients repeat it, so that an answer to an earlier delivery can be recognised.
    pub(super) invocation_id: String,
    /// Taken when the answer begins.
    pub(super) reply: Option<Reply>,
    /// Why its answer is cut, once that is known.
    pub(super) failure: FailureReason,
    pub(super) permit: ConcurrencyPermit,
}

/// Carries messages from an instance's processes to the instance, and holds what both sides read and change.
pub(super) struct RuntimeChannel {
    /// The address of the Runtime API.
    pub(super) address: SocketAddr,
    /// The processes that may connect to it.
    pub(super) processes: InstanceProcesses,
    /// The ports of a web app.
    pub(super) ports: Option<Arc<PortCheck>>,
    pub(super) head_timeout: Duration,
    pub(super) messages: mpsc::UnboundedSender<RuntimeMessage>,
    pub(super) open: Mutex<Option<OpenRequest>>,
    pub(super) extensions: Mutex<Extensions>,
    /// The limit that every stream starts with.
    pub(super) stream_limit: StreamLimit,
}

impl RuntimeChannel {
    /// Creates the channel of an instance that has no request yet.
    pub(super) fn new(
        options: &Options,
        address: SocketAddr,
        processes: InstanceProcesses,
        ports: Option<PortCheck>,
        messages: mpsc::UnboundedSender<RuntimeMessage>,
        extensions: Extensions,
    ) -> Self {
        let (head_timeout, stream_limit) = (options.head_timeout, StreamLimit::new(options));
        let extensions = extensions.into();
        let (ports, open) = (ports.map(Arc::new), Mutex::default());
        Self { address, processes, ports, head_timeout, messages, open, extensions, stream_limit }
    }

    /// Describes the program on a port of the instance's app, if it is not the instance's.
    pub(super) async fn stranger(&self) -> Option<String> {
        self.ports.as_ref()?.stranger().await
    }

    pub(super) fn send(&self, message: RuntimeMessage) {
        // An instance that has ended receives nothing.
        let _ = self.messages.send(message);
    }

    /// Notes that the answer is complete, before its client can know it and send the next request.
    pub(super) fn answer_complete(&self) {
        if let Some(open) = lock(&self.open).as_mut() {
            open.permit.finishing();
        }
    }
}
