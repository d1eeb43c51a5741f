//! What follows a run: it hears every event, and may end the run.

use super::Event;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Hears what happens, and says when to stop.
pub struct Observer<'a> {
    pub listener: Box<dyn Fn(&Event) + 'a>,
    /// Cancelled when the run is to end at the next opportunity.
    pub stop: CancellationToken,
    /// Cancelled when not even the call in flight is to be waited for.
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
