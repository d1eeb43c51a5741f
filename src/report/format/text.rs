//! Answers as text: what stdout gets unless JSON was asked for.

use super::renderer::Renderer;
use crate::failure::Failure;
use crate::report::answer::{Answer, Detail, FunctionAnswer, Functions, LocalAnswer, LogLine, NotCompared, State};
use crate::report::log_line::log_text;
use crate::report::outlet;
use crate::report::story::plan_lines;
use crate::report::style::{Line, Text};
use crate::stack::{Published, Share, Verdict};
use crate::text::palette::{GREEN, RED, YELLOW};
use anstyle::Style;
use std::fmt::Write;

pub(super) struct Plain;

impl Renderer for Plain {
    fn answer(&self, _: &str, answer: &Answer, failure: Option<&Failure>) -> Text {
        let lines = match answer {
            Answer::Plan(found) => plans(found, failure),
            Answer::Status(found) => found.functions.iter().flat_map(status).collect(),
            Answer::Releases(found) => found.functions.iter().flat_map(releases).collect(),
            _ => return Text::lines(&values(answer)),
        };
        Text::wrapped(&lines, outlet::columns_of_stdout())
    }

    fn log_lines(&self, lines: &[LogLine]) -> Text {
        let colour = outlet::has_colours();
        lines.iter().map(|line| log_text(line, colour)).collect()
    }

    fn is_document(&self) -> bool {
        false
    }
}

/// What other programs read: URLs, paths, a manifest, variables.
fn values(answer: &Answer) -> String {
    match answer {
        Answer::Deploy(found)
        | Answer::Url(found)
        | Answer::Rollback(found)
        | Answer::Promote(found)
        | Answer::Abort(found) => urls(&found.functions),
        Answer::Build(found) => found.functions.iter().filter_map(path).collect(),
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

fn plans(found: &Functions, failure: Option<&Failure>) -> Vec<Line> {
    let lines = |function: &FunctionAnswer| Some(plan_lines(function.names.as_ref()?, function.plan.as_ref()?));
    let lines: Vec<Line> = found.functions.iter().filter_map(lines).flatten().collect();
    match lines.is_empty() {
        // A command that failed has not looked at everything.
        true if failure.is_some() || found.functions.is_empty() => Vec::new(),
        true => vec![Line::plain("no changes")],
        false => lines,
    }
}

fn path(function: &FunctionAnswer) -> Option<String> {
    match &function.detail {
        Detail::Zip(zip) => Some(format!("{}\n", zip.path)),
        Detail::None | Detail::Releases(_) | Detail::Comparison { .. } => None,
    }
}

fn status(function: &FunctionAnswer) -> Vec<Line> {
    let (style, state) = match (function.state, &function.outputs.version) {
        (State::Deployed, Some(version)) => (GREEN, format!("deployed, version {version}")),
        (State::Deployed, None) => (GREEN, "deployed".to_owned()),
        (State::Failed, _) => (RED, "unknown".to_owned()),
        _ => (YELLOW, "not deployed".to_owned()),
    };
    let before = function.outputs.previous.iter().map(|version| format!(" (previous: {version})"));
    let (in_manifest, not_compared) = match &function.detail {
        Detail::Comparison { in_manifest, not_compared } => (*in_manifest, &**not_compared),
        Detail::None | Detail::Zip(_) | Detail::Releases(_) => (true, &[][..]),
    };
    let orphan = if in_manifest { "" } else { ", but not in the manifest" };
    let rest = before.collect::<String>() + orphan;
    let mut lines = vec![Line::plain(&format!("{}: ", function.name)).and(style, &state).and(Style::new(), &rest)];
    let more = |line: &str| Line::plain(line).indented();
    if let (Some(address), Some(url)) = (&function.outputs.url, &function.url) {
        lines.push(more(&format!("{address}  (auth {}, {})", url.auth.as_str(), url.mode.as_str())));
    }
    if let (Some(version), Some(weight)) = (&function.outputs.shifted, function.shift) {
        lines.push(more(&format!("shift: {weight} of the traffic goes to version {version}")));
    }
    if let (Some(verdict @ (Verdict::Unverified | Verdict::Failed)), Some(version)) =
        (function.verdict, function.outputs.newest())
    {
        let what = match verdict {
            Verdict::Failed => "did not pass its checks",
            _ => "has not passed its checks yet",
        };
        let what = format!(": the URL of version {version} {what}; the next deploy verifies it");
        lines.push(more("").and(verdict_style(verdict), verdict.as_str()).and(Style::new(), &what));
    }
    let differs = function.plan.as_ref().filter(|_| function.state == State::Deployed && in_manifest);
    if let (Some(plan), Some(names)) = (differs, &function.names) {
        lines.extend(plan_lines(names, plan).into_iter().map(Line::indented));
    }
    lines.extend(not_compared.iter().map(|NotCompared { field, why }| more(&format!("{field} not compared: {why}"))));
    lines
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Verified => GREEN,
        Verdict::Unverified => YELLOW,
        Verdict::Failed => RED,
    }
}

fn releases(function: &FunctionAnswer) -> Vec<Line> {
    match &function.detail {
        Detail::Releases(releases) => releases.iter().map(release).collect(),
        Detail::None | Detail::Zip(_) | Detail::Comparison { .. } => Vec::new(),
    }
}

/// `3  2026-11-22T18:00:00Z  commit 3f2a9c1d4e5f dirty  9f8a7b6c  verified    live`
fn release(published: &Published) -> Line {
    let digest: String = published.release.code.chars().take(8).collect();
    let (style, share) = match published.share {
        Share::Whole => (GREEN, "live".to_owned()),
        Share::Rest(weight) => (GREEN, format!("live ({}%)", ((1.0 - weight.fraction()) * 10_000.0).round() / 100.0)),
        Share::Part(weight) => (YELLOW, format!("shift ({weight})")),
        Share::None if published.is_previous => (Style::new(), "previous".to_owned()),
        Share::None => (Style::new(), String::new()),
    };
    let at = published.at.split('.').next().unwrap_or_default();
    let origin = if published.origin.is_empty() { "-" } else { &published.origin };
    let line = Line::plain(&format!("{:<4} {at}Z  {origin:<25}  {digest}  ", published.version));
    let verdict = published.verdict.as_str();
    let line = line.and(verdict_style(published.verdict), verdict);
    if share.is_empty() {
        return line;
    }
    line.and(Style::new(), &format!("{:1$}  ", "", 10_usize.saturating_sub(verdict.len()))).and(style, &share)
}
