//! The figures as tables.

use crate::contestant::{Case, Contestant};
use crate::figures::{Figures, Run, Spread};
use std::fmt::Write;

/// A figure's name, how a run shows it, and its decimals.
type Column = (&'static str, fn(&Run) -> f64, usize);

/// The whole report.
pub(crate) fn render(figures: &Figures) -> String {
    let mut text = format!("# The race\n\n{}; load {}.\n", figures.machine, figures.load());
    let runs = if figures.rounds == 1 { "One run".to_owned() } else { format!("Medians of {} runs", figures.rounds) };
    let _ = writeln!(text, "{runs}, with the least and the most. Times in seconds.");
    for delay in &figures.delays {
        let _ = write!(text, "\n## {delay} ms added to every call\n\n");
        text +=
            &table(figures, *delay, &|spread| format!("{:.2} ({:.2}–{:.2})", spread.median, spread.least, spread.most));
    }
    if let Some(delay) = figures.delays.iter().max() {
        let _ = write!(text, "\n## What it took\n\nWith {delay} ms added to every call.\n");
        let figures_of: [Column; 5] = [
            ("Calls", |run| run.calls as f64, 0),
            ("Round trips, one after the other", |run| run.trips as f64, 0),
            ("Kilobytes", |run| run.bytes as f64 / 1000.0, 0),
            ("Processor time in seconds", |run| run.cpu, 2),
            ("Seconds asleep", |run| run.idle, 1),
        ];
        for (title, figure, digits) in figures_of {
            let _ = write!(text, "\n### {title}\n\n");
            text += &of(figures, *delay, figure, &|spread| format!("{:.digits$}", spread.median));
        }
    }
    text + &bars(figures)
}

fn table(figures: &Figures, delay: u64, shown: &dyn Fn(Spread) -> String) -> String {
    of(figures, delay, |run| run.seconds, shown)
}

/// A row for each case, and a column for each contestant.
fn of(figures: &Figures, delay: u64, figure: fn(&Run) -> f64, shown: &dyn Fn(Spread) -> String) -> String {
    let names: Vec<&str> = figures.contestants.iter().map(|contestant| contestant.name()).collect();
    let mut text = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for case in Case::SHOWN {
        let cells = figures.contestants.iter().map(|contestant| {
            let spread = figures.spread((*contestant, case, delay), figure);
            spread.map_or_else(|| contestant.absence(case).to_owned(), shown)
        });
        let _ = writeln!(text, "| {} | {} |", case.name(), cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

/// What lamstream is held to.
fn bars(figures: &Figures) -> String {
    let Some(delay) = figures.delays.iter().copied().find(|delay| *delay > 0) else { return String::new() };
    let seconds = |contestant, case| figures.median((contestant, case, delay), |run| run.seconds);
    let awake = |contestant, case| figures.median((contestant, case, delay), |run| run.seconds - run.idle);
    let trips = |case| figures.median((Contestant::Lamstream, case, delay), |run| run.trips as f64);
    let theirs = Contestant::CargoLambda;
    let ours = |case| seconds(Contestant::Lamstream, case);
    let nothing = ours(Case::NoOp).unwrap_or_default();
    let rows = [
        (
            "first deploy, verified; theirs, not verified, without its sleep",
            ours(Case::First),
            awake(theirs, Case::First),
        ),
        (
            "the same with 8 s of propagation, within 1 s of theirs",
            ours(Case::Late),
            seconds(theirs, Case::Late).map(|time| time + 1.0),
        ),
        ("nothing changed, half of their time", ours(Case::NoOp), seconds(theirs, Case::NoOp).map(|time| time / 2.0)),
        ("what one 429 with `Retry-After: 1` costs", ours(Case::Throttled).map(|time| time - nothing), Some(1.5)),
        ("round trips of new code, published, tried, moved and asked", trips(Case::Code), Some(8.0)),
        ("round trips of destroy", trips(Case::Destroy), Some(5.0)),
    ];
    let mut text = format!(
        "\n## The bars\n\nWith {delay} ms added to every call.\n\n| | lamstream | at most | met |\n|---|---|---|---|\n"
    );
    for (what, found, bar) in rows {
        if let (Some(found), Some(bar)) = (found, bar) {
            let met = if found <= bar { "yes" } else { "**no**" };
            let _ = writeln!(text, "| {what} | {found:.2} | {bar:.2} | {met} |");
        }
    }
    text
}
