//! What an instance does when another program has the port of its app.

use super::instance::Instance;
use super::invocation::failure;
use super::message::RuntimeMessage;
use super::port_check::PORT_TAKEN;
use super::report::Status;
use super::request::{Outcome, PortChoice, QueuedRequest, Start};

impl Instance {
    /// Describes the program on a port of the app, if it is not the instance's, when the adapter reports that the app is
    /// ready.
    pub(super) async fn stranger_at_start(&self, message: &RuntimeMessage) -> Option<String> {
        let is_ready = matches!(message, RuntimeMessage::Next(_) | RuntimeMessage::ExtensionWaits);
        if is_ready && self.init.is_none() { self.channel.stranger().await } else { None }
    }

    /// Another program was faster than the app: the app is started again, on another port. If that is not possible, its
    /// first request fails. Returns false, because this instance is to end.
    pub(super) fn lost_port(&mut self, problem: &str) -> bool {
        self.report_problem(problem);
        if self.start.port == PortChoice::Preferred {
            self.start_again(Start { port: PortChoice::Another, ..self.start });
        } else {
            self.refuse_first(Status::Error(PORT_TAKEN), |id| failure(PORT_TAKEN, id, problem));
        }
        false
    }

    /// Another program has taken the port since the last request: a new instance gets this one. Returns false, because
    /// this instance is to end.
    pub(super) fn give_back(&mut self, request: QueuedRequest, problem: &str) -> bool {
        self.report_problem(problem);
        let _ = request.reply.send(Err(Start::default()));
        false
    }

    /// Another program has taken the port during a request, and the answer may be its own. Returns false, because this
    /// instance is to end.
    pub(super) fn answer_taken(&mut self, problem: &str) -> bool {
        self.report_problem(problem);
        if let Some(id) = self.current.as_ref().map(|current| current.id.clone()) {
            self.reply(Outcome::failed(PORT_TAKEN, &format!("RequestId: {id} Error: {problem}")));
            self.finish(Status::Error(PORT_TAKEN));
        }
        false
    }

    /// What keeps the port that the app needs, if its last words say that it ended for this.
    pub(super) fn port_conflict(&self) -> Option<String> {
        self.taken_port().filter(|_| self.says_that_a_port_is_taken())
    }

    /// Whether its last words say that it ended because another process has a port.
    pub(super) fn says_that_a_port_is_taken(&self) -> bool {
        // Every language has these words of the C library: "Address already in use".
        self.last_lines().to_lowercase().contains("in use")
    }

    fn report_problem(&mut self, problem: &str) {
        self.reason = "failure";
        self.log_line(&format!("[local cloud] {problem}"));
        self.note(problem);
    }
}
