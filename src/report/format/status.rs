//! What `status` shows as text: where, what is live there since when, and what differs.

use super::pieces::{changes, set_outside, verdict_style};
use crate::report::answer::{Comparison, FunctionAnswer, Functions, NotCompared, State};
use crate::report::moment::{of_lambda, utc_seconds};
use crate::report::style::Line;
use crate::stack::{Steps, Verdict, Weight, spelled_time};
use crate::text::palette::{GREEN, RED, YELLOW};
use anstyle::Style;

/// `account 123456789012 in eu-central-1, stage prod`
pub(super) fn header(found: &Functions) -> Line {
    let unknown = || "unknown".to_owned();
    let account = found.account.clone().unwrap_or_else(unknown);
    let region = found.region.clone().unwrap_or_else(unknown);
    let endpoint = found.endpoint.iter().map(|endpoint| format!(" at {endpoint}"));
    let stage = found.stage.iter().map(|stage| format!(", stage {stage}"));
    Line::plain(&format!("account {account} in {region}{}", endpoint.chain(stage).collect::<String>()))
}

pub(super) fn lines(function: &FunctionAnswer, comparison: &Comparison) -> Vec<Line> {
    let mut lines = vec![first(function, comparison)];
    let more = |line: &str| Line::plain(line).indented();
    if function.is_begun && function.state == State::Absent {
        lines.push(more("no version has passed its checks yet; the next deploy makes one live that does"));
    }
    if let Some(regions) = comparison.other_regions.as_ref().filter(|regions| !regions.is_empty()) {
        let choose = regions.first().map_or_else(String::new, |region| format!("--region {region}"));
        lines.push(more(&format!("lamstream created it in {}: try `{choose}`", regions.join(", "))));
    }
    lines.extend(function.addresses.iter().map(|address| more(&format!("{}  ({})", address.url, address.about))));
    lines.extend(since(function).into_iter().chain(origin(function, comparison)).map(|line| more(&line)));
    if let (Some(version), Some(weight)) = (&function.outputs.shifted, function.shift) {
        lines.push(more(&format!("shift: {weight} of the traffic goes to version {version}")));
        lines.extend(function.outputs.steps.as_ref().map(|steps| more(&self_ending(steps, weight))));
    }
    lines.extend(verdict(function));
    if function.state == State::Deployed && comparison.in_manifest {
        lines.extend(changes(function).into_iter().map(Line::indented));
    }
    lines.extend(set_outside(function).iter().map(|line| more(line)));
    let not_compared = &comparison.not_compared;
    lines.extend(not_compared.iter().map(|NotCompared { field, why }| more(&format!("{field} not compared: {why}"))));
    lines
}

fn first(function: &FunctionAnswer, comparison: &Comparison) -> Line {
    let (style, state) = match (function.state, &function.outputs.version) {
        (State::Deployed, Some(version)) => (GREEN, format!("deployed, version {version}")),
        (State::Deployed, None) => (GREEN, "deployed".to_owned()),
        (State::Failed, _) => (RED, "unknown".to_owned()),
        _ if function.is_begun => (YELLOW, "created, but nothing is live".to_owned()),
        _ => (YELLOW, "not deployed".to_owned()),
    };
    let before = function.outputs.previous.iter().map(|version| format!(" (previous: {version})"));
    let orphan = if comparison.in_manifest { "" } else { ", but not in the manifest" };
    let rest = before.collect::<String>() + orphan;
    Line::plain(&format!("{}: ", function.name)).and(style, &state).and(Style::new(), &rest)
}

/// `live since 2026-11-30T08:00:00Z, made live by bob`
fn since(function: &FunctionAnswer) -> Option<String> {
    let arrival = function.outputs.arrival.as_ref()?;
    let by = arrival.by.iter().map(|by| format!(", made live by {}", by.name()));
    Some(format!("live since {}{}", utc_seconds(arrival.at), by.collect::<String>()))
}

/// `commit 3f2a9c1d4e5f, published 2026-11-29T18:00:00Z by alice`
fn origin(function: &FunctionAnswer, comparison: &Comparison) -> Option<String> {
    function.outputs.version.as_ref()?;
    let origin = &comparison.origin;
    let by = origin.by.iter().map(|by| format!(" by {}", by.name())).collect::<String>();
    let published = comparison.published_at.as_ref().map(|at| format!("published {}{by}", of_lambda(at)));
    let parts: Vec<String> = origin.code.clone().into_iter().chain(published).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn verdict(function: &FunctionAnswer) -> Option<Line> {
    let (verdict, version) = (function.verdict?, function.outputs.newest()?);
    let what = match verdict {
        Verdict::Verified => format!(": the URL of version {version} passed its checks"),
        Verdict::Failed => {
            format!(": the URL of version {version} did not pass its checks; the next deploy verifies it")
        }
        Verdict::Unverified => {
            format!(": the URL of version {version} has not passed its checks yet; the next deploy verifies it")
        }
    };
    Some(Line::plain("").indented().and(verdict_style(verdict), verdict.as_str()).and(Style::new(), &what))
}

/// Whether the run that began it still holds the step cannot be known: it may have been killed.
fn self_ending(steps: &Steps, weight: Weight) -> String {
    let (count, each) = (steps.percents().len(), spelled_time(steps.each));
    let step = steps.nth(weight).map_or_else(|| "between its steps".to_owned(), |nth| format!("at step {}", nth + 1));
    format!(
        "the shift was begun as one that ends itself: {step} of {count}, {each} each. If the `deploy` that began it no longer \
         runs, the next one holds this step again"
    )
}
