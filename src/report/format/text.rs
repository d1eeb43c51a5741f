//! Answers as text, the default format of stdout.

use super::pieces::{changes, set_outside, verdict_style};
use super::printed::Text;
use super::renderer::{Page, Renderer};
use super::{stats, status};
use crate::failure::Failure;
use crate::report::answer::{
    Answer, DeployedStage, Detail, Extra, FunctionAnswer, Functions, LocalAnswer, LocalState, LogLine, SecretAnswer,
    State,
};
use crate::report::diagnosis::{Diagnosis, Health};
use crate::report::log_line::log_text;
use crate::report::moment::{of_lambda, utc_seconds};
use crate::report::style::Line;
use crate::report::table::{Cell, table};
use crate::stack::{Published, Share};
use crate::text::palette::{GREEN, RED, YELLOW};
use anstyle::Style;

pub(super) struct Plain;

impl Renderer for Plain {
    fn answer(&self, _: &str, answer: &Answer, failure: Option<&Failure>, page: Page) -> Text {
        let mut lines = lines(&answer.found, failure, page.columns);
        if let Extra::Stages(Some(stages)) = &answer.extra {
            lines.extend(table(&stages.iter().map(stage).collect::<Vec<_>>(), page.columns));
        }
        if let Extra::Checks(Some(doctor)) = &answer.extra {
            lines.extend(doctor.checks.iter().flat_map(diagnosis));
        }
        if let Extra::Secrets(Some(secrets)) = &answer.extra {
            lines.extend(table(&secrets.iter().map(secret).collect::<Vec<_>>(), page.columns));
        }
        let lines = Text::wrapped(&lines, page.columns);
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
        Extra::Policy(Some(policy)) => policy.text.clone(),
        Extra::Import(Some(import)) => import.manifest.clone().unwrap_or_default(),
        Extra::Local(local) => local_values(local),
        Extra::Templates(templates) => templates.iter().map(|(name, about)| format!("{name:12} {about}\n")).collect(),
        Extra::Path(Some(path)) => format!("{}\n", path.display()),
        Extra::Script(Some(script)) => script.clone(),
        Extra::Schema(Some(schema)) => format!("{schema:#}\n"),
        Extra::Stages(_)
        | Extra::Secrets(_)
        | Extra::Checks(_)
        | Extra::Events(_)
        | Extra::Response(_)
        | Extra::Import(None)
        | Extra::Policy(None)
        | Extra::Init(_)
        | Extra::Path(None)
        | Extra::Script(None)
        | Extra::Schema(None)
        | Extra::Files(_) => String::new(),
    }
}

/// A path, or a URL: alone, or as `NAME<TAB>URL` if there are several functions.
fn value(function: &FunctionAnswer, is_alone: bool) -> Option<String> {
    match &function.detail {
        Detail::Zip(zip) => Some(format!("{}\n", zip.path)),
        Detail::Url if function.state != State::Failed && function.error.is_none() => {
            let url = function.url()?;
            Some(if is_alone { format!("{url}\n") } else { format!("{}\t{url}\n", function.name) })
        }
        Detail::Url
        | Detail::Changes
        | Detail::Checks
        | Detail::Releases(_)
        | Detail::Comparison(_)
        | Detail::Stats(_) => None,
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
    let is_status = found.functions.iter().any(|function| matches!(function.detail, Detail::Comparison(_)));
    let header = is_status.then(|| status::header(found));
    let none = none.then(|| Line::plain("no changes"));
    header.into_iter().chain(none).chain(lines).chain(outside).collect()
}

fn lines_of(function: &FunctionAnswer, columns: usize) -> Vec<Line> {
    match &function.detail {
        Detail::Changes => changes(function),
        Detail::Releases(releases) => table(&releases.iter().map(release).collect::<Vec<_>>(), columns),
        Detail::Comparison(comparison) => status::lines(function, comparison),
        Detail::Stats(figures) => figures.as_ref().map(|figures| stats::lines(function, figures)).unwrap_or_default(),
        Detail::Url | Detail::Checks | Detail::Zip(_) => Vec::new(),
    }
}

/// `pr-12  chat, site  2026-11-22T18:00:00Z  commit 3f2a9c1d4e5f  expired on 2026-11-29T18:00:00Z`
fn stage(stage: &DeployedStage) -> Vec<Cell> {
    let plain = |text: Option<String>| (Style::new(), text.unwrap_or_else(|| "-".to_owned()));
    let expires = match (&stage.expires, stage.is_expired) {
        (Some(at), true) => (YELLOW, format!("expired on {at}")),
        (Some(at), false) => (Style::new(), format!("expires on {at}")),
        (None, _) => (Style::new(), String::new()),
    };
    vec![
        plain(Some(stage.stage.clone().unwrap_or_else(|| "(no stage)".to_owned()))),
        plain(Some(stage.functions.join(", "))),
        plain(stage.live_since.clone()),
        plain(stage.origin.code.clone()),
        plain(stage.origin.by.as_ref().map(|by| by.name().to_owned())),
        expires,
    ]
}

/// `ok       clock: within a minute of AWS's`, and what to do below it.
fn diagnosis(found: &Diagnosis) -> Vec<Line> {
    let style = match found.result {
        Health::Ok => GREEN,
        Health::Warning => YELLOW,
        Health::Problem => RED,
        Health::Skipped => Style::new(),
    };
    let first = format!("{:8}", found.result.as_str());
    // A manifest may have many mistakes, each on a line.
    let message = found.message.to_string();
    let mut message = message.lines();
    let rest = format!(" {}: {}", found.name, message.next().unwrap_or_default());
    let more = message.map(|line| Line::plain(&format!("{:9}{line}", "")));
    let hints = found
        .hints
        .iter()
        .filter(|_| !found.message.has_hints())
        .map(|hint| Line::plain(&format!("{:9}hint: {hint}", "")));
    std::iter::once(Line::default().and(style, &first).and(Style::new(), &rest)).chain(more).chain(hints).collect()
}

/// `TOKEN  /shop/TOKEN  version 3  2026-11-22T18:00:00Z  alice`
fn secret(secret: &SecretAnswer) -> Vec<Cell> {
    let plain = |text: String| (Style::new(), text);
    let by = secret.changed_by.as_deref().and_then(|arn| arn.rsplit(['/', ':']).next());
    vec![
        plain(secret.name.clone()),
        plain(secret.parameter.clone()),
        plain(secret.version.map(|version| format!("version {version}")).unwrap_or_default()),
        plain(secret.changed_at.map(|at| utc_seconds(at / 1000)).unwrap_or_default()),
        plain(by.unwrap_or_default().to_owned()),
    ]
}

/// `3  2026-11-22T18:00:00Z  commit 3f2a9c1d4e5f dirty  alice  9f8a7b6c  verified  live since 2026-11-22T18:00:07Z`
fn release(published: &Published) -> Vec<Cell> {
    let (style, share) = match published.share {
        Share::Whole => (GREEN, "live".to_owned()),
        Share::Rest(weight) => (GREEN, format!("live ({}%)", ((1.0 - weight.fraction()) * 10_000.0).round() / 100.0)),
        Share::Part(weight) => (YELLOW, format!("shift ({weight})")),
        Share::None if published.is_previous => (Style::new(), "previous".to_owned()),
        Share::None => (Style::new(), String::new()),
    };
    let plain = |text: String| (Style::new(), text);
    let unknown = || "-".to_owned();
    let since = published.arrival.as_ref().map(|arrival| format!(" since {}", utc_seconds(arrival.at)));
    vec![
        plain(published.version.clone()),
        plain(published.at.as_deref().map_or_else(unknown, of_lambda)),
        plain(published.origin.code.clone().unwrap_or_else(unknown)),
        plain(published.origin.by.as_ref().map_or_else(unknown, |by| by.name().to_owned())),
        plain(published.release.code.iter().flat_map(|code| code.chars()).take(8).collect()),
        (verdict_style(published.verdict), published.verdict.as_str().to_owned()),
        (style, share + &since.unwrap_or_default()),
    ]
}
