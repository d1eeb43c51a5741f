//! The progress of a run, for when it is ended in the middle.

use crate::apply::{Checked, Event, Step};
use crate::plan::ResourceKind;

/// The steps of all functions.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub done: Vec<Step>,
    /// Whether a question waits for its answer.
    pub asking: bool,
    /// Each with its function.
    in_progress: Vec<(String, Step)>,
    /// What is being verified, each with its function.
    verifying: Vec<(String, Checked)>,
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

    /// Whether every step in progress is a release that waits for the trial of its version.
    pub(super) fn is_only_trying(&self) -> bool {
        let is_tried = |function: &String| {
            self.verifying.iter().any(|(of, what)| of == function && matches!(what, Checked::Version(_)))
        };
        let mut functions = self.in_progress.iter().map(|(function, step)| (function, step.kind));
        !self.in_progress.is_empty()
            && functions.all(|(function, kind)| kind == ResourceKind::Release && is_tried(function))
            && self.verifying.len() == self.in_progress.len()
    }

    /// What an interrupted run is still waiting for, in words: "create function `shop-chat`", "verify the URL of
    /// `chat`".
    pub(super) fn waits_for(&self) -> Vec<String> {
        let verifying = self.verifying.iter().map(|(function, what)| format!("verify {what} of `{function}`"));
        self.in_progress.iter().map(|(_, step)| step.to_string()).chain(verifying).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;

    #[test]
    fn only_the_trial_of_a_version_may_be_given_up() {
        let step = |kind, name: &str| Step { kind, action: Action::Update, name: name.to_owned() };
        let started =
            |function: &str, kind| Event::Started { function: function.to_owned(), step: step(kind, function) };
        let verifying = |function: &str, what| Event::Verifying { function: function.to_owned(), what };
        let mut progress = Progress::default();
        assert!(!progress.is_only_trying(), "nothing is in progress");
        progress.on(&started("a", ResourceKind::Release));
        assert!(!progress.is_only_trying(), "it is published");
        progress.on(&verifying("a", Checked::Version("2".to_owned())));
        assert!(progress.is_only_trying());
        progress.on(&started("b", ResourceKind::Role));
        assert!(!progress.is_only_trying(), "another function is being changed");
        progress.on(&Event::Failed { function: "b".to_owned(), step: step(ResourceKind::Role, "b") });
        assert!(progress.is_only_trying());
        progress.on(&verifying("b", Checked::Address("URL")));
        assert!(!progress.is_only_trying(), "`live` has moved");
    }
}
