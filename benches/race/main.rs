//! lamstream beside its peers, in the same run: cargo-lambda on the local cloud, and aws-sam-cli on moto, where
//! CloudFormation takes no time. Run it with `cargo bench --bench race`; `-- --quick` measures once instead of five times,
//! and leaves out the longest delay. The tables, the figures and the chart are written to `target/race/`.
//!
//! The peers are installed in `target/` from PyPI, once. All of them deploy the same program, through a relay that delays
//! every call, and they take turns.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

mod arena;
mod chart;
mod contestant;
mod figures;
mod markdown;

#[path = "../../tests/support/mod.rs"]
mod support;

use arena::{Arena, Programs};
use contestant::{CONTESTANTS, Case, Contestant};
use figures::Figures;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is measured.
struct Options {
    rounds: usize,
    /// In milliseconds.
    delays: Vec<u64>,
    /// Parts of the names of those that take part; all, if there are none.
    only: Vec<String>,
}

impl Options {
    fn of_arguments() -> Options {
        let mut options = Options { rounds: 5, delays: vec![0, 50, 150], only: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("`{argument}` needs a value"));
            match argument.as_str() {
                "--quick" => (options.rounds, options.delays) = (1, vec![0, 50]),
                "--rounds" => options.rounds = value().parse().unwrap(),
                "--delays" => options.delays = value().split(',').map(|delay| delay.parse().unwrap()).collect(),
                "--only" => options.only = value().split(',').map(str::to_owned).collect(),
                // cargo adds it.
                "--bench" => {}
                other => panic!("`{other}` is not an option: use --quick, --rounds N, --delays 0,50 or --only NAME"),
            }
        }
        options
    }

    fn contestants(&self) -> Vec<Contestant> {
        let takes_part = |contestant: &Contestant| {
            self.only.is_empty() || self.only.iter().any(|part| contestant.name().contains(part.as_str()))
        };
        CONTESTANTS.into_iter().filter(takes_part).collect()
    }
}

/// How long a new role cannot be assumed, in a first deploy of its own.
const PROPAGATION: Duration = Duration::from_secs(8);

fn main() {
    let options = Options::of_arguments();
    let contestants = options.contestants();
    let began = Instant::now();
    eprintln!("installing the peers and building the function");
    let programs = Programs::install(&contestants);
    let mut figures = Figures::begin(options.rounds, &options.delays, &contestants);
    for round in 1..=options.rounds {
        for delay in &options.delays {
            for contestant in &contestants {
                let whole = format!("round {round} of {}, +{delay} ms, {}", options.rounds, contestant.name());
                eprintln!("[{:>5.0} s] {whole}", began.elapsed().as_secs_f64());
                run(*contestant, &programs, *delay, &mut figures);
            }
        }
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/race");
    std::fs::create_dir_all(&directory).unwrap();
    let text = markdown::render(&figures);
    let delay = options.delays.iter().copied().find(|delay| *delay > 0).unwrap_or_default();
    for (name, contents) in [
        ("race.md", text.clone()),
        ("race.json", serde_json::to_string_pretty(&figures.json()).unwrap()),
        ("race.svg", chart::draw(&figures, delay)),
    ] {
        std::fs::write(directory.join(name), contents).unwrap();
    }
    println!("{text}");
    eprintln!("[{:>5.0} s] written to {}", began.elapsed().as_secs_f64(), directory.display());
}

/// All cases of one contestant, in a cloud of its own.
fn run(contestant: Contestant, programs: &Programs, delay: u64, figures: &mut Figures) {
    let mut arena = Arena::open(contestant, programs, Duration::ZERO);
    arena.delay(Duration::from_millis(delay));
    for case in Case::ALL {
        if let Some(run) = arena.run(case) {
            eprintln!("          {:<20} {:>6.2} s, {:>2} round trips", case.name(), run.seconds, run.trips);
            figures.add(contestant, case, delay, run);
        }
    }
    if contestant.meets_propagation() {
        drop(arena);
        let mut arena = Arena::open(contestant, programs, PROPAGATION);
        arena.delay(Duration::from_millis(delay));
        if let Some(run) = arena.run(Case::First) {
            eprintln!("          {:<20} {:>6.2} s, {:>2} round trips", Case::Late.name(), run.seconds, run.trips);
            figures.add(contestant, Case::Late, delay, run);
        }
    }
}
