//! Commands to the runner, which it finds at the start of a line of stdout or stderr.

use crate::failure::{Failure, Message, Problem, What};
use crate::manifest::Diagnostic;
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

    fn error(lines: Vec<String>) -> WorkflowCommand {
        WorkflowCommand { name: "error", properties: Vec::new(), lines }
    }

    /// An error at a place in a file. `from_root` makes a path relative to the root of the repository.
    fn error_at(diagnostic: &Diagnostic, hints: &[String], from_root: &dyn Fn(&str) -> String) -> WorkflowCommand {
        let mut properties = vec![("file", from_root(&diagnostic.file))];
        if let Some(excerpt) = &diagnostic.excerpt {
            properties.push(("line", excerpt.line.to_string()));
            properties.push(("col", excerpt.column.to_string()));
        }
        let lines = std::iter::once(diagnostic.message.clone()).chain(hinted(hints)).collect();
        WorkflowCommand { properties, ..WorkflowCommand::error(lines) }
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

fn hinted(hints: &[String]) -> impl Iterator<Item = String> {
    hints.iter().flat_map(|hint| hint.lines().next()).map(|hint| format!("hint: {hint}"))
}

fn caused(causes: &[String]) -> impl Iterator<Item = String> {
    causes.iter().map(|cause| format!("caused by: {cause}"))
}

/// The annotations of a failure: one for each problem.
pub(super) fn errors(failure: &Failure, from_root: &dyn Fn(&str) -> String) -> Vec<WorkflowCommand> {
    match &failure.message {
        Message::Problems(problems) => problems.iter().flat_map(|problem| of_problem(problem, from_root)).collect(),
        message @ Message::Line(_) => {
            let first = std::iter::once(message.to_string());
            let lines = first.chain(caused(&failure.caused_by)).chain(hinted(&failure.hints)).collect();
            vec![WorkflowCommand::error(lines)]
        }
    }
}

fn of_problem(problem: &Problem, from_root: &dyn Fn(&str) -> String) -> Vec<WorkflowCommand> {
    match &problem.what {
        What::Manifest(diagnostics) => diagnostics
            .iter()
            .map(|diagnostic| WorkflowCommand::error_at(diagnostic, &problem.hints, from_root))
            .collect(),
        What::Build { message, caused_by } => {
            let first = std::iter::once(message.clone());
            vec![WorkflowCommand::error(first.chain(caused(caused_by)).chain(hinted(&problem.hints)).collect())]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;
    use crate::manifest::Excerpt;

    #[test]
    fn a_value_neither_ends_a_command_nor_begins_one() {
        let excerpt = Excerpt { line: 12, column: 3, text: String::new(), underline: String::new() };
        let message = "100% of\n::set-env name=A::b".to_owned();
        let diagnostic = Diagnostic { file: "a,b:c\r.toml".to_owned(), excerpt: Some(excerpt), message };
        let problem = Problem { what: What::Manifest(vec![diagnostic]), hints: vec!["try\nmore".to_owned()] };
        let failure = Failure::of_problems(FailureKind::Manifest, vec![problem]);
        let said: Vec<String> =
            errors(&failure, &|file| format!("app/{file}")).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            ["::error file=app/a%2Cb%3Ac\\r.toml,line=12,col=3::100%25 of\\n::set-env name=A::b%0Ahint: try"]
        );
    }

    #[test]
    fn an_error_without_a_place_has_its_causes_and_hints() {
        let mut failure = Failure::usage("no region").hint("set one");
        failure.caused_by.push("nothing\nnamed it".to_owned());
        let said = errors(&failure, &str::to_owned)[0].to_string();
        assert_eq!(said, "::error::no region%0Acaused by: nothing\\nnamed it%0Ahint: set one");
    }
}
