//! Compares a Rust function with the examples behind Lambda Web Adapter: zip size, start to ready, memory and first byte,
//! in one run on the local cloud. Run it with `cargo bench --bench apps`.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Cold starts of each function, and warm requests after each cold start. Each round measures every function.
const ROUNDS: usize = 7;
const REQUESTS: usize = 30;

/// One function to measure.
struct Subject {
    name: &'static str,
    /// The directory of its manifest.
    directory: PathBuf,
    /// A path that answers immediately.
    path: &'static str,
    url: String,
    zip: u64,
    starts: Vec<f64>,
    cold: Vec<f64>,
    warm: Vec<f64>,
    memory: Vec<f64>,
}

/// What the subjects share.
struct Place {
    state: tempfile::TempDir,
    cache: PathBuf,
}

impl Place {
    fn lamstream(&self, directory: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamstream"));
        command.args(arguments).current_dir(directory).env("LAMSTREAM_LOCAL_DIR", self.state.path().join("cloud"));
        let output = command.env("LAMSTREAM_CACHE_DIR", &self.cache).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Memory of a function's processes in MB, as PSS: shared pages are divided among the processes that use them.
    fn memory(&self, function: &str) -> f64 {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
        let here = format!("LAMBDA_TASK_ROOT={}", self.state.path().canonicalize().unwrap().display());
        let of = |process: &Path| {
            let environment = std::fs::read(process.join("environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            let is_named = variables.clone().any(|variable| variable == name.as_bytes());
            let ours = variables.any(|variable| variable.starts_with(here.as_bytes()));
            let rollup = std::fs::read_to_string(process.join("smaps_rollup")).ok().filter(|_| is_named && ours)?;
            rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<f64>().ok())
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.filter_map(|entry| of(&entry.path())).sum::<f64>() / 1024.0
    }
}

impl Drop for Place {
    /// Stops the local cloud.
    fn drop(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamstream"));
        let _ = command.args(["local", "stop"]).env("LAMSTREAM_LOCAL_DIR", self.state.path().join("cloud")).output();
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cache = root.join("target/tmp/cache");
    let place = Place { state: tempfile::tempdir().unwrap(), cache };
    let subject = |name, directory: &str, path| Subject {
        name,
        directory: root.join(directory),
        path,
        url: String::new(),
        zip: 0,
        starts: Vec::new(),
        cold: Vec::new(),
        warm: Vec::new(),
        memory: Vec::new(),
    };
    let mut subjects = [
        subject("Rust function", ".", "/"),
        subject("axum, adapter", "examples/axum-web", "/"),
        subject("FastAPI, adapter", "examples/fastapi-chat", "/health"),
        subject("Express, adapter", "examples/express-sse", "/"),
    ];
    for subject in &mut subjects {
        let out = place.state.path().join("out");
        let document = place
            .lamstream(&subject.directory, &["build", "--local", "--output", "json", "--out", out.to_str().unwrap()]);
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        subject.zip = document["functions"][0]["size"].as_u64().unwrap();
        subject.url = place.lamstream(&subject.directory, &["deploy", "--local", "--yes"]).trim().to_owned();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..ROUNDS {
        // A new cloud on the same state, so every function is cold.
        place.lamstream(root, &["local", "stop"]);
        place.lamstream(root, &["local", "start"]);
        for subject in &mut subjects {
            runtime.block_on(subject.measure(&place));
        }
    }
    print(&subjects);
}

impl Subject {
    async fn measure(&mut self, place: &Place) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{}", self.url.trim_end_matches('/'), self.path);
        self.cold.push(first_byte(&client, &url).await);
        for _ in 0..REQUESTS {
            self.warm.push(first_byte(&client, &url).await);
        }
        let document = place.lamstream(&self.directory, &["status", "--local", "--output", "json"]);
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let function = &document["functions"][0];
        self.memory.push(place.memory(function["function_name"].as_str().unwrap()));
        let log = place.lamstream(&self.directory, &["logs", "--local", function["name"].as_str().unwrap()]);
        let starts: Vec<f64> = log
            .lines()
            .filter_map(|line| line.split_once("Init Duration: ")?.1.split(' ').next()?.parse().ok())
            .collect();
        self.starts.extend(starts.last());
    }
}

/// Milliseconds from the request to the first byte of the answer's body.
async fn first_byte(client: &reqwest::Client, url: &str) -> f64 {
    let begun = Instant::now();
    let mut answer = client.get(url).timeout(Duration::from_secs(30)).send().await.unwrap();
    let chunk = answer.chunk().await.unwrap();
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    assert!(chunk.is_some(), "{url} answers nothing");
    while answer.chunk().await.unwrap().is_some() {}
    took
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn print(subjects: &[Subject]) {
    println!("medians of {ROUNDS} cold starts and of {} warm requests each\n", ROUNDS * REQUESTS);
    let head = ["", "zip", "start to ready", "memory", "cold first byte", "warm first byte"];
    println!("{:<18} {:>10} {:>15} {:>10} {:>16} {:>16}", head[0], head[1], head[2], head[3], head[4], head[5]);
    for subject in subjects {
        println!(
            "{:<18} {:>7.2} MB {:>12.1} ms {:>7.1} MB {:>13.1} ms {:>13.2} ms",
            subject.name,
            subject.zip as f64 / 1e6,
            median(subject.starts.clone()),
            median(subject.memory.clone()),
            median(subject.cold.clone()),
            median(subject.warm.clone()),
        );
    }
    let rust = &subjects[0];
    println!();
    for subject in &subjects[1..] {
        println!(
            "{:<18} beside the Rust function: zip {:.1} times, start {:.0} times, memory {:.1} times, warm first byte {:.1} times",
            subject.name,
            subject.zip as f64 / rust.zip as f64,
            median(subject.starts.clone()) / median(rust.starts.clone()),
            median(subject.memory.clone()) / median(rust.memory.clone()),
            median(subject.warm.clone()) / median(rust.warm.clone()),
        );
    }
}
