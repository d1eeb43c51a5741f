//! Folds the output of builds, so that a log shows the steps of the deploy.

use super::WorkflowCommand;
use crate::apply::Event;
use crate::report::story::told;
use crate::report::{Line, Reporter};

/// A reporter that puts the lines of other programs into groups.
pub(crate) struct Groups<R, F> {
    inner: R,
    /// Writes a command where `inner` writes its lines.
    command: F,
    is_open: bool,
    /// The functions that are being built.
    building: Vec<String>,
}

impl<R: Reporter, F: FnMut(&WorkflowCommand) + Send> Groups<R, F> {
    pub(crate) fn around(inner: R, command: F) -> Groups<R, F> {
        Groups { inner, command, is_open: false, building: Vec::new() }
    }

    fn open(&mut self) {
        if !self.is_open {
            let of = if self.building.is_empty() { String::new() } else { format!(" of {}", self.building.join(", ")) };
            (self.command)(&WorkflowCommand::group(&format!("Build output{of}")));
            self.is_open = true;
        }
    }

    fn close(&mut self) {
        if self.is_open {
            (self.command)(&WorkflowCommand::end_group());
            self.is_open = false;
        }
    }
}

impl<R: Reporter, F: FnMut(&WorkflowCommand) + Send> Reporter for Groups<R, F> {
    fn on(&mut self, event: &Event) {
        match event {
            Event::BuildLine { .. } => self.open(),
            Event::Building { function } => self.building.push(function.clone()),
            Event::Packaged { function, .. } => self.building.retain(|building| building != function),
            _ => {}
        }
        if !matches!(event, Event::BuildLine { .. }) && told(event).is_some() {
            self.close();
        }
        self.inner.on(event);
    }

    fn tick(&mut self) {
        self.inner.tick();
    }

    fn note(&mut self, line: &Line) {
        self.close();
        self.inner.note(line);
    }

    fn pause(&mut self) {
        self.close();
        self.inner.pause();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl Log {
        fn push(&self, line: String) {
            self.0.lock().expect("not poisoned").push(line);
        }
    }

    impl Reporter for Log {
        fn on(&mut self, event: &Event) {
            if let Some(line) = told(event) {
                self.push(line.to_string());
            }
        }

        fn note(&mut self, line: &Line) {
            self.push(line.to_string());
        }
    }

    #[test]
    fn lines_of_a_build_are_in_a_group_and_others_are_not() {
        let log = Log::default();
        let commands = log.clone();
        let mut groups = Groups::around(log.clone(), move |command| commands.push(command.to_string()));
        let line = |line: &str| Event::BuildLine { line: line.to_owned() };
        groups.on(&Event::Building { function: "chat".to_owned() });
        groups.on(&line("one"));
        groups.on(&Event::Read { what: "the account" });
        groups.on(&line("two"));
        groups.note(&Line::plain("a note"));
        groups.note(&Line::plain("another one"));
        groups.on(&line("three"));
        groups.pause();
        let said = log.0.lock().expect("not poisoned").clone();
        let group = "::group::Build output of chat";
        assert_eq!(
            said,
            [group, "one", "two", "::endgroup::", "a note", "another one", group, "three", "::endgroup::"]
        );
    }
}
