//! Verifies a deployed URL: repeats a check until it passes or clearly will not.

use std::convert::Infallible;
use std::time::Duration;

use http::Method;
use reqwest::Client;
use tokio::time::{Instant, sleep};

use super::fault::{Fault, Obstacle};
use super::judge::judge;
use super::observation::Seen;
use super::probe;
use crate::manifest::Check;

/// The pause after the first 403. It doubles each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often the wait is reported.
const TICK: Duration = Duration::from_millis(500);

/// Signs a request: takes its method, URL, headers and body, and returns the headers to add, or why it cannot be
/// signed.
pub type Sign<'a> =
    &'a (dyn Fn(&Method, &str, &[(String, String)], &[u8]) -> Result<Vec<(String, String)>, String> + Sync);

/// A deployed URL and the checks' requirements.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// `https://HOST/`, or `http://` for a local one.
    pub url: &'a str,
    pub check: &'a Check,
    /// Set if the URL accepts signed requests only.
    pub sign: Option<Sign<'a>>,
    /// Whether the function itself is known to stream.
    pub streams: bool,
    /// How long to retry a 403 or an unknown host name: new permissions and new names take a moment to spread.
    pub forbidden_for: Duration,
    /// The longest a single request may take, up to the last byte that the check needs.
    pub timeout: Duration,
}

/// Sends the check until it passes, and returns what was observed. `on_wait` gets the elapsed time, at least once a
/// second.
///
/// # Errors
/// The first fault that cannot go away by itself, or the last fault once `forbidden_for` is over.
pub async fn verify(target: &Target<'_>, on_wait: &(dyn Fn(Duration) + Sync)) -> Result<Seen, Fault> {
    let start = Instant::now();
    tokio::select! {
        result = ask_until_settled(target, start) => result,
        never = tick(start, on_wait) => match never {},
    }
}

async fn tick(start: Instant, on_wait: &(dyn Fn(Duration) + Sync)) -> Infallible {
    loop {
        sleep(TICK).await;
        on_wait(start.elapsed());
    }
}

async fn ask_until_settled(target: &Target<'_>, start: Instant) -> Result<Seen, Fault> {
    let client = probe::client(&probe::url(target.url, target.check)?)?;
    let mut pause = FIRST_PAUSE;
    let mut may_be_cold = true;
    loop {
        let fault = match ask(&client, target).await {
            Ok(seen) => return Ok(seen),
            Err(fault) => fault,
        };
        if matches!(fault, Fault::Late { .. }) && std::mem::take(&mut may_be_cold) {
            continue;
        }
        let left = mends_within(&fault, target).saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(told(fault, target, start.elapsed()));
        }
        sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Sends one request. Each attempt is signed again, because signatures expire.
async fn ask(client: &Client, target: &Target<'_>) -> Result<Seen, Fault> {
    let check = target.check;
    let (url, method) = (probe::url(target.url, check)?, probe::method(check)?);
    let body = check.revealed_body().as_bytes();
    let added = match target.sign {
        Some(sign) => sign(&method, url.as_str(), &check.revealed_headers(), body).map_err(Fault::NotSigned)?,
        None => Vec::new(),
    };
    let request = probe::request(url, method, check, &added)?;
    judge(check, &probe::observe(client, request, check, target.timeout).await?)
}

/// How long a healthy URL may keep answering like this: while its permissions and its name spread, and while streams
/// that the check stopped reading still occupy the function's concurrency.
fn mends_within(fault: &Fault, target: &Target<'_>) -> Duration {
    match fault {
        Fault::Forbidden { .. } => target.forbidden_for,
        Fault::Status { seen, .. } if seen.status == 403 => target.forbidden_for,
        Fault::Status { seen, .. } if seen.status == 429 => target.timeout,
        Fault::Unreachable { obstacle: Obstacle::Name, .. } if target.url.starts_with("https:") => target.forbidden_for,
        _ => Duration::ZERO,
    }
}

/// Adds to the fault what only the caller knows.
fn told(fault: Fault, target: &Target<'_>, elapsed: Duration) -> Fault {
    match fault {
        Fault::Forbidden { words, refusal, seen, .. } => {
            Fault::Forbidden { words, signed: target.sign.is_some(), tried_for: elapsed, refusal, seen }
        }
        Fault::Buffered { seen, .. } => Fault::Buffered { on_the_way: target.streams, seen },
        other => other,
    }
}
