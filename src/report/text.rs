//! Answers as plain text: what stdout gets unless JSON was asked for.

use super::answer::{Answer, Detail, FunctionAnswer, Functions, LocalAnswer, LogLine, NotCompared, State};
use super::log_line::log_text;
use super::outlet;
use super::renderer::Renderer;
use super::story::plan_lines;
use super::style::Text;
use crate::failure::Failure;
use crate::stack::{Published, Share, Verdict};
use std::fmt::Write;

pub(super) struct Plain;

impl Renderer for Plain {
    fn answer(&self, _: &str, answer: &Answer, failure: Option<&Failure>) -> Text {
        Text::lines(&text(answer, failure))
    }

    fn log_lines(&self, lines: &[LogLine]) -> Text {
        let colour = outlet::has_colours();
        lines.iter().map(|line| log_text(line, colour)).collect()
    }

    fn is_document(&self) -> bool {
        false
    }
}

/// The text of an answer, with its last newline; empty where there is nothing to say.
fn text(answer: &Answer, failure: Option<&Failure>) -> String {
    match answer {
        Answer::Deploy(found)
        | Answer::Url(found)
        | Answer::Rollback(found)
        | Answer::Promote(found)
        | Answer::Abort(found) => urls(&found.functions),
        Answer::Plan(found) => plans(found, failure),
        Answer::Status(found) => found.functions.iter().map(status).collect(),
        Answer::Releases(found) | Answer::Build(found) => found.functions.iter().map(details).collect(),
        Answer::Import(Some(import)) => import.manifest.clone().unwrap_or_default(),
        Answer::LocalEnv(Some(local)) => {
            local.env.iter().map(|(name, value)| format!("export {name}={value}\n")).collect()
        }
        Answer::LocalStatus(Some(LocalAnswer { endpoint: None, .. })) => "not running\n".to_owned(),
        Answer::LocalRun(Some(local))
        | Answer::LocalStart(Some(local))
        | Answer::LocalStatus(Some(local))
        | Answer::LocalStop(Some(local))
        | Answer::LocalReset(Some(local)) => local.endpoint.iter().map(|endpoint| format!("{endpoint}\n")).collect(),
        Answer::AdapterInstall(Some(path)) | Answer::LayerAdd(Some(path)) => format!("{}\n", path.display()),
        _ => String::new(),
    }
}

/// One function: its address alone. Several: `NAME<TAB>URL`.
fn urls(functions: &[FunctionAnswer]) -> String {
    let mut text = String::new();
    for function in functions.iter().filter(|function| function.state != State::Failed) {
        let Some(url) = &function.outputs.url else { continue };
        let _ = match functions.len() {
            1 => writeln!(text, "{url}"),
            _ => writeln!(text, "{}\t{url}", function.name),
        };
    }
    text
}

fn plans(found: &Functions, failure: Option<&Failure>) -> String {
    let lines = |function: &FunctionAnswer| Some(plan_lines(function.names.as_ref()?, function.plan.as_ref()?));
    let lines: Vec<String> = found.functions.iter().filter_map(lines).flatten().collect();
    match lines.is_empty() {
        // A command that failed has not looked at everything.
        true if failure.is_some() || found.functions.is_empty() => String::new(),
        true => "no changes\n".to_owned(),
        false => lines.join("\n") + "\n",
    }
}

/// The versions of a function, or the path of its package.
fn details(function: &FunctionAnswer) -> String {
    match &function.detail {
        Detail::Zip(zip) => format!("{}\n", zip.path),
        Detail::Releases(releases) => releases.iter().map(release).collect(),
        Detail::None | Detail::Comparison { .. } => String::new(),
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
    let before = function.outputs.previous.iter().map(|version| format!(" (previous: {version})"));
    let (in_manifest, not_compared) = match &function.detail {
        Detail::Comparison { in_manifest, not_compared } => (*in_manifest, &**not_compared),
        Detail::None | Detail::Zip(_) | Detail::Releases(_) => (true, &[][..]),
    };
    let orphan = if in_manifest { "" } else { ", but not in the manifest" };
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
            _ => "has not passed its checks yet",
        };
        let _ =
            writeln!(text, "  {}: the URL of version {version} {what}; the next deploy verifies it", verdict.as_str());
    }
    let differs = function.plan.as_ref().filter(|_| function.state == State::Deployed && in_manifest);
    if let (Some(plan), Some(names)) = (differs, &function.names) {
        for line in plan_lines(names, plan) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for NotCompared { field, why } in not_compared {
        let _ = writeln!(text, "  {field} not compared: {why}");
    }
    text
}

/// `3  2026-11-22T18:00:00Z  commit 3f2a9c1d4e5f dirty  9f8a7b6c  verified    live`
fn release(published: &Published) -> String {
    let digest: String = published.release.code.chars().take(8).collect();
    let share = match published.share {
        Share::Whole => "live".to_owned(),
        Share::Rest(weight) => format!("live ({}%)", ((1.0 - weight.fraction()) * 10_000.0).round() / 100.0),
        Share::Part(weight) => format!("shift ({weight})"),
        Share::None if published.is_previous => "previous".to_owned(),
        Share::None => String::new(),
    };
    let at = published.at.split('.').next().unwrap_or_default();
    let origin = if published.origin.is_empty() { "-" } else { &published.origin };
    let line =
        format!("{:<4} {at}Z  {origin:<25}  {digest}  {:<10}  {share}", published.version, published.verdict.as_str());
    format!("{}\n", line.trim_end())
}
