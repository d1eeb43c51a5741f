//! Pieces of text that several commands show.

use crate::report::answer::FunctionAnswer;
use crate::report::story::plan_lines;
use crate::report::style::Line;
use crate::stack::Verdict;
use crate::text::palette::{GREEN, RED, YELLOW};
use anstyle::Style;

/// Such as "set outside lamstream: SnapStart".
pub(super) fn set_outside(function: &FunctionAnswer) -> Option<String> {
    let settings = &function.set_outside;
    (!settings.is_empty()).then(|| format!("set outside lamstream: {}", settings.join(", ")))
}

pub(super) fn changes(function: &FunctionAnswer) -> Vec<Line> {
    match (&function.names, &function.plan) {
        (Some(names), Some(plan)) => plan_lines(names, plan),
        _ => Vec::new(),
    }
}

pub(super) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Verified => GREEN,
        Verdict::Unverified => YELLOW,
        Verdict::Failed => RED,
    }
}
