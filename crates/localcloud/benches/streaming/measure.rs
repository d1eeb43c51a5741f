//! What is measured: first bytes, rates, crowds.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client;

/// A stream to ask for.
pub(crate) struct Stream {
    pub count: u64,
    pub size: u64,
    /// Milliseconds between two chunks.
    pub pause: u64,
}

impl Stream {
    /// What each of a crowd asks for.
    pub(crate) const PACED: Self = Self { count: 8, size: 64, pause: 250 };

    pub(crate) fn seconds(&self) -> f64 {
        (self.count - 1) as f64 * self.pause as f64 / 1000.0
    }

    fn at(&self, url: &str) -> String {
        format!("{url}?count={}&size={}&pause={}", self.count, self.size, self.pause)
    }
}

/// Of one server, round by round.
#[derive(Default)]
pub(crate) struct Figures {
    pub first_bytes: Vec<Vec<Duration>>,
    /// MB/s, or requests per second.
    pub rates: Vec<f64>,
}

impl Figures {
    /// In milliseconds, over all rounds.
    pub(crate) fn first_byte(&self, percent: usize) -> f64 {
        let mut all: Vec<Duration> = self.first_bytes.concat();
        all.sort();
        all[(all.len() * percent / 100).min(all.len() - 1)].as_secs_f64() * 1000.0
    }

    /// The median round's.
    pub(crate) fn rate(&self) -> f64 {
        median(self.rates.clone())
    }

    /// How many times the other's rate: the median of the rounds, in each of which both met the same machine.
    pub(crate) fn times(&self, other: &Self) -> f64 {
        median(self.rates.iter().zip(&other.rates).map(|(own, other)| own / other).collect())
    }
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// From sending a request to the first byte of its body, one request after the other on one connection.
pub(crate) async fn first_bytes(url: &str, count: usize) -> Vec<Duration> {
    let client = client();
    let url = Stream { count: 1, size: 16, pause: 0 }.at(url);
    let mut all = Vec::new();
    // The first one opens the connection.
    for number in 0..=count {
        let begun = Instant::now();
        let mut body = client.get(&url).send().await.unwrap().error_for_status().unwrap().bytes_stream();
        body.next().await.unwrap().unwrap();
        if number > 0 {
            all.push(begun.elapsed());
        }
        while let Some(rest) = body.next().await {
            rest.unwrap();
        }
    }
    all
}

/// MB/s of one long stream in chunks of some bytes, from the request to the last byte. The client only reads, on a thread
/// of its own: one that does more takes the cores from what is measured.
pub(crate) async fn rate(url: &str, length: u64, size: u64) -> f64 {
    let count = length / size;
    let url = Stream { count, size, pause: 0 }.at(url);
    let (got, elapsed) = tokio::task::spawn_blocking(move || read(&url)).await.unwrap().unwrap();
    // The head, and what frames the chunks.
    assert!(got >= length && got < length + length / 500 + count * 16, "{got} bytes");
    length as f64 / 1024.0 / 1024.0 / elapsed.as_secs_f64()
}

fn read(url: &str) -> std::io::Result<(u64, Duration)> {
    let (host, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).unwrap();
    let mut buffer = vec![0; 256 * 1024];
    let begun = Instant::now();
    let mut socket = std::net::TcpStream::connect(host)?;
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut got = 0;
    loop {
        let count = socket.read(&mut buffer)?;
        if count == 0 {
            return Ok((got, begun.elapsed()));
        }
        assert!(got > 0 || buffer.starts_with(b"HTTP/1.1 200"), "no answer");
        got += count as u64;
    }
}

/// Requests per second over a number of connections, each of which sends the next request when the last is answered. The
/// client only looks for the end of an answer, so that the cores are left to what is measured.
pub(crate) async fn requests_per_second(url: &str, connections: usize, lasting: Duration) -> f64 {
    let url = Stream { count: 1, size: 16, pause: 0 }.at(url);
    let (host, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).unwrap();
    let request: Arc<str> = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into();
    let begun = Instant::now();
    let all = (0..connections).map(|_| tokio::spawn(ask_until(host.to_owned(), request.clone(), begun + lasting)));
    let answers: usize = join_all(all).await.into_iter().map(|one| one.unwrap().unwrap()).sum();
    answers as f64 / begun.elapsed().as_secs_f64()
}

async fn ask_until(host: String, request: Arc<str>, end: Instant) -> std::io::Result<usize> {
    let mut socket = tokio::net::TcpStream::connect(host).await?;
    socket.set_nodelay(true)?;
    let mut answer = Vec::new();
    let mut count = 0;
    while Instant::now() < end {
        socket.write_all(request.as_bytes()).await?;
        answer.clear();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            assert!(socket.read_buf(&mut answer).await? > 0, "the connection ended");
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        count += 1;
    }
    Ok(count)
}

/// Cold starts at once, each on a connection of its own: from the first request to the last first byte, and how many of
/// them failed.
pub(crate) async fn cold_starts(url: &str, count: usize) -> (Duration, usize) {
    let client = client();
    let url = Stream { count: 1, size: 16, pause: 0 }.at(url);
    let begun = Instant::now();
    let all = (0..count).map(|_| tokio::spawn(cold_start(client.clone(), url.clone())));
    let all = join_all(all).await;
    let failed = all.iter().filter(|one| !matches!(one, Ok(true))).count();
    (begun.elapsed(), failed)
}

/// One cold start: asks for an instance that no request has used, and reads the answer.
async fn cold_start(client: reqwest::Client, url: String) -> bool {
    let answer = client.get(url).header("x-localcloud-instance", "new").send().await;
    let Ok(answer) = answer.and_then(reqwest::Response::error_for_status) else { return false };
    answer.headers().get("x-localcloud-instance").is_some_and(|value| value == "new") && answer.bytes().await.is_ok()
}

/// How many streams at once went.
pub(crate) struct Crowd {
    pub lost: usize,
    pub total: Duration,
    pub slowest: Duration,
    /// What one of the lost met.
    pub why: Option<String>,
}

/// Paced streams, all begun at once, each on a connection of its own.
pub(crate) async fn crowd(url: &str, count: usize) -> Crowd {
    let client = client();
    let url = Stream::PACED.at(url);
    let begun = Instant::now();
    let all = (0..count).map(|_| tokio::spawn(one(client.clone(), url.clone())));
    let all: Vec<Result<Duration, String>> = join_all(all).await.into_iter().map(Result::unwrap).collect();
    Crowd {
        total: begun.elapsed(),
        lost: all.iter().filter(|one| one.is_err()).count(),
        slowest: all.iter().filter_map(|one| one.as_ref().ok()).max().copied().unwrap_or_default(),
        why: all.into_iter().find_map(Result::err),
    }
}

async fn one(client: reqwest::Client, url: String) -> Result<Duration, String> {
    let begun = Instant::now();
    let answer = client.get(url).send().await.map_err(|error| format!("{error:?}"))?;
    if !answer.status().is_success() {
        return Err(format!("{} {}", answer.status(), answer.text().await.unwrap_or_default()));
    }
    let mut body = answer.bytes_stream();
    let mut first = None;
    let mut got = 0;
    while let Some(bytes) = body.next().await {
        got += bytes.map_err(|error| format!("after {got} bytes: {error:?}"))?.len() as u64;
        first.get_or_insert_with(|| begun.elapsed());
    }
    let wanted = Stream::PACED.count * Stream::PACED.size;
    first.filter(|_| got == wanted).ok_or_else(|| format!("{got} bytes of {wanted}"))
}
