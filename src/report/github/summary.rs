//! The summary of a step as Markdown: the plan as a diff, and the result of a deploy as a table.

use super::markdown::{address, block, plain, table};
use crate::failure::Failure;
use crate::plan::Action;
use crate::report::answer::{Aim, Answer, Detail, FunctionAnswer, Functions, State};
use crate::report::story::{change_text, failure_lines, seen};

/// The most bytes that a step may have.
const LIMIT: usize = 1_000_000;

/// The summary; empty for a command that has none, because it prints what the step itself shows or uses.
pub(super) fn of(command: &str, answer: &Answer, failure: Option<&Failure>) -> String {
    if answer.aim == Aim::Other {
        return String::new();
    }
    let found = &answer.found;
    let mut markdown = format!("### lamstream {}\n\n", plain(command));
    if !found.functions.is_empty() {
        markdown += &place(found);
        markdown += &results(found);
        markdown += &changes(found);
    }
    markdown += &errors(answer, failure);
    if markdown.len() > LIMIT {
        return format!("### lamstream {}\n\nThe summary is too long for GitHub; the log has it.\n\n", plain(command));
    }
    markdown
}

/// Where the functions are: `account 123456789012 in eu-central-1, stage prod`.
fn place(found: &Functions) -> String {
    let unknown = || "unknown".to_owned();
    let account = found.account.clone().unwrap_or_else(unknown);
    let region = found.region.clone().unwrap_or_else(unknown);
    let stage = found.stage.iter().map(|stage| format!(", stage {stage}")).collect::<String>();
    format!("{}\n\n", plain(&format!("account {account} in {region}{stage}")))
}

fn results(found: &Functions) -> String {
    let is_plan = found.functions.iter().all(|function| matches!(function.detail, Detail::Changes));
    if is_plan {
        return String::new();
    }
    // A run that is about all stages is in none itself.
    let are_of_stages = found.stage.is_none() && found.functions.iter().any(|function| stage(function).is_some());
    let dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let row = |function: &FunctionAnswer| {
        let outputs = &function.outputs;
        let shifted = outputs.shifted.as_ref().zip(function.shift);
        let shift = shifted.map(|(version, weight)| format!(" ({weight} to version {version})"));
        let version = outputs.version.as_ref().map(|version| format!("{version}{}", shift.unwrap_or_default()));
        let of_stage = are_of_stages.then(|| plain(stage(function).unwrap_or_default()));
        let row = vec![
            plain(&function.name),
            plain(state(function)),
            dash(version.map(|version| plain(&version))),
            dash(outputs.previous.as_ref().map(|previous| plain(previous))),
            dash(function.url().map(|url| address(url))),
            dash(verification(function).map(|verified| plain(&verified))),
        ];
        of_stage.into_iter().chain(row).collect()
    };
    let rows: Vec<Vec<String>> = found.functions.iter().map(row).collect();
    let head = ["Function", "Result", "Version", "Previous", "URL", "Verification"];
    let head: Vec<&str> = are_of_stages.then_some("Stage").into_iter().chain(head).collect();
    table(&head, &rows) + "\n"
}

fn stage(function: &FunctionAnswer) -> Option<&str> {
    function.names.as_ref()?.stage.as_deref()
}

fn state(function: &FunctionAnswer) -> &'static str {
    match (&function.error, function.state, function.changed, &function.detail) {
        (Some(_), ..) | (None, State::Failed, ..) => "failed",
        (None, State::Absent, true, _) => "removed",
        (None, State::Absent, false, _) => "not deployed",
        (None, _, true, _) => "changed",
        (None, _, false, Detail::Comparison(comparison)) if !comparison.in_manifest => "not in the manifest",
        (None, _, false, Detail::Comparison(_)) if function.plan.as_ref().is_some_and(|plan| !plan.is_empty()) => {
            "differs from the manifest"
        }
        (None, _, false, Detail::Checks) => "checked",
        (None, ..) => "up to date",
    }
}

/// `verified: first byte after 12 ms, 3 chunks over 7.0s: it streams`
fn verification(function: &FunctionAnswer) -> Option<String> {
    let verdict = function.verdict.map(|verdict| verdict.as_str().to_owned());
    let seen = function.verified.as_ref().map(seen);
    match (verdict, seen) {
        (Some(verdict), Some(seen)) => Some(format!("{verdict}: {seen}")),
        (verdict, seen) => verdict.or(seen),
    }
}

/// GitHub colours the lines of a diff by their first character.
fn changes(found: &Functions) -> String {
    let lines = |function: &FunctionAnswer| match (&function.names, &function.plan) {
        (Some(names), Some(plan)) => plan
            .changes
            .iter()
            .map(|change| {
                let sign = match change.action() {
                    Action::Create => "+",
                    Action::Update => "!",
                    Action::Delete => "-",
                };
                format!("{sign} {}", change_text(names, change))
            })
            .collect(),
        _ => Vec::new(),
    };
    let lines: Vec<String> = found.functions.iter().flat_map(lines).collect();
    let is_plan = found.functions.iter().any(|function| matches!(function.detail, Detail::Changes));
    match (is_plan, lines.is_empty()) {
        (true, true) => "No changes.\n\n".to_owned(),
        (false, true) => String::new(),
        (true, false) => block("diff", &lines) + "\n",
        (false, false) => format!("<details><summary>Changes</summary>\n\n{}\n</details>\n\n", block("diff", &lines)),
    }
}

/// Each error once, as on stderr.
fn errors(answer: &Answer, failure: Option<&Failure>) -> String {
    let (mut said, mut markdown) = (Vec::new(), String::new());
    for failure in answer.failures().chain(failure) {
        let message = failure.message.to_string();
        if !said.contains(&message) {
            said.push(message);
            let lines = failure_lines(failure);
            let lines: Vec<String> =
                lines.iter().map(|line| anstream::adapter::strip_str(&line.to_string()).to_string()).collect();
            markdown += &(block("text", &lines) + "\n");
        }
    }
    markdown
}
