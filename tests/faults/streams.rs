//! Streams that are open while releases come and go: none fails, none is cut, none is of two releases.

use crate::scenario::{GOOD, package};
use crate::support::bench::{Bench, said};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How many streams are open at any moment.
const CLIENTS: usize = 20;
const DEPLOYS: usize = 20;
/// After so many deploys comes a rollback.
const ROLLBACK_AFTER: usize = 4;
/// A stream has one chunk more, and as many tenths of a second.
const PAUSES: usize = 10;

/// The code and the configuration of a release both differ from the one before. Only what is in use is kept, so that
/// versions are deleted while their last streams are open.
fn manifest(release: usize) -> String {
    format!(
        "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nkeep_releases = 1\nurl = {{ auth = 'none' }}\n\
         environment = {{ GREETING = '{release}', PAUSES = '{PAUSES}' }}\ncheck = {{ streams = true, whole = true }}\n"
    )
}

fn code(release: usize) -> &'static str {
    GOOD[release % GOOD.len()]
}

/// The whole stream of a release, which says in each chunk whose it is.
fn stream(release: usize) -> String {
    format!("code {}, greeting {release}\n", code(release)).repeat(PAUSES + 1)
}

fn deploy(bench: &Bench, release: usize) {
    bench.write("deploy.toml", &manifest(release));
    let output = bench.run(&["deploy", "--local", "--yes", &format!("--package={}", package(code(release)).display())]);
    assert!(output.status.success(), "release {release}: {}", said(&output));
}

/// One stream from its first byte to its last, over a connection of its own; gives whose it is.
async fn read(client: &reqwest::Client, url: &str) -> Result<usize, String> {
    let told = |error: reqwest::Error| format!("{error:?}");
    let answer = client.get(url).send().await.map_err(told)?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| format!("cut: {error:?}"))?;
    if status != 200 {
        return Err(format!("{status}: {body}"));
    }
    let whole = (0..=DEPLOYS).find(|release| body == stream(*release));
    whole.ok_or_else(|| format!("a stream of no release: {body:?}"))
}

/// Reads stream after stream until the end; gives how each went.
async fn keep_reading(client: reqwest::Client, url: String, end: &'static AtomicBool) -> Vec<Result<usize, String>> {
    let mut streams = Vec::new();
    while !end.load(Ordering::Relaxed) {
        streams.push(read(&client, &url).await);
    }
    streams
}

#[test]
fn streams_outlive_deploys_and_rollbacks() {
    static END: AtomicBool = AtomicBool::new(false);
    let bench = Bench::new("");
    deploy(&bench, 0);
    let url = bench.good(&["url", "--local"]).trim().to_owned();
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).tls_certs_only([]);
    let client = client.timeout(Duration::from_secs(60)).build().unwrap();
    let runtime = Runtime::new().unwrap();
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| runtime.spawn(keep_reading(client.clone(), url.clone(), &END))).collect();

    let mut rollbacks = 0;
    let serves = |release| assert_eq!(runtime.block_on(read(&client, &url)), Ok(release));
    for release in 1..=DEPLOYS {
        deploy(&bench, release);
        serves(release);
        if release % ROLLBACK_AFTER == 0 {
            bench.good(&["rollback", "--local", "--yes"]);
            serves(release - 1);
            rollbacks += 1;
        }
    }
    END.store(true, Ordering::Relaxed);

    let streams: Vec<_> = clients.into_iter().flat_map(|client| runtime.block_on(client).unwrap()).collect();
    let (whole, failed): (Vec<_>, Vec<_>) = streams.into_iter().partition(Result::is_ok);
    let (read, failures) = (whole.len(), failed.len());
    crate::say(&format!(
        "{CLIENTS} streams always open: {read} read whole, {failures} failed, over {DEPLOYS} deploys and {rollbacks} rollbacks"
    ));
    assert!(failed.is_empty(), "{failed:?}");
    let seen: BTreeSet<usize> = whole.into_iter().flatten().collect();
    assert_eq!(seen, (0..=DEPLOYS).collect(), "a release was live but served no request");
}
