//! What docs/aws.md says about AWS, and what lamstream does there, checked against an AWS account, or against the local
//! cloud.
//!
//! `cargo test --test live` uses a local cloud of its own. `LAMSTREAM_LIVE=ACCOUNT cargo test --test live` uses the AWS
//! account of that number, if the credentials belong to it. docs/aws.md has what that costs.

#[path = "../support/mod.rs"]
mod support;

mod documented;
mod facts;
mod interrupted;
mod live;
mod permissions;
mod place;
mod report;
mod story;
mod sweep;

use facts::Asked;
use place::Place;
use report::{Report, Verdict};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// After this time the run destroys what it has made, and ends.
const LONGEST: Duration = Duration::from_secs(45 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_is_as_docs_aws_md_says() {
    let mut place = match Place::open().await {
        Ok(place) => place,
        Err(error) => panic!("{error:#}"),
    };
    let report = Report::new(&place);
    report.progress(&format!("begins: {}", place.app));
    let began = Instant::now();
    let swept = place.sweep().await;
    report.step("sweep what earlier runs left", began, swept.map(drop));
    let ended = tokio::select! {
        told = story::tell(&place, &report) => told.map_err(|error| format!("{error:#}")),
        why = interruption(&place) => Err(why),
    };
    let began = Instant::now();
    report.step("destroy", began, place.clean().await);
    let began = Instant::now();
    report.step("nothing is left", began, nothing_left(&place).await);
    let text = report.markdown();
    let file = report_file(&place);
    std::fs::write(&file, &text).expect("the report is written");
    if place.is_live {
        // The test harness would keep what a macro prints, if the test succeeds.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
    let mut problems = report.problems();
    problems.extend(ended.err());
    if !place.is_live {
        // What the local cloud models, it must be asked, and what it does not, it must not.
        for fact in facts::all() {
            let expected = if fact.asked == Asked::Everywhere { Verdict::Holds } else { Verdict::NotAsked };
            let found = report.verdict(fact.id);
            if found != Some(expected) {
                problems.push(format!("{}: {found:?} instead of {expected:?}", fact.id));
            }
        }
    }
    assert!(problems.is_empty(), "the whole report is in {}\n{}", file.display(), problems.join("\n"));
}

fn report_file(place: &Place) -> PathBuf {
    let name = if place.is_live { "live.md" } else { "live-local.md" };
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::env::var_os(place::REPORT).map_or_else(usual, PathBuf::from)
}

async fn nothing_left(place: &Place) -> anyhow::Result<()> {
    let left = place.left().await?;
    anyhow::ensure!(left.is_empty(), "{}", left.join(", "));
    Ok(())
}

/// Waits for a signal or the time limit, and then until lamstream's call in flight has ended.
async fn interruption(place: &Place) -> String {
    let mut interrupt = signal(SignalKind::interrupt()).expect("a handler");
    let mut terminate = signal(SignalKind::terminate()).expect("a handler");
    let why = tokio::select! {
        _ = interrupt.recv() => "interrupted",
        _ = terminate.recv() => "terminated",
        () = tokio::time::sleep(LONGEST) => "stopped after 45 minutes",
    };
    let _ = writeln!(std::io::stderr(), "{why}: destroying what was deployed");
    place.end_running().await;
    why.to_owned()
}
