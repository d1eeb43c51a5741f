//! How fast a stream comes through a local Function URL, beside a bare hyper server, a relay that only copies, and
//! `cargo lambda watch`; how many streams, requests and cold starts at once. One program plays every part, so that all send
//! the same bytes: see `main`.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

mod bare;
mod bytes;
mod cloud;
mod function;
mod machine;
mod measure;
#[path = "../../../../tests/support/python.rs"]
#[expect(dead_code, clippy::print_stderr, reason = "the tests need more of it")]
mod python;
mod relay;
#[path = "../../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod support;
mod table;
mod watch;

use std::time::Duration;

use cloud::Cloud;
use measure::{Figures, Stream};
use table::{bar, row};

/// One measured server: what it is called, and where it answers.
struct Subject {
    name: &'static str,
    url: String,
}

/// Their places.
const BARE: usize = 0;
const CLOUD: usize = 1;
const WATCH: usize = 3;

/// Warm requests for the first byte, in each of the rounds.
const REQUESTS: usize = 100;
const ROUNDS: usize = 7;
/// The long stream, and its chunks, from tokens to files, in bytes.
const LENGTH: u64 = 100 * 1024 * 1024;
const CHUNKS: [u64; 5] = [256, 1024, 8 * 1024, 64 * 1024, 1024 * 1024];
/// Connections that send one request after the other, how long, and how often.
const CONNECTIONS: [usize; 2] = [1, 64];
const LASTING: Duration = Duration::from_secs(2);
const TURNS: usize = 3;
/// Cold starts one after the other, and at once.
const SINGLE: usize = 20;
const AT_ONCE: usize = 1000;

fn main() {
    let part = std::env::args().nth(1).unwrap_or_default();
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return function::run();
    }
    machine::ask_for_descriptors();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if part == "cloud" {
        // As `lamstream local run` does.
        builder.worker_threads(localcloud::worker_threads());
    }
    let runtime = builder.enable_all().build().unwrap();
    match part.as_str() {
        "cloud" => runtime.block_on(cloud::serve(std::env::args().nth(2).unwrap())),
        "bare" => runtime.block_on(bare::serve()),
        "relay" => relay::serve(&std::env::args().nth(2).unwrap()),
        // Without `--bench`, the arguments are the parts to measure.
        _ => runtime.block_on(bench(std::env::args().skip(1).filter(|part| part != "--bench").collect())),
    }
}

async fn bench(parts: Vec<String>) {
    let wants = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    println!("{}\nload {}\n", machine::describe(), machine::load());
    let bare = bare::start();
    let relay = relay::start(&bare);
    let cloud = cloud::start().await;
    let watch = watch::start().await;
    let mut subjects = vec![
        Subject { name: "bare hyper", url: bare.url.clone() },
        Subject { name: "local cloud", url: cloud.url.clone() },
        Subject { name: "plain relay", url: relay.url.clone() },
    ];
    match &watch {
        Ok(watch) => subjects.push(Subject { name: "cargo lambda watch", url: watch.url.clone() }),
        Err(why) => println!("without `cargo lambda watch`: {why}\n"),
    }
    for subject in &subjects {
        // The first requests start processes and open connections.
        measure::first_bytes(&subject.url, 20).await;
    }
    let before = cloud.memory();
    if wants("first") {
        first_bytes(&subjects).await;
    }
    if wants("chunks") {
        chunks(&subjects).await;
    }
    if wants("processor") {
        processor(&cloud).await;
    }
    println!("\nlocal cloud's memory: {before} before, {} after, {} at most", cloud.memory(), cloud.peak());
    if wants("requests") {
        requests(&subjects).await;
    }
    if wants("cold") {
        cold_starts().await;
    }
    if wants("crowds") {
        crowds(&cloud, &bare).await;
    }
    println!("\nload {}", machine::load());
}

/// In turns, so that what else the machine does falls on all alike.
async fn first_bytes(subjects: &[Subject]) {
    let mut figures: Vec<Figures> = subjects.iter().map(|_| Figures::default()).collect();
    for _ in 0..ROUNDS {
        for (subject, figures) in subjects.iter().zip(&mut figures) {
            figures.first_bytes.push(measure::first_bytes(&subject.url, REQUESTS).await);
        }
    }
    row("first byte, ms", ["median", "p90", "p99", "after bare"]);
    let bare = figures[BARE].first_byte(50);
    for (subject, figures) in subjects.iter().zip(&figures) {
        let at = |percent| figures.first_byte(percent);
        row(subject.name, [at(50), at(90), at(99), at(50) - bare].map(|time| format!("{time:.3}")));
    }
    let later = figures[CLOUD].first_byte(50) - bare;
    bar("first byte within 0.5 ms of the bare server's", later <= 0.5, &format!("{later:.3} ms later"));
}

/// The long stream in chunks of each size, in turns too.
async fn chunks(subjects: &[Subject]) {
    let mut figures: Vec<Vec<Figures>> = subjects.iter().map(|_| CHUNKS.map(|_| Figures::default()).into()).collect();
    for _ in 0..ROUNDS {
        for (at, size) in CHUNKS.into_iter().enumerate() {
            for (subject, figures) in subjects.iter().zip(&mut figures) {
                figures[at].rates.push(measure::rate(&subject.url, LENGTH, size).await);
            }
        }
    }
    rates("MB/s, chunks of", CHUNKS.map(|size| format!("{size} B")), subjects, &figures);
    let Some(watch) = figures.get(WATCH) else { return };
    let least = figures[CLOUD].iter().zip(watch).map(|(own, other)| own.times(other)).fold(f64::MAX, f64::min);
    bar("at least 1.2 times watch's rate at every size", least >= 1.2, &format!("{least:.2} times at the least"));
}

/// The rates of all subjects, and how many times that of two others the local cloud's and the relay's are.
fn rates<const N: usize>(title: &str, of: [String; N], subjects: &[Subject], figures: &[Vec<Figures>]) {
    row(title, of);
    for (subject, figures) in subjects.iter().zip(figures) {
        row(subject.name, figures.iter().map(|figures| format!("{:.0}", figures.rate())));
    }
    for (own, other) in [(CLOUD, BARE), (CLOUD, WATCH), (2, BARE), (2, WATCH)] {
        let Some(beside) = figures.get(other) else { continue };
        let times = figures[own].iter().zip(beside).map(|(own, other)| format!("{:.2}", own.times(other)));
        row(&format!("{} / {}", subjects[own].name, subjects[other].name), times);
    }
}

/// What the smallest chunks cost the local cloud, and the function itself.
async fn processor(cloud: &Cloud) {
    let (mut own, mut function) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = cloud.times();
        measure::rate(&cloud.url, LENGTH, CHUNKS[0]).await;
        let after = cloud.times();
        own.push((after.0 - before.0).as_secs_f64());
        function.push((after.1 - before.1).as_secs_f64());
    }
    let shares = own.iter().zip(&function).map(|(own, function)| own / function).collect();
    let (own, function, share) = (measure::median(own), measure::median(function), measure::median(shares));
    row("processor time, s", ["cloud", "function", "ratio"]);
    row(&format!("100 MB, {} B", CHUNKS[0]), [own, function, share].map(|figure| format!("{figure:.2}")));
    bar("small chunks cost it no more than the function", share <= 1.0, &format!("{share:.2} times"));
}

async fn requests(subjects: &[Subject]) {
    let mut figures: Vec<Vec<Figures>> =
        subjects.iter().map(|_| CONNECTIONS.map(|_| Figures::default()).into()).collect();
    // The first turn starts the instances.
    for turn in 0..=TURNS {
        for (at, connections) in CONNECTIONS.into_iter().enumerate() {
            for (subject, figures) in subjects.iter().zip(&mut figures) {
                let rate = measure::requests_per_second(&subject.url, connections, LASTING).await;
                figures[at].rates.extend((turn > 0).then_some(rate));
            }
        }
    }
    rates("requests/s, connections", CONNECTIONS.map(|count| count.to_string()), subjects, &figures);
}

/// Each time on a cloud that has just been started, as its own instances would be in the way.
async fn cold_starts() {
    let (mut single, mut together, mut lost) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TURNS {
        let cloud = cloud::start().await;
        for _ in 0..SINGLE {
            let (took, failed) = measure::cold_starts(&cloud.url, 1).await;
            single.push(took.as_secs_f64() * 1000.0);
            lost += failed;
        }
        let (took, failed) = measure::cold_starts(&cloud.url, AT_ONCE).await;
        together.push(took.as_secs_f64());
        lost += failed;
    }
    let slowest = together.iter().copied().fold(0.0, f64::max);
    let all: Vec<String> = together.iter().map(|took| format!("{took:.2} s")).collect();
    row("cold starts", ["one, median".to_owned(), format!("{AT_ONCE} at once")]);
    row("local cloud", [format!("{:.1} ms", measure::median(single)), all.join(", ")]);
    bar("a thousand cold starts in less than 3 s", slowest < 3.0 && lost == 0, &format!("{slowest:.2} s, {lost} lost"));
}

async fn crowds(cloud: &Cloud, bare: &machine::Process) {
    let Stream { count, pause, .. } = Stream::PACED;
    println!(
        "\nstreams of {count} chunks, one each {pause} ms, {:.2} s long if nothing is late",
        Stream::PACED.seconds()
    );
    row("streams at once", ["lost", "all done", "slowest first", "memory after", "at most"]);
    let mut lost = 0;
    let mut memory = Vec::new();
    let runs = [(1, ""), (100, ""), (1000, "cold"), (1000, "warm"), (1000, "warm"), (1000, "warm"), (3000, "cold")];
    for (count, kind) in runs {
        cloud.forget_peak();
        let crowd = measure::crowd(&cloud.url, count).await;
        let (after, peak) = (cloud.memory(), cloud.peak());
        crowd_row(&format!("{count} {kind}"), &crowd, [after.to_string(), peak.to_string()]);
        lost += crowd.lost;
        if kind == "warm" {
            memory.push(after.0 as f64);
        }
    }
    crowd_row("1000 on bare", &measure::crowd(&bare.url, 1000).await, []);
    bar("no stream lost", lost == 0, &format!("{lost} lost"));
    let growth = memory[memory.len() - 1] / memory[0];
    bar("memory flat from one thousand to the next", growth <= 1.1, &format!("{growth:.2} times"));
}

fn crowd_row<const N: usize>(name: &str, crowd: &measure::Crowd, memory: [String; N]) {
    let (total, slowest) = (crowd.total.as_secs_f64(), crowd.slowest.as_secs_f64());
    let times = [crowd.lost.to_string(), format!("{total:.2} s"), format!("{slowest:.3} s")];
    row(name, times.into_iter().chain(memory));
    if let Some(why) = &crowd.why {
        println!("    of the lost: {why}");
    }
}
