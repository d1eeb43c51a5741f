//! What was measured, and its medians.

use crate::contestant::{Case, Contestant};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub seconds: f64,
    /// How long no call was in progress, in pauses that are too long for anything but sleep.
    pub idle: f64,
    /// Processor time of the command and of all that it started, in seconds.
    pub cpu: f64,
    pub calls: usize,
    /// The calls that were made one after the other.
    pub trips: usize,
    pub bytes: usize,
}

/// The median of several runs, with the least and the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

/// All runs.
pub(crate) struct Figures {
    pub rounds: usize,
    pub delays: Vec<u64>,
    pub contestants: Vec<Contestant>,
    /// The machine, and what else it did.
    pub machine: String,
    runs: BTreeMap<(Contestant, Case, u64), Vec<Run>>,
    load_at_first: String,
}

impl Figures {
    pub(crate) fn begin(rounds: usize, delays: &[u64], contestants: &[Contestant]) -> Figures {
        let (delays, contestants) = (delays.to_vec(), contestants.to_vec());
        Figures { rounds, delays, contestants, machine: machine(), runs: BTreeMap::new(), load_at_first: load() }
    }

    pub(crate) fn add(&mut self, contestant: Contestant, case: Case, delay: u64, run: Run) {
        self.runs.entry((contestant, case, delay)).or_default().push(run);
    }

    /// The spread of one figure of a case; `None` if the contestant cannot do it.
    pub(crate) fn spread(
        &self,
        (contestant, case, delay): (Contestant, Case, u64),
        figure: impl Fn(&Run) -> f64,
    ) -> Option<Spread> {
        let mut values: Vec<f64> = self.runs.get(&(contestant, case, delay))?.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let median = (values[last / 2] + values[values.len() / 2]) / 2.0;
        Some(Spread { median, least: values[0], most: values[last] })
    }

    pub(crate) fn median(&self, place: (Contestant, Case, u64), figure: impl Fn(&Run) -> f64) -> Option<f64> {
        self.spread(place, figure).map(|spread| spread.median)
    }

    /// The load of the machine, at the beginning and now.
    pub(crate) fn load(&self) -> String {
        format!("{} at the beginning, {} at the end", self.load_at_first, load())
    }

    pub(crate) fn json(&self) -> Value {
        let runs = self.runs.iter().map(|((contestant, case, delay), runs)| {
            let runs: Vec<Value> = runs.iter().map(Run::json).collect();
            json!({ "contestant": contestant.name(), "case": case.name(), "delay_ms": delay, "runs": runs })
        });
        let (runs, machine, load) = (runs.collect::<Vec<_>>(), &self.machine, self.load());
        json!({ "machine": machine, "load": load, "rounds": self.rounds, "results": runs })
    }
}

impl Run {
    fn json(&self) -> Value {
        let Run { seconds, idle, cpu, calls, trips, bytes } = self;
        json!({
            "seconds": seconds,
            "idle_seconds": idle,
            "cpu_seconds": cpu,
            "calls": calls,
            "round_trips": trips,
            "bytes": bytes,
        })
    }
}

fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let built = if cfg!(debug_assertions) { "without" } else { "with" };
    let system = std::env::consts::OS;
    format!("{processors} processors, {system} {}, lamstream built {built} optimisation", kernel.trim())
}

fn load() -> String {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}
