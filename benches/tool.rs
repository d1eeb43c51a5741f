//! Measures the tool itself: its start, its memory, its size, and what it adds to cargo's own check when nothing has
//! changed. Run it with `cargo bench --bench tool`.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

mod usage;

use std::path::{Path, PathBuf};
use std::process::Command;
use usage::Usage;

const LAMSTREAM: &str = env!("CARGO_BIN_EXE_lamstream");
/// How often each thing is measured; the median counts.
const ROUNDS: usize = 9;
const MANIFEST: &str =
    "app = 'tool'\n[functions.greeter]\ncrate = 'greeter'\nurl = { auth = 'none' }\ncheck = { path = '/' }\n";
const CRATE: &str = "[package]\nname = 'greeter'\nedition = '2024'\n[workspace]\n";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        for (name, text) in [
            ("deploy.toml", MANIFEST),
            ("greeter/Cargo.toml", CRATE),
            ("greeter/src/main.rs", include_str!("../tests/fixtures/greeter.rs")),
        ] {
            let path = place.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        place
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).env("LAMSTREAM_LOCAL_DIR", self.0.path().join("cloud"));
        command
    }

    /// The medians of several runs.
    fn measure(&self, program: &str, arguments: &[&str]) -> Usage {
        let runs: Vec<Usage> = (0..ROUNDS).map(|_| usage::run(&self.command(program, arguments)).1).collect();
        let median = |figure: fn(&Usage) -> f64| {
            let mut figures: Vec<f64> = runs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[ROUNDS / 2]
        };
        Usage { time: median(|run| run.time), cpu: median(|run| run.cpu), memory: median(|run| run.memory) }
    }

    /// The target directory that lamstream uses for the crate.
    fn target(&self) -> PathBuf {
        let builds = self.0.path().join("greeter/target/lamstream");
        std::fs::read_dir(builds).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir()).unwrap()
    }
}

impl Drop for Place {
    /// Stops the local cloud.
    fn drop(&mut self) {
        let _ = self.command(LAMSTREAM, &["local", "stop"]).output();
    }
}

fn main() {
    let place = Place::new();
    usage::run(&place.command(LAMSTREAM, &["deploy", "--local"]));
    let size = Path::new(LAMSTREAM).metadata().unwrap().len() as f64 / 1e6;
    println!("lamstream has {size:.1} MB\n");
    println!("| | time | processor | peak memory |\n|---|---|---|---|");
    let show = |name: &str, Usage { time, cpu, memory }: Usage| {
        println!("| {name} | {:.0} ms | {:.0} ms | {memory:.0} MB |", time * 1e3, cpu * 1e3);
    };
    show("`--version`", place.measure(LAMSTREAM, &["--version"]));
    show("`url --local`", place.measure(LAMSTREAM, &["url", "--local"]));
    let target = place.target();
    let (manifest, directory) = ("greeter/Cargo.toml", target.to_str().unwrap());
    let check = ["build", "--manifest-path", manifest, "--target-dir", directory, "--profile", "dev"];
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    usage::run(&place.command(&cargo, &check));
    let (alone, deploy) = (place.measure(&cargo, &check), place.measure(LAMSTREAM, &["deploy", "--local"]));
    show("cargo's check of an unchanged crate", alone);
    show("`deploy --local` without changes, cargo's check included", deploy);
    println!("\nbeyond cargo's check: {:.0} ms of a processor", (deploy.cpu - alone.cpu) * 1e3);
}
