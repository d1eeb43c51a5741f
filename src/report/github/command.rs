//! Commands to the runner, which it finds at the start of a line of stdout or stderr.

use crate::failure::{Failure, Mark, Place};
use crate::report::diagnosis::{Diagnosis, Health};
use crate::text;
use std::fmt;

/// A command that is harmless by its type: values from elsewhere cannot end it, or begin another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkflowCommand {
    name: &'static str,
    properties: Vec<(&'static str, String)>,
    lines: Vec<String>,
}

impl WorkflowCommand {
    /// Lines up to the end of the group are folded below its title.
    pub(super) fn group(title: &str) -> WorkflowCommand {
        WorkflowCommand { name: "group", properties: Vec::new(), lines: vec![title.to_owned()] }
    }

    pub(super) fn end_group() -> WorkflowCommand {
        WorkflowCommand { name: "endgroup", properties: Vec::new(), lines: Vec::new() }
    }

    /// An annotation, at its place in a file if it has one. `name` is its level, and `from_root` makes a path relative to
    /// the root of the repository.
    fn annotation(name: &'static str, mark: Mark, from_root: &dyn Fn(&str) -> String) -> WorkflowCommand {
        let place = |Place { file, line, column }: Place| {
            let number = |name, number: Option<usize>| number.map(|number| (name, number.to_string()));
            [Some(("file", from_root(&file))), number("line", line), number("col", column)]
        };
        let properties = mark.place.into_iter().flat_map(place).flatten().collect();
        WorkflowCommand { name, properties, lines: mark.lines }
    }
}

impl fmt::Display for WorkflowCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "::{}", self.name)?;
        for (nth, (name, value)) in self.properties.iter().enumerate() {
            let value = escaped(&text::line(value)).replace(':', "%3A").replace(',', "%2C");
            write!(formatter, "{}{name}={value}", if nth == 0 { " " } else { "," })?;
        }
        let lines: Vec<String> = self.lines.iter().map(|line| escaped(&text::line(line))).collect();
        write!(formatter, "::{}", lines.join("%0A"))
    }
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The annotations of a failure: one for each problem.
pub(super) fn errors(failure: &Failure, from_root: &dyn Fn(&str) -> String) -> Vec<WorkflowCommand> {
    failure.marks().into_iter().map(|mark| WorkflowCommand::annotation("error", mark, from_root)).collect()
}

/// The annotations of what `doctor` found: one for each problem and each warning.
pub(super) fn findings(found: &Diagnosis, from_root: &dyn Fn(&str) -> String) -> Vec<WorkflowCommand> {
    let level = match found.result {
        Health::Problem => "error",
        Health::Warning => "warning",
        Health::Ok | Health::Skipped => return Vec::new(),
    };
    let named = |mark: Mark| {
        let lines = mark.lines.into_iter().enumerate();
        let lines = lines.map(|(nth, line)| if nth == 0 { format!("{}: {line}", found.name) } else { line }).collect();
        WorkflowCommand::annotation(level, Mark { lines, ..mark }, from_root)
    };
    found.message.marks(&[], &found.hints).into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_neither_ends_a_command_nor_begins_one() {
        let place = Some(Place { file: "a,b:c\r.toml".to_owned(), line: Some(12), column: Some(3) });
        let lines = vec!["100% of\n::set-env name=A::b".to_owned(), "hint: try".to_owned()];
        let said =
            WorkflowCommand::annotation("error", Mark { place, lines }, &|file| format!("app/{file}")).to_string();
        let expected = "::error file=app/a%2Cb%3Ac\\r.toml,line=12,col=3::100%25 of\\n::set-env name=A::b%0Ahint: try";
        assert_eq!(said, expected);
    }

    #[test]
    fn an_error_without_a_place_has_its_causes_and_hints() {
        let mut failure = Failure::usage("no region").hint("set one");
        failure.caused_by.push("nothing\nnamed it".to_owned());
        let said = errors(&failure, &str::to_owned)[0].to_string();
        assert_eq!(said, "::error::no region%0Acaused by: nothing\\nnamed it%0Ahint: set one");
    }
}
