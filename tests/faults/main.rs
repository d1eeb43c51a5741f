//! Every call of a run meets every fault. The run must end in time and report the truth, callers of the URL must not
//! notice, and a rerun must leave exactly what an undisturbed run leaves.
//!
//! `LAMSTREAM_FAULTS=all` runs every cell; any other value runs those whose names contain it. By default a sample
//! runs, the same every time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

#[path = "../support/mod.rs"]
mod support;

mod bad;
mod cell;
mod cloud;
mod found;
mod races;
mod scenario;
mod streams;

use cell::{Cell, KINDS, Prepared};
use scenario::SCENARIOS;
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

/// How many cells of each scenario and fault the sample has.
const SAMPLE: usize = 3;
const SEED: u64 = 20_261_123;

/// Most of a cell's time is spent waiting: for a pause between two attempts, or for one that hangs.
fn threads() -> usize {
    6 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// The cells that this run is about.
fn chosen(prepared: &[Prepared]) -> Vec<Cell<'_>> {
    let all = prepared.iter().flat_map(Cell::all);
    match std::env::var("LAMSTREAM_FAULTS") {
        Ok(word) if word == "all" => all.collect(),
        Ok(word) => all.filter(|cell| cell.name().contains(&word)).collect(),
        Err(_) => {
            let mut random = fastrand::Rng::with_seed(SEED);
            let mut cells: Vec<Cell<'_>> = all.collect();
            random.shuffle(&mut cells);
            let mut taken = BTreeMap::new();
            cells.retain(|cell| {
                let taken = taken.entry((cell.prepared.scenario.name, cell.kind.name)).or_insert(0);
                *taken += 1;
                *taken <= SAMPLE
            });
            cells
        }
    }
}

/// Past the test harness, which keeps what a test that passes says to itself.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn every_call_survives_every_fault() {
    let prepared: Vec<Prepared> = std::thread::scope(|scope| {
        let preparing: Vec<_> = SCENARIOS.iter().map(|scenario| scope.spawn(|| Prepared::new(scenario))).collect();
        preparing.into_iter().map(|preparing| preparing.join().unwrap()).collect()
    });
    let began = Instant::now();
    let cells = chosen(&prepared);
    let queue = Mutex::new(cells.iter());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let Some(cell) = queue.lock().unwrap().next() else { break };
                    let result = catch_unwind(AssertUnwindSafe(|| cell.run()));
                    let result = result.unwrap_or_else(|_| Err("the cell itself panicked".into()));
                    results.lock().unwrap().push((cell, result));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    say(&matrix(&prepared, &results));
    say(&format!("{} cells in {:.0} s", results.len(), began.elapsed().as_secs_f64()));
    let failed: Vec<String> = results
        .iter()
        .filter_map(|(cell, result)| Some(format!("{}: {}", cell.name(), result.as_ref().err()?)))
        .collect();
    assert!(failed.is_empty(), "{} cells failed:\n\n{}", failed.len(), failed.join("\n\n"));
    assert!(!results.is_empty(), "no cell has such a name");
}

/// Cells run and passed, a scenario a line, a fault a column of numbers.
fn matrix(prepared: &[Prepared], results: &[(&Cell<'_>, Result<(), String>)]) -> String {
    let mut table = format!("| {:22} | calls | cells | passed |", "scenario");
    for Prepared { scenario, steps, .. } in prepared {
        let of = |passed: bool| {
            let ours = results.iter().filter(|(cell, _)| cell.prepared.scenario.name == scenario.name);
            ours.filter(|(_, result)| !passed || result.is_ok()).count()
        };
        table += &format!("\n| {:22} | {:5} | {:5} | {:6} |", scenario.name, steps.len(), of(false), of(true));
    }
    table += &format!("\n\n| {:22} | cells | passed |", "fault");
    for kind in KINDS {
        let ours = || results.iter().filter(|(cell, _)| cell.kind.name == kind.name);
        let passed = ours().filter(|(_, result)| result.is_ok()).count();
        table += &format!("\n| {:22} | {:5} | {passed:6} |", kind.name, ours().count());
    }
    table
}
