//! Asks a deployed URL until it answers as it should, or clearly will not.

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

/// The pause after the first 403; it doubles from one to the next, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often the caller hears that this is still going on.
const TICK: Duration = Duration::from_millis(500);

/// Signs a request: method, URL, headers and body in, headers to add out. The error says why it cannot.
pub type Sign<'a> =
    &'a (dyn Fn(&Method, &str, &[(String, String)], &[u8]) -> Result<Vec<(String, String)>, String> + Sync);

/// A deployed URL and what is demanded of it.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// `https://HOST/`, or `http://` for a local one.
    pub url: &'a str,
    pub check: &'a Check,
    /// For URLs that only answer signed requests.
    pub sign: Option<Sign<'a>>,
    /// Whether the function itself was seen to stream.
    pub streams: bool,
    /// How long a 403 is tried again, and a host name that is not known yet: both take a moment to spread.
    pub forbidden_for: Duration,
    /// The longest that one request may take, to the end of its answer as far as the check wants it.
    pub timeout: Duration,
}

/// Asks the URL, and says what was seen. `on_wait` gets the time that has passed, at least once a second.
///
/// # Errors
/// The first fault that waiting will not mend, or the last one when `forbidden_for` is over.
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

/// One request, signed each time because signatures expire.
async fn ask(client: &Client, target: &Target<'_>) -> Result<Seen, Fault> {
    let check = target.check;
    let (url, method) = (probe::url(target.url, check)?, probe::method(check)?);
    let body = check.revealed_body().as_bytes();
    let added = match target.sign {
        Some(sign) => sign(&method, url.as_str(), &check.revealed_headers(), body).map_err(Fault::Sign)?,
        None => Vec::new(),
    };
    let request = probe::request(url, method, check, &added)?;
    judge(check, &probe::observe(client, request, check, target.timeout).await?)
}

/// For how long this may be what a URL answers although nothing is wrong: while permissions and its name are still
/// spreading, and while the streams that were left after enough was seen go on and fill the function's concurrency.
fn mends_within(fault: &Fault, target: &Target<'_>) -> Duration {
    match fault {
        Fault::Forbidden { .. } => target.forbidden_for,
        Fault::Status { seen, .. } if seen.status == 403 => target.forbidden_for,
        Fault::Status { seen, .. } if seen.status == 429 => target.timeout,
        Fault::Unreachable { obstacle: Obstacle::Name, .. } if target.url.starts_with("https:") => target.forbidden_for,
        _ => Duration::ZERO,
    }
}

/// Adds what only the one who asked knows.
fn told(fault: Fault, target: &Target<'_>, elapsed: Duration) -> Fault {
    match fault {
        Fault::Forbidden { words, refusal, seen, .. } => {
            Fault::Forbidden { words, signed: target.sign.is_some(), tried_for: elapsed, refusal, seen }
        }
        Fault::Buffered { seen, .. } => Fault::Buffered { on_the_way: target.streams, seen },
        other => other,
    }
}
