//! Verifies a deployed URL: repeats a check until it passes or clearly will not.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use reqwest::Client;
use tokio::time::{Instant, sleep};

use super::fault::Fault;
use super::judge::judge;
use super::mcp::{Instance, Instances, McpProblem, NEW_INSTANCE, Sender, Sent, Stop, converse};
use super::observation::{Observation, Seen};
use super::obstacle::Obstacle;
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
    /// How a second instance of the function can be reached.
    pub instances: Instances,
    /// How long to retry a 403 or an unknown host name: new permissions and new names take a moment to spread.
    pub forbidden_for: Duration,
    /// The longest a single request may take, up to the last byte that the check needs.
    pub timeout: Duration,
}

/// What a URL may still lack after it was created or changed, and gets by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// AWS rejects requests: the permissions have not spread yet.
    Permissions,
    /// The response has status 403, which may be AWS's or the function's.
    Status403,
    /// The host name is unknown.
    Name,
    /// Other requests occupy the function's concurrency.
    Concurrency,
}

/// Sends the check until it passes, and returns what was observed. While a delay is waited out, `on_wait` gets it at least
/// once a second, with the time since it was first seen. A response that takes long is not a delay.
///
/// # Errors
/// The first fault that cannot go away by itself, or the last fault once `forbidden_for` is over.
pub async fn verify(target: &Target<'_>, on_wait: &(dyn Fn(Delay, Duration) + Sync)) -> Result<Seen, Fault> {
    let delay = Mutex::new(None);
    tokio::select! {
        result = ask_until_settled(target, &delay) => result,
        never = tick(&delay, on_wait) => match never {},
    }
}

/// The delay that is waited out, and when it was first seen.
type Waited = Mutex<Option<(Delay, Instant)>>;

async fn tick(delay: &Waited, on_wait: &(dyn Fn(Delay, Duration) + Sync)) -> Infallible {
    loop {
        sleep(TICK).await;
        let waited = *delay.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((delay, since)) = waited {
            on_wait(delay, since.elapsed());
        }
    }
}

async fn ask_until_settled(target: &Target<'_>, delay: &Waited) -> Result<Seen, Fault> {
    let start = Instant::now();
    let client = probe::client(&probe::url(target.url, target.check)?)?;
    let mut pause = FIRST_PAUSE;
    let mut may_be_cold = true;
    loop {
        let fault = match ask(&client, target).await {
            Ok(seen) => return Ok(seen),
            Err(fault) => fault,
        };
        if fault.may_be_cold() && std::mem::take(&mut may_be_cold) {
            continue;
        }
        let mends = mends_within(&fault, target);
        let left = mends.map(|(_, within)| within.saturating_sub(start.elapsed())).unwrap_or_default();
        let Some((seen, _)) = mends.filter(|_| !left.is_zero()) else {
            return Err(told(fault, target, start.elapsed()));
        };
        note(delay, seen);
        sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn note(delay: &Waited, seen: Delay) {
    let mut delay = delay.lock().unwrap_or_else(PoisonError::into_inner);
    if delay.is_none_or(|(known, _)| known != seen) {
        *delay = Some((seen, Instant::now()));
    }
}

/// Sends the check once: one request, or those of an MCP client.
async fn ask(client: &Client, target: &Target<'_>) -> Result<Seen, Fault> {
    let url = UrlSender { client, target };
    if !target.check.is_mcp() {
        return judge(target.check, &url.observe(target.check, Instance::Any).await?);
    }
    converse(target.check, target.instances, &url).await.map_err(|stop| match stop {
        Stop::Fault(fault) => *fault,
        Stop::Call(never) => match never {},
    })
}

/// Sends requests to a URL.
struct UrlSender<'a> {
    client: &'a Client,
    target: &'a Target<'a>,
}

impl UrlSender<'_> {
    /// Sends one request. Each attempt is signed again, because signatures expire.
    async fn observe(&self, check: &Check, to: Instance) -> Result<Observation, Fault> {
        let UrlSender { client, target } = self;
        let (url, method) = (probe::url(target.url, check)?, probe::method(check)?);
        let body = check.revealed_body().as_bytes();
        let mut added = match target.sign {
            Some(sign) => sign(&method, url.as_str(), &check.revealed_headers(), body).map_err(Fault::NotSigned)?,
            None => Vec::new(),
        };
        if to == Instance::New && target.instances.on_request() {
            let (name, value) = NEW_INSTANCE;
            added.push((name.to_owned(), value.to_owned()));
        }
        probe::observe(client, probe::request(url, method, check, &added)?, check, target.timeout).await
    }
}

impl Sender for UrlSender<'_> {
    type Error = Infallible;

    async fn send(&self, check: &Check, to: Instance) -> Result<Sent, Stop<Infallible>> {
        let observation = self.observe(check, to).await?;
        let (name, value) = NEW_INSTANCE;
        let by_new_instance = to == Instance::New && observation.head.values(name).any(|given| given == value);
        Ok(Sent { observation, by_new_instance })
    }
}

/// Why a healthy URL may answer like this, and for how long: while its permissions and its name spread, and while streams
/// that the check stopped reading still occupy the function's concurrency. `None` if it does not mend by itself.
fn mends_within(fault: &Fault, target: &Target<'_>) -> Option<(Delay, Duration)> {
    match fault {
        Fault::Forbidden { .. } => Some((Delay::Permissions, target.forbidden_for)),
        Fault::Status { seen, .. } | Fault::Mcp { problem: McpProblem::Status { .. }, seen, .. }
            if seen.status == 403 =>
        {
            Some((Delay::Status403, target.forbidden_for))
        }
        Fault::Status { seen, .. } | Fault::Mcp { problem: McpProblem::Status { .. }, seen, .. }
            if seen.status == 429 =>
        {
            Some((Delay::Concurrency, target.timeout))
        }
        Fault::Unreachable { obstacle: Obstacle::Name, .. } if target.url.starts_with("https:") => {
            Some((Delay::Name, target.forbidden_for))
        }
        _ => None,
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
