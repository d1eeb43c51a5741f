//! A function that answers as the request's path says. It speaks the Runtime API itself, without a library, so that it can
//! answer byte by byte, and fail in every way.
//!
//! `PROBE_MODE=buffered` answers with JSON, as a function behind a `BUFFERED` URL does. `PROBE_BROKEN` makes every request
//! to the URL fail, except the checks that lamstream sends to a version.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

const STREAMING: &str = "Lambda-Runtime-Function-Response-Mode: streaming\r\n\
    Content-Type: application/vnd.awslambda.http-integration-response\r\n";
const END_OF_PRELUDE: &[u8] = &[0; 8];

fn main() -> io::Result<()> {
    loop {
        let (request, event) = next()?;
        let answered = answer(
            &Invocation { request, buffered: env::var("PROBE_MODE").is_ok_and(|mode| mode == "buffered") },
            &event,
        );
        if let Err(error) = answered {
            println!("the response was not accepted: {error}");
        }
    }
}

struct Invocation {
    request: String,
    buffered: bool,
}

fn answer(invocation: &Invocation, event: &str) -> io::Result<()> {
    let path = member(event, "rawPath").unwrap_or_else(|| "/".to_owned());
    let is_trial = member(event, "requestId").is_some_and(|id| id.starts_with("lamstream-check-"));
    if env::var_os("PROBE_BROKEN").is_some() && !is_trial {
        return invocation.whole(500, "", b"broken on purpose\n");
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let number = |nth: usize| parts.get(nth).and_then(|part| part.parse::<u64>().ok()).unwrap_or_default();
    match parts[0] {
        "event" => invocation.whole(200, "", event.as_bytes()),
        "json" => invocation.buffered(200, "", "raw"),
        "fail" => invocation.fail(),
        "headers" => {
            let headers = r#""www-authenticate":"Basic","date":"Thu, 01 Jan 1970 00:00:00 GMT","x-plain":"kept""#;
            invocation.whole(200, headers, b"headers\n")
        }
        "remapped" => invocation.whole(200, r#""x-amzn-remapped-test":"1""#, b"remapped\n"),
        "cors" => invocation.whole(200, r#""access-control-allow-origin":"https://example.com""#, b"cors\n"),
        "status" => invocation.whole(number(1) as u16, "", b""),
        "bytes" => invocation.bytes(number(1)),
        "split" => invocation.split(),
        "slow" => invocation.slow(number(1), parts.get(2).copied().unwrap_or_default()),
        "print" => {
            println!("{}", "p".repeat(number(1) as usize));
            invocation.whole(200, "", b"printed\n")
        }
        "files" => invocation.whole(200, "", files().as_bytes()),
        "libc" => invocation.whole(200, "", libc().as_bytes()),
        _ => invocation.whole(200, "", b"ok\n"),
    }
}

impl Invocation {
    /// The whole answer, in the mode of the function's URL. `headers` are members of a JSON object.
    fn whole(&self, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
        if self.buffered {
            return self.buffered(status, headers, &String::from_utf8_lossy(body));
        }
        let mut stream = self.stream()?;
        stream.chunk(prelude(status, headers).as_bytes())?;
        stream.chunk(END_OF_PRELUDE)?;
        stream.chunk(body)?;
        stream.end()
    }

    fn buffered(&self, status: u16, headers: &str, body: &str) -> io::Result<()> {
        let body = quoted(body);
        let json = format!("{{\"statusCode\":{status},\"headers\":{{{headers}}},\"body\":{body}}}");
        self.post("response", "Content-Type: application/json\r\n", json.as_bytes())
    }

    fn fail(&self) -> io::Result<()> {
        let error = br#"{"errorType":"Probe","errorMessage":"failed on purpose"}"#;
        self.post("error", "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: Probe\r\n", error)
    }

    /// So many bytes, as fast as they are taken.
    fn bytes(&self, count: u64) -> io::Result<()> {
        if self.buffered {
            return self.buffered(200, "", &"x".repeat(count as usize));
        }
        let mut stream = self.stream()?;
        stream.chunk(prelude(200, "").as_bytes())?;
        stream.chunk(END_OF_PRELUDE)?;
        let part = [b'x'; 64 * 1024];
        let mut left = count as usize;
        while left > 0 {
            let now = left.min(part.len());
            stream.chunk(&part[..now])?;
            left -= now;
        }
        stream.end()
    }

    /// The prelude, the NULs and the first bytes of the body over frames that begin and end anywhere.
    fn split(&self) -> io::Result<()> {
        let bytes = [prelude(201, r#""x-split":"1""#).as_bytes(), END_OF_PRELUDE, b"split\n"].concat();
        let mut stream = self.stream()?;
        for part in bytes.chunks(5) {
            stream.chunk(part)?;
            sleep(Duration::from_millis(1));
        }
        stream.end()
    }

    /// A line ten times per second. At the end it writes `token` to the log, whether or not anyone still reads.
    fn slow(&self, seconds: u64, token: &str) -> io::Result<()> {
        let begun = Instant::now();
        let mut stream = self.stream()?;
        stream.chunk(prelude(200, "").as_bytes())?;
        stream.chunk(END_OF_PRELUDE)?;
        let mut taken = Ok(());
        while begun.elapsed() < Duration::from_secs(seconds) {
            taken = taken.and_then(|()| stream.chunk(b"line\n"));
            sleep(Duration::from_millis(100));
        }
        println!("survived {token}");
        taken.and_then(|()| stream.end())
    }

    fn path(&self, what: &str) -> String {
        format!("/2018-06-01/runtime/invocation/{}/{what}", self.request)
    }

    fn post(&self, what: &str, headers: &str, body: &[u8]) -> io::Result<()> {
        let head = format!("{}Content-Length: {}\r\n", headers, body.len());
        let mut connection = request("POST", &self.path(what), &head)?;
        connection.write_all(body)?;
        accepted(connection)
    }

    fn stream(&self) -> io::Result<Stream> {
        let head = format!("{STREAMING}Transfer-Encoding: chunked\r\n");
        Ok(Stream { connection: request("POST", &self.path("response"), &head)? })
    }
}

/// A response that is being streamed, chunk by chunk.
struct Stream {
    connection: TcpStream,
}

impl Stream {
    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.connection.write_all(&framed)
    }

    fn end(mut self) -> io::Result<()> {
        self.connection.write_all(b"0\r\n\r\n")?;
        accepted(self.connection)
    }
}

/// The next request's id and event.
fn next() -> io::Result<(String, String)> {
    let connection = request("GET", "/2018-06-01/runtime/invocation/next", "")?;
    let mut reader = BufReader::new(connection);
    let (mut id, mut length, mut is_chunked) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() { break } else { continue }
        };
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => id = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "transfer-encoding" => is_chunked = value.trim().eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let mut event = Vec::new();
    if !is_chunked {
        event.resize(length, 0);
        reader.read_exact(&mut event)?;
    }
    while is_chunked {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if size == 0 {
            break;
        }
        let begun = event.len();
        event.resize(begun + size, 0);
        reader.read_exact(&mut event[begun..])?;
        reader.read_line(&mut line)?;
    }
    Ok((id, String::from_utf8_lossy(&event).into_owned()))
}

fn request(method: &str, path: &str, headers: &str) -> io::Result<TcpStream> {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").map_err(|_| io::ErrorKind::NotFound)?;
    let mut connection = TcpStream::connect(&api)?;
    connection.set_nodelay(true)?;
    write!(connection, "{method} {path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n{headers}\r\n")?;
    Ok(connection)
}

fn accepted(mut connection: TcpStream) -> io::Result<()> {
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    match answer.split_whitespace().nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(io::Error::other(answer.lines().next().unwrap_or("no answer").to_owned())),
    }
}

fn prelude(status: u16, headers: &str) -> String {
    let headers = [r#""content-type":"text/plain""#, headers].into_iter().filter(|text| !text.is_empty());
    format!("{{\"statusCode\":{status},\"headers\":{{{}}}}}", headers.collect::<Vec<_>>().join(","))
}

/// The first member of that name that is a string without escapes, at any depth.
fn member(event: &str, name: &str) -> Option<String> {
    let after = event.split(&format!("\"{name}\"")).nth(1)?;
    let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.split('"').next().map(str::to_owned)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter < ' ' => write!(quoted, "\\u{:04x}", letter as u32).expect("a string takes it"),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// The files of the package, one per line: the name, what a link points to, and whether it can be read.
fn files() -> String {
    let root = env::var("LAMBDA_TASK_ROOT").unwrap_or_else(|_| "/var/task".to_owned());
    let mut lines: Vec<String> = fs::read_dir(&root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            let target = fs::read_link(entry.path()).map(|target| format!(" -> {}", target.display()));
            let read = if fs::read(entry.path()).is_ok() { "readable" } else { "unreadable" };
            format!("{}{}: {read}\n", entry.file_name().to_string_lossy(), target.unwrap_or_default())
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// What the C library says about itself when it is run.
fn libc() -> String {
    let paths = ["/lib64/libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"];
    let said = paths.iter().find_map(|path| std::process::Command::new(path).output().ok());
    said.map(|said| String::from_utf8_lossy(&said.stdout).lines().next().unwrap_or_default().to_owned())
        .unwrap_or_default()
}
