//! A single request by the user, and its response, chunk by chunk.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout};

use super::ask::Sign;
use super::fault::Fault;
use super::judge::judge;
use super::observation::{Ending, Observation, Seen};
use super::obstacle::Obstacle;
use super::probe;
use crate::manifest::{Check, Expect};

/// The request.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The deployed URL: `https://HOST/`, or `http://` for a local one.
    pub url: &'a str,
    /// Path and query.
    pub path: &'a str,
    pub method: &'a str,
    pub headers: &'a [(String, String)],
    pub body: Option<&'a [u8]>,
    /// Set if the URL accepts signed requests only.
    pub sign: Option<Sign<'a>>,
    /// The longest silence before the response and between two of its chunks.
    pub silence: Duration,
}

/// A request that was sent, and the response read so far.
pub struct Exchange {
    /// Keeps the connection open.
    _client: Client,
    response: Response,
    observation: Observation,
    start: Instant,
    silence: Duration,
    check: Check,
    signed: bool,
}

impl Exchange {
    /// Sends the request and reads the response's head.
    ///
    /// # Errors
    /// When the request is invalid, cannot be signed, or gets no response.
    pub async fn begin(question: &Question<'_>) -> Result<Exchange, Fault> {
        let check = Check {
            method: question.method.to_owned(),
            headers: question.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect(),
            body: None,
            expect: Expect::Success,
            streams: false,
            whole: true,
            ends_within: None,
            ..Check::default()
        };
        let url = format!("{}/{}", question.url.trim_end_matches('/'), question.path.trim_start_matches('/'));
        let wrong = |error| Fault::Unreachable { obstacle: Obstacle::Request, reason: format!("its URL: {error}") };
        let url = Url::parse(&url).map_err(wrong)?;
        let method = probe::method(&check)?;
        let body = question.body.unwrap_or_default();
        let added = match question.sign {
            Some(sign) => sign(&method, url.as_str(), question.headers, body).map_err(Fault::NotSigned)?,
            None => Vec::new(),
        };
        let client = probe::client(&url)?;
        let mut request = probe::request(url, method, &check, &added)?;
        if question.body.is_some() {
            *request.body_mut() = Some(body.to_vec().into());
        }
        let start = Instant::now();
        let response = match timeout(question.silence, client.execute(request)).await {
            Err(_) => return Err(Fault::Timeout { after: start.elapsed(), seen: None }),
            Ok(Err(error)) => return Err(probe::unreachable(&error)),
            Ok(Ok(response)) => response,
        };
        let observation = Observation::begin(&check, probe::head(&response), start.elapsed());
        let (silence, signed) = (question.silence, question.sign.is_some());
        Ok(Exchange { _client: client, response, observation, start, silence, check, signed })
    }

    /// The response's headers, in the order received. Bytes that are not text are replaced.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.observation.head.headers.clone()
    }

    /// The next chunk of the body, as the transport delivers it; `None` at the end, even if the body was cut off.
    pub async fn next(&mut self) -> Option<Bytes> {
        let ending = match timeout(self.silence, self.response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                self.observation.chunk(self.start.elapsed(), &chunk);
                return Some(chunk);
            }
            Ok(Ok(None)) => Ending::Complete,
            Ok(Err(error)) => Ending::Cut(probe::innermost(&error)),
            Err(_) => Ending::TimedOut,
        };
        self.observation.end(self.start.elapsed(), ending);
        None
    }

    /// Stops reading.
    pub fn stop(&mut self) {
        self.observation.end(self.start.elapsed(), Ending::Stopped);
    }

    /// The time since the request was sent.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// When the response's head arrived.
    pub fn head_at(&self) -> Duration {
        self.observation.headers_at
    }

    pub fn seen(&self) -> Seen {
        self.observation.seen()
    }

    /// Whether the response is a success: a status below 400, complete, and without an error reported by the runtime.
    ///
    /// # Errors
    /// The fault. Callers decide about `RawJson`: it is a correct answer of a URL that does not stream.
    pub fn verdict(&self) -> Result<Seen, Fault> {
        judge(&self.check, &self.observation).map_err(|fault| match fault {
            Fault::Forbidden { words, tried_for, refusal, seen, .. } => {
                Fault::Forbidden { words, signed: self.signed, tried_for, refusal, seen }
            }
            other => other,
        })
    }
}
