//! Measures the edit loop: from saving a file to the first byte of the new answer, beside the tools that reload the same
//! programs without Lambda: `cargo lambda watch`, `uvicorn --reload` and `node --watch`. All of them run at once and take
//! turns. Run it with `cargo bench --bench loop`; `LAMSTREAM_ROUNDS=3` has it measure less often.
//!
//! The other tools, and the packages of the samples for them, are installed in `target/` from the usual registries, once.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 10;
const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";
/// The pause between two requests while an edit is awaited.
const PAUSE: Duration = Duration::from_millis(20);
/// How long an answer may take. A server that restarts may lose a request, which is then sent again.
const LOST: Duration = Duration::from_secs(5);
/// How long a server may take to start, which may include a whole build, and to serve an edit.
const LONGEST: Duration = Duration::from_secs(600);

/// A program to be edited: the directory that is copied, the file in it, and the text in the file that is replaced by a
/// word, which a request to the path then returns.
struct Sample {
    name: &'static str,
    directory: &'static str,
    file: &'static str,
    text: &'static str,
    path: &'static str,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        name: "Rust function",
        directory: "function",
        file: "src/main.rs",
        text: "POST /stream/chat?query=… streams",
        // `cargo lambda watch` sends an event without the query that Lambda always sends, unless there is one.
        path: "/?by=loop",
    },
    Sample {
        name: "FastAPI",
        directory: "examples/fastapi-chat",
        file: "app/main.py",
        text: "{\"status\": \"ok\"}",
        path: "/health",
    },
    Sample {
        name: "Express",
        directory: "examples/express-sse",
        file: "app/server.mjs",
        text: "<title>express-sse</title>",
        path: "/",
    },
];

/// What serves a copy of a sample.
struct Server {
    sample: &'static Sample,
    name: &'static str,
    file: PathBuf,
    original: String,
    /// The address, such as `127.0.0.1:8000`, and the path that leads to the sample.
    address: String,
    path: String,
    child: Child,
    took: Vec<f64>,
    _directory: tempfile::TempDir,
}

fn main() {
    let rounds = std::env::var("LAMSTREAM_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut servers: Vec<Server> = SAMPLES.iter().flat_map(|sample| [dev(sample), other(sample)]).collect();
    for server in &mut servers {
        server.edit("at-first");
    }
    for round in 0..rounds {
        for server in &mut servers {
            // The rest of the last edit, such as the end of what served before.
            std::thread::sleep(Duration::from_secs(1));
            let took = server.edit(&format!("edit-{round}"));
            server.took.push(took.as_secs_f64());
        }
        let took = servers.iter().filter_map(|server| server.took.last());
        let took: Vec<String> = took.map(|seconds| format!("{seconds:.2}")).collect();
        println!("round {}: {} s", round + 1, took.join(", "));
    }
    for pair in servers.chunks(2) {
        let [ours, others] = [&pair[0], &pair[1]].map(|server| server.sorted());
        for (server, sorted) in pair.iter().zip([&ours, &others]) {
            let (median, least, most) = (middle(sorted), sorted[0], sorted[sorted.len() - 1]);
            println!("{}, {}: {median:.2} s ({least:.2} to {most:.2} s)", server.sample.name, server.name);
        }
        println!("{}: {:.2} times {}", pair[0].sample.name, middle(&ours) / middle(&others), pair[1].name);
    }
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

impl Server {
    /// Writes the file with a word, and returns how long it takes until the word is served.
    fn edit(&mut self, word: &str) -> Duration {
        let text = match self.sample.text.starts_with('{') {
            true => format!("{{\"status\": \"{word}\"}}"),
            false => word.to_owned(),
        };
        let text = self.original.replace(self.sample.text, &text);
        let began = Instant::now();
        fs::write(&self.file, text).unwrap();
        while !self.answers(word) {
            assert!(began.elapsed() < LONGEST, "{}, {}: {word} is not served", self.sample.name, self.name);
            std::thread::sleep(PAUSE);
        }
        began.elapsed()
    }

    /// Whether an answer has a word. A server that restarts answers nothing.
    fn answers(&self, word: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return false };
        let _ = stream.set_read_timeout(Some(LOST));
        let asked = write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.path, self.address);
        let mut answer = Vec::new();
        let read = asked.and_then(|()| stream.read_to_end(&mut answer));
        read.is_ok() && String::from_utf8_lossy(&answer).contains(word)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.took.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl Drop for Server {
    /// Ends what it has started, too.
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-INT", "--", &group]).status();
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(PAUSE);
        }
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// A copy of a sample, without what others have built in it.
fn copied(sample: &Sample) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(sample.directory);
    copy(&from, &directory.path().join("sample"));
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_file() {
            fs::copy(path, to.join(name)).unwrap();
        } else if !["target", "node_modules", "__pycache__"].iter().any(|made| name == *made) {
            copy(&path, &to.join(name));
        }
    }
}

fn serve(sample: &'static Sample, name: &'static str, directory: tempfile::TempDir, mut command: Command) -> Server {
    // A group of its own, which ends as a whole.
    let child = command.process_group(0).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let file = directory.path().join("sample").join(sample.file);
    let original = fs::read_to_string(&file).unwrap();
    assert!(original.contains(sample.text), "{} has no `{}`", sample.file, sample.text);
    let (address, path, took) = (String::new(), sample.path.to_owned(), Vec::new());
    Server { sample, name, file, original, address, path, child, took, _directory: directory }
}

/// `lamstream dev`.
fn dev(sample: &'static Sample) -> Server {
    let directory = copied(sample);
    let root = directory.path().join("sample");
    if !root.join("deploy.toml").is_file() {
        let manifest = "app = 'rust'\n[functions.chat]\ncrate = '.'\nurl = { auth = 'none' }\n\
             check = { method = 'POST', path = '/stream/chat', query = { query = 'hello' }, streams = true }\n";
        fs::write(root.join("deploy.toml"), manifest).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_lamstream"));
    command.arg("dev").current_dir(&root).stdout(Stdio::piped());
    command.env("LAMSTREAM_LOCAL_DIR", directory.path().join("cloud"));
    command.env("LAMSTREAM_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    let mut server = serve(sample, "lamstream dev", directory, command);
    let mut url = String::new();
    BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    server.address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    server
}

/// What people use instead.
fn other(sample: &'static Sample) -> Server {
    let directory = copied(sample);
    let root = directory.path().join("sample");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let (name, mut command) = match sample.name {
        "FastAPI" => {
            let requirements = fs::read_to_string(root.join("app/requirements.txt")).unwrap();
            let mut command = Command::new(environment("loop-uvicorn", &requirements).join("python"));
            command.args(["-m", "uvicorn", "main:app", "--reload", "--port", &port]).current_dir(root.join("app"));
            ("uvicorn --reload", command)
        }
        "Express" => {
            done(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(root.join("app")));
            let mut command = Command::new("node");
            command.args(["--watch", "server.mjs"]).current_dir(root.join("app"));
            ("node --watch", command)
        }
        _ => {
            let tools = environment("loop-cargo-lambda", CARGO_LAMBDA);
            let mut command = Command::new(tools.join("cargo-lambda"));
            command.args(["lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", &port]);
            command.current_dir(&root);
            ("cargo lambda watch", command)
        }
    };
    command.env("PORT", &port).stdout(Stdio::null());
    let mut server = serve(sample, name, directory, command);
    server.address = format!("127.0.0.1:{port}");
    if name == "cargo lambda watch" {
        server.path = format!("/lambda-url/bootstrap{}", sample.path);
    }
    let began = Instant::now();
    while TcpStream::connect(&server.address).is_err() {
        assert!(began.elapsed() < LONGEST, "{name} does not listen");
        std::thread::sleep(PAUSE);
    }
    server
}

/// The programs of a Python environment with these packages, installed once.
fn environment(name: &str, requirements: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let (ready, programs) = (home.join("ready"), home.join("venv/bin"));
    if fs::read_to_string(&ready).ok().as_deref() != Some(requirements) {
        // The version of the samples, if it is here, as for `dev`.
        let runs = |python: &&&str| Command::new(python).arg("-V").output().is_ok_and(|it| it.status.success());
        let python = ["python3.13", "python3"].iter().find(runs).unwrap();
        done(Command::new(python).args(["-m", "venv", "--clear"]).arg(home.join("venv")));
        fs::write(home.join("list"), requirements).unwrap();
        let install = ["-m", "pip", "install", "--quiet", "--requirement", "list"];
        done(Command::new(programs.join("python")).args(install).current_dir(&home));
        fs::write(&ready, requirements).unwrap();
    }
    programs
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
