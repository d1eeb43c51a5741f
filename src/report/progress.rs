//! The progress of a run, for when it is ended in the middle.

use crate::apply::{Event, Step};

/// The steps of all functions.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub done: Vec<Step>,
    /// Whether a question waits for its answer.
    pub asking: bool,
    /// Each with its function.
    in_progress: Vec<(String, Step)>,
    /// What is being verified, such as "the URL", each with its function.
    verifying: Vec<(String, String)>,
}

impl Progress {
    pub(super) fn on(&mut self, event: &Event) {
        match event {
            Event::Started { function, step } => self.in_progress.push((function.clone(), step.clone())),
            Event::Done { function, step, .. } => {
                self.end(function, step);
                self.done.push(step.clone());
            }
            Event::Failed { function, step } => self.end(function, step),
            Event::Verifying { function, what } => self.verifying.push((function.clone(), what.clone())),
            Event::Verified { function, what, .. } | Event::NotVerified { function, what } => {
                self.verifying.retain(|(of, verifying)| of != function || verifying != what);
            }
            _ => {}
        }
    }

    fn end(&mut self, function: &str, ended: &Step) {
        let place = self.in_progress.iter().position(|(of, step)| of == function && step == ended);
        place.map(|place| self.in_progress.remove(place));
    }

    pub(super) fn in_progress(&self) -> Vec<Step> {
        self.in_progress.iter().map(|(_, step)| step.clone()).collect()
    }

    /// What an interrupted run is still waiting for, in words: "create function `shop-chat`", "verify the URL of
    /// `chat`".
    pub(super) fn waits_for(&self) -> Vec<String> {
        let verifying = self.verifying.iter().map(|(function, what)| format!("verify {what} of `{function}`"));
        self.in_progress.iter().map(|(_, step)| step.to_string()).chain(verifying).collect()
    }
}
