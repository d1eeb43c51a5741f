//! The observer of a run, which receives every event and can end the run.

use super::Event;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Receives events, and signals when to stop.
pub struct Observer<'a> {
    pub listener: Box<dyn Fn(&Event) + 'a>,
    /// Cancelled to end the run at the next opportunity.
    pub stop: CancellationToken,
    /// Cancelled to end the run without waiting for the call in flight.
    pub abandon: CancellationToken,
}

impl Observer<'_> {
    pub fn tell(&self, event: &Event) {
        (self.listener)(event);
    }

    pub fn waiting(&self, function: &str, for_what: &str, elapsed: Duration) {
        self.tell(&Event::Waiting { function: function.to_owned(), for_what: for_what.to_owned(), elapsed });
    }
}
