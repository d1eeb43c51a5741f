//! How fast a stream comes through a local Function URL, beside a bare hyper server and `cargo lambda watch`, and how many
//! streams at once. One program plays every part, so that all send the same bytes: see `main`.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

mod bare;
mod bytes;
mod cloud;
mod function;
mod machine;
mod measure;
mod relay;
#[path = "../../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod support;
mod watch;

use measure::{Figures, Stream};

/// One measured server: what it is called, and where it answers.
struct Subject {
    name: &'static str,
    url: String,
}

/// Warm requests for the first byte, in each of the rounds.
const REQUESTS: usize = 100;
const ROUNDS: usize = 7;
/// The long stream.
const LENGTH: u64 = 100 * 1024 * 1024;
/// Its chunks, in bytes.
const CHUNK: u64 = 64 * 1024;
/// Other chunks, from tokens to files.
const CHUNKS: [u64; 4] = [256, 1024, 8 * 1024, 1024 * 1024];

fn main() {
    let part = std::env::args().nth(1).unwrap_or_default();
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return function::run();
    }
    machine::ask_for_descriptors();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match part.as_str() {
        "cloud" => runtime.block_on(cloud::serve(std::env::args().nth(2).unwrap())),
        "bare" => runtime.block_on(bare::serve()),
        "relay" => relay::serve(&std::env::args().nth(2).unwrap()),
        _ => runtime.block_on(bench()),
    }
}

async fn bench() {
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
    compare(&subjects).await;
    sweep(&subjects).await;
    println!("\nlocal cloud's memory: {before} before, {} after, {} at most", cloud.memory(), cloud.peak());
    crowds(&cloud, &bare).await;
    println!("\nload {}", machine::load());
}

/// In turns, so that what else the machine does falls on all alike.
async fn compare(subjects: &[Subject]) {
    let mut figures: Vec<Figures> = subjects.iter().map(|_| Figures::default()).collect();
    for _ in 0..ROUNDS {
        for (subject, figures) in subjects.iter().zip(&mut figures) {
            figures.first_bytes.push(measure::first_bytes(&subject.url, REQUESTS).await);
            figures.rates.push(measure::rate(&subject.url, LENGTH, CHUNK).await);
        }
    }
    println!("{:<20} {:>10} {:>10} {:>10} {:>12}", "", "first byte", "p90", "MB/s", "MB/s to bare");
    let bare = &figures[0];
    for (subject, figures) in subjects.iter().zip(&figures) {
        let (median, late) = (figures.first_byte(50), figures.first_byte(90));
        let rate = figures.rate();
        println!("{:<20} {median:>7.3} ms {late:>7.3} ms {rate:>10.0} {:>12.2}", subject.name, figures.times(bare));
    }
    let cloud = &figures[1];
    let later = cloud.first_byte(50) - bare.first_byte(50);
    println!();
    bar("first byte within 1 ms of the bare server's", later <= 1.0, &format!("{later:.3} ms later"));
    let times = cloud.times(bare);
    bar("at least half the bare server's rate", times >= 0.5, &format!("{times:.2} of it"));
    if let Some(watch) = figures.get(3) {
        println!("the relay, which only copies: {:.2} times watch's rate", figures[2].times(watch));
        let times = cloud.times(watch);
        bar("at least twice watch's rate", times >= 2.0, &format!("{times:.2} times it"));
    }
}

/// The long stream in other chunks, in turns too.
async fn sweep(subjects: &[Subject]) {
    print!("\nMB/s in chunks of");
    for size in CHUNKS {
        print!(" {:>16}", format!("{size} B"));
    }
    println!();
    let mut figures: Vec<Vec<Figures>> = subjects.iter().map(|_| CHUNKS.map(|_| Figures::default()).into()).collect();
    for _ in 0..ROUNDS {
        for (at, size) in CHUNKS.into_iter().enumerate() {
            for (subject, figures) in subjects.iter().zip(&mut figures) {
                figures[at].rates.push(measure::rate(&subject.url, LENGTH, size).await);
            }
        }
    }
    for (subject, figures) in subjects.iter().zip(&figures) {
        print!("{:<17}", subject.name);
        for figures in figures {
            print!(" {:>16.0}", figures.rate());
        }
        println!();
    }
    for (name, other) in [("bare", 0), ("watch", 3)].into_iter().filter(|(_, other)| *other < figures.len()) {
        print!("{:<17}", format!("cloud to {name}"));
        for (own, other) in figures[1].iter().zip(&figures[other]) {
            print!(" {:>16.2}", own.times(other));
        }
        println!();
    }
}

async fn crowds(cloud: &cloud::Cloud, bare: &machine::Process) {
    println!(
        "\nstreams of {} chunks, one each {} ms, {:.2} s long if nothing is late",
        Stream::PACED.count,
        Stream::PACED.pause,
        Stream::PACED.seconds()
    );
    println!(
        "{:<14} {:>6} {:>9} {:>19} {:>12} {:>12}",
        "at once", "lost", "all done", "slowest first byte", "memory after", "at most"
    );
    let mut lost = 0;
    let mut memory = Vec::new();
    for (count, kind) in [(1, ""), (100, ""), (1000, "cold"), (1000, "warm"), (1000, "warm"), (1000, "warm")] {
        cloud.forget_peak();
        let crowd = measure::crowd(&cloud.url, count).await;
        let (after, peak) = (cloud.memory(), cloud.peak());
        println!(
            "{:<14} {:>6} {:>7.2} s {:>17.3} s {after:>12} {peak:>12}",
            format!("{count} {kind}"),
            crowd.lost,
            crowd.total.as_secs_f64(),
            crowd.slowest.as_secs_f64()
        );
        if let Some(why) = crowd.why {
            println!("    of the lost: {why}");
        }
        lost += crowd.lost;
        if kind == "warm" {
            memory.push(after.0 as f64);
        }
    }
    let crowd = measure::crowd(&bare.url, 1000).await;
    let (total, slowest) = (crowd.total.as_secs_f64(), crowd.slowest.as_secs_f64());
    println!("{:<14} {:>6} {total:>7.2} s {slowest:>17.3} s", "1000 on bare", crowd.lost);
    println!();
    bar("no stream lost", lost == 0, &format!("{lost} lost"));
    let growth = memory[memory.len() - 1] / memory[0];
    bar("memory flat from one thousand to the next", growth <= 1.1, &format!("{growth:.2} times"));
}

fn bar(what: &str, holds: bool, seen: &str) {
    println!("{} {what}: {seen}", if holds { "holds" } else { "FAILS" });
}
