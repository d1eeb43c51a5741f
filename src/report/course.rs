//! What a run has done, and what it is doing, for whoever ends it in the middle.

use crate::apply::{Event, Step};

/// The steps of all functions.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub done: Vec<Step>,
    going: Vec<(String, Step)>,
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
}
