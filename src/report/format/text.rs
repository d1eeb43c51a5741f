//! Answers as text, the default format of stdout.

use super::printed::Text;
use super::renderer::{Page, Renderer};
use crate::failure::Failure;
use crate::report::answer::{
    Answer, Detail, Extra, FunctionAnswer, Functions, LocalAnswer, LocalState, LogLine, NotCompared, State,
};
use crate::report::log_line::log_text;
use crate::report::story::plan_lines;
use crate::report::style::Line;
use crate::report::table::{Cell, table};
use crate::stack::{Published, Share, Verdict};
use crate::text::palette::{GREEN, RED, YELLOW};
use anstyle::Style;

pub(super) struct Plain;

impl Renderer for Plain {
    fn answer(&self, _: &str, answer: &Answer, failure: Option<&Failure>, page: Page) -> Text {
        let lines = Text::wrapped(&lines(&answer.found, failure, page.columns), page.columns);
        [Text::lines(&values(answer)), lines].into_iter().collect()
    }

    fn log_lines(&self, lines: &[LogLine], times: bool, page: Page) -> Text {
        lines.iter().map(|line| log_text(line, times, page.has_colours)).collect()
    }

    fn is_document(&self) -> bool {
        false
    }
}

/// Output for other programs: URLs, paths, a manifest, variables.
fn values(answer: &Answer) -> String {
    match &answer.extra {
        Extra::Nothing => {
            let functions = &answer.found.functions;
            functions.iter().filter_map(|function| value(function, functions.len() == 1)).collect()
        }
        Extra::Import(Some(import)) => import.manifest.clone().unwrap_or_default(),
        Extra::Local(local) => local_values(local),
        Extra::Templates(templates) => templates.iter().map(|(name, about)| format!("{name:12} {about}\n")).collect(),
        Extra::Path(Some(path)) => format!("{}\n", path.display()),
        Extra::Events(_) | Extra::Response(_) | Extra::Import(None) | Extra::Init(_) | Extra::Path(None) => {
            String::new()
        }
    }
}

/// A path, or a URL: alone, or as `NAME<TAB>URL` if there are several functions.
fn value(function: &FunctionAnswer, is_alone: bool) -> Option<String> {
    match &function.detail {
        Detail::Zip(zip) => Some(format!("{}\n", zip.path)),
        Detail::Url if function.state != State::Failed && function.error.is_none() => {
            let url = function.outputs.url.as_ref()?;
            Some(if is_alone { format!("{url}\n") } else { format!("{}\t{url}\n", function.name) })
        }
        Detail::Url | Detail::Changes | Detail::Checks | Detail::Releases(_) | Detail::Comparison { .. } => None,
    }
}

fn local_values(local: &LocalAnswer) -> String {
    match &local.state {
        _ if !local.env.is_empty() => {
            local.env.iter().map(|(name, value)| format!("export {name}={value}\n")).collect()
        }
        LocalState::Running { endpoint } => format!("{endpoint}\n"),
        LocalState::NotRunning => "not running\n".to_owned(),
        LocalState::Ended => String::new(),
    }
}

/// Output for people: plans, states, releases.
fn lines(found: &Functions, failure: Option<&Failure>, columns: usize) -> Vec<Line> {
    let lines: Vec<Line> = found.functions.iter().flat_map(|function| lines_of(function, columns)).collect();
    let are_planned = found.functions.iter().any(|function| matches!(function.detail, Detail::Changes));
    // A failed command did not check everything.
    let none = lines.is_empty() && are_planned && failure.is_none();
    let planned = found.functions.iter().filter(|function| matches!(function.detail, Detail::Changes));
    let outside = planned.filter_map(|function| Some(format!("{}: {}", function.name, set_outside(function)?)));
    let outside = outside.map(|line| Line::plain(&line)).collect::<Vec<_>>();
    none.then(|| Line::plain("no changes")).into_iter().chain(lines).chain(outside).collect()
}

/// Such as "set outside lamstream: SnapStart".
fn set_outside(function: &FunctionAnswer) -> Option<String> {
    let settings = &function.set_outside;
    (!settings.is_empty()).then(|| format!("set outside lamstream: {}", settings.join(", ")))
}

fn lines_of(function: &FunctionAnswer, columns: usize) -> Vec<Line> {
    match &function.detail {
        Detail::Changes => changes(function),
        Detail::Releases(releases) => table(&releases.iter().map(release).collect::<Vec<_>>(), columns),
        Detail::Comparison { in_manifest, not_compared } => status(function, *in_manifest, not_compared),
        Detail::Url | Detail::Checks | Detail::Zip(_) => Vec::new(),
    }
}

fn changes(function: &FunctionAnswer) -> Vec<Line> {
    match (&function.names, &function.plan) {
        (Some(names), Some(plan)) => plan_lines(names, plan),
        _ => Vec::new(),
    }
}

fn status(function: &FunctionAnswer, in_manifest: bool, not_compared: &[NotCompared]) -> Vec<Line> {
    let (style, state) = match (function.state, &function.outputs.version) {
        (State::Deployed, Some(version)) => (GREEN, format!("deployed, version {version}")),
        (State::Deployed, None) => (GREEN, "deployed".to_owned()),
        (State::Failed, _) => (RED, "unknown".to_owned()),
        _ if function.is_begun => (YELLOW, "created, but nothing is live".to_owned()),
        _ => (YELLOW, "not deployed".to_owned()),
    };
    let before = function.outputs.previous.iter().map(|version| format!(" (previous: {version})"));
    let orphan = if in_manifest { "" } else { ", but not in the manifest" };
    let rest = before.collect::<String>() + orphan;
    let mut lines = vec![Line::plain(&format!("{}: ", function.name)).and(style, &state).and(Style::new(), &rest)];
    let more = |line: &str| Line::plain(line).indented();
    if function.is_begun && function.state == State::Absent {
        lines.push(more("no version has passed its checks yet; the next deploy makes one live that does"));
    }
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
    if function.state == State::Deployed && in_manifest {
        lines.extend(changes(function).into_iter().map(Line::indented));
    }
    lines.extend(set_outside(function).iter().map(|line| more(line)));
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

/// `3  2026-11-22T18:00:00Z  commit 3f2a9c1d4e5f dirty  9f8a7b6c  verified  live`
fn release(published: &Published) -> Vec<Cell> {
    let (style, share) = match published.share {
        Share::Whole => (GREEN, "live".to_owned()),
        Share::Rest(weight) => (GREEN, format!("live ({}%)", ((1.0 - weight.fraction()) * 10_000.0).round() / 100.0)),
        Share::Part(weight) => (YELLOW, format!("shift ({weight})")),
        Share::None if published.is_previous => (Style::new(), "previous".to_owned()),
        Share::None => (Style::new(), String::new()),
    };
    let plain = |text: String| (Style::new(), text);
    let at = published.at.as_deref().and_then(|at| at.split('.').next()).map(|at| format!("{at}Z"));
    vec![
        plain(published.version.clone()),
        plain(at.unwrap_or_else(|| "-".to_owned())),
        plain(published.origin.clone().unwrap_or_else(|| "-".to_owned())),
        plain(published.release.code.iter().flat_map(|code| code.chars()).take(8).collect()),
        (verdict_style(published.verdict), published.verdict.as_str().to_owned()),
        (style, share),
    ]
}
