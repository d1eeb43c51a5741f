//! What a run has done, and what it is doing, for when it is ended in the middle.

use crate::apply::{Event, Step};

/// The steps of all functions.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub done: Vec<Step>,
    going: Vec<(String, Step)>,
    /// What is being verified, as function and what of it.
    verifying: Vec<(String, String)>,
}

impl Course {
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Started { function, step } => self.going.push((function.clone(), step.clone())),
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

    fn end(&mut self, function: &str, step: &Step) {
        let place = self.going.iter().position(|(of, going)| of == function && going == step);
        place.map(|place| self.going.remove(place));
    }

    pub fn going(&self) -> Vec<Step> {
        self.going.iter().map(|(_, step)| step.clone()).collect()
    }

    /// What an interrupted run still waits for, in words: "create function `shop-chat`", "verify the URL of `chat`".
    pub fn waits_for(&self) -> Vec<String> {
        let verifying = self.verifying.iter().map(|(function, what)| format!("verify {what} of `{function}`"));
        self.going.iter().map(|(_, step)| step.to_string()).chain(verifying).collect()
    }
}
