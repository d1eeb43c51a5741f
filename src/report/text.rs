//! Answers as plain text: what stdout gets unless JSON was asked for.

use super::answer::{Answer, FunctionAnswer, LocalAnswer, NotCompared, State};
use super::story::plan_lines;
use crate::stack::{Published, Share, Verdict};
use std::fmt::Write;

/// The text of an answer, with its last newline; empty where there is nothing to say.
pub fn text(answer: &Answer) -> String {
    match answer.command {
        "deploy" | "url" | "rollback" | "promote" | "abort" => urls(answer),
        "releases" => answer.functions.iter().flat_map(|one| &one.releases).map(release).collect(),
        "import sam" => answer.import.as_ref().and_then(|import| import.manifest.clone()).unwrap_or_default(),
        "plan" => plans(answer),
        "status" => answer.functions.iter().map(status).collect(),
        "build" => answer.functions.iter().filter_map(|one| one.zip.as_ref()).fold(String::new(), |mut text, zip| {
            let _ = writeln!(text, "{}", zip.path);
            text
        }),
        _ if answer.path.is_some() => answer.path.iter().map(|path| format!("{}\n", path.display())).collect(),
        _ => answer.local.as_ref().map(|local| self::local(answer.command, local)).unwrap_or_default(),
    }
}

/// One function: its address alone. Several: `NAME<TAB>URL`.
fn urls(answer: &Answer) -> String {
    let mut text = String::new();
    for function in answer.functions.iter().filter(|function| function.state != State::Failed) {
        let Some(url) = &function.outputs.url else { continue };
        let _ = match answer.functions.len() {
            1 => writeln!(text, "{url}"),
            _ => writeln!(text, "{}\t{url}", function.name),
        };
    }
    text
}

fn plans(answer: &Answer) -> String {
    let lines: Vec<String> = answer
        .functions
        .iter()
        .filter_map(|function| Some(plan_lines(function.names.as_ref()?, function.plan.as_ref()?)))
        .flatten()
        .collect();
    match lines.is_empty() {
        // A command that failed before it looked at any function has nothing to say.
        true if answer.functions.is_empty() || answer.failure().is_some() => String::new(),
        true => "no changes\n".to_owned(),
        false => lines.join("\n") + "\n",
    }
}

fn status(function: &FunctionAnswer) -> String {
    let mut text = String::new();
    let state = match (function.state, &function.outputs.version) {
        (State::Deployed, Some(version)) => format!("deployed, version {version}"),
        (State::Deployed, None) => "deployed".to_owned(),
        (State::Failed, _) => "unknown".to_owned(),
        _ => "not deployed".to_owned(),
    };
    let before = function.outputs.previous.iter().map(|version| format!(" (before it: {version})"));
    let orphan = if function.orphan { ", but not in the manifest" } else { "" };
    let _ = writeln!(text, "{}: {state}{}{orphan}", function.name, before.collect::<String>());
    if let (Some(address), Some(url)) = (&function.outputs.url, &function.url) {
        let _ = writeln!(text, "  {address}  (auth {}, {})", url.auth.as_str(), url.mode.as_str());
    }
    if let (Some(version), Some(weight)) = (&function.outputs.shifted, function.shift) {
        let _ = writeln!(text, "  shift: {weight} of the traffic goes to version {version}");
    }
    if let (Some(verdict @ (Verdict::Unverified | Verdict::Failed)), Some(version)) =
        (function.verdict, function.outputs.newest())
    {
        let what = match verdict {
            Verdict::Failed => "did not pass its checks",
            _ => "was not seen to pass its checks yet",
        };
        let _ = writeln!(text, "  {}: the URL of version {version} {what}; the next deploy asks it", verdict.as_str());
    }
    let differs = function.plan.as_ref().filter(|_| function.state == State::Deployed && !function.orphan);
    if let (Some(plan), Some(names)) = (differs, &function.names) {
        for line in plan_lines(names, plan) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for NotCompared { field, why } in &function.not_compared {
        let _ = writeln!(text, "  {field} not compared: {why}");
    }
    text
}

fn local(command: &str, local: &LocalAnswer) -> String {
    match (command, &local.endpoint) {
        ("local env", _) => local.env.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "export {name}={value}");
            text
        }),
        (_, Some(endpoint)) => format!("{endpoint}\n"),
        ("local status", None) => "not running\n".to_owned(),
        _ => String::new(),
    }
}

/// `3  2026-11-22T18:00:00Z  commit 3f2a9c1d4e5f dirty  9f8a7b6c  verified    live`
fn release(published: &Published) -> String {
    let digest: String = published.release.code.chars().take(8).collect();
    let share = match published.share {
        Share::Whole => "live".to_owned(),
        Share::Rest(weight) => format!("live, but {weight}"),
        Share::Part(weight) => format!("shift {weight}"),
        Share::None if published.is_previous => "previous".to_owned(),
        Share::None => String::new(),
    };
    let at = published.at.split('.').next().unwrap_or_default();
    let origin = if published.origin.is_empty() { "-" } else { &published.origin };
    let line =
        format!("{:<4} {at}Z  {origin:<25}  {digest}  {:<10}  {share}", published.version, published.verdict.as_str());
    format!("{}\n", line.trim_end())
}
