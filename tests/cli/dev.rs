//! `dev`: a program that is edited while it is served.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, LAMSTREAM, said};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a line may take that has to come.
const LINE: Duration = Duration::from_secs(60);

const MANIFEST: &str = "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'python3.13'\nrun = 'python main.py'\n\
     environment = { WORD = { file = '.env' } }\nurl = { auth = 'none' }\ncheck = { path = '/', contains = 'well' }\n";

/// A server that says who it is, and that streams as long as a file is missing.
const MAIN: &str = concat!(
    r#"SAYS = "one"
def answer(_):
    return "text/plain", [f"{SAYS} {os.environ['WORD'].strip()} is well; process {os.getpid()}\n"]
"#,
    include_str!("dev_server.py")
);

pub(crate) struct Dev {
    child: Child,
    lines: Receiver<String>,
}

impl Dev {
    pub(crate) fn start(bench: &Bench, arguments: &[&str]) -> Dev {
        Dev::run(&mut bench.command(&[&["dev"], arguments].concat()))
    }

    pub(crate) fn run(command: &mut Command) -> Dev {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let pipes: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for pipe in pipes {
            let sender = sender.clone();
            std::thread::spawn(move || {
                BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
            });
        }
        Dev { child, lines }
    }

    /// Reads lines up to the one that contains this.
    pub(crate) fn until(&self, words: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(LINE) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("no line has `{words}` ({error}):\n{}", lines.join("\n")),
            }
            if lines.last().is_some_and(|line| line.contains(words)) {
                return lines;
            }
        }
    }

    /// The URL, once everything is served. It is printed on stdout, which has no order with stderr.
    fn url(&self) -> String {
        let (mut url, mut is_waiting) = (None, false);
        while url.is_none() || !is_waiting {
            let line = self.lines.recv_timeout(LINE).unwrap();
            is_waiting |= line.starts_with("waiting for changes");
            url = url.or(Some(line).filter(|line| line.starts_with("http://")));
        }
        url.unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), signal).unwrap();
    }

    /// Waits until all of its output is read, which needs every process that has it to end.
    pub(crate) fn end(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(LINE) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return lines,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {lines:?}"),
            }
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn site() -> Bench {
    let bench = Bench::new(MANIFEST);
    bench.write_all("app/main.py", MAIN);
    bench.write(".env", "small");
    bench.write(".gitignore", ".env\n");
    bench.write_all(".git/HEAD", "ref: refs/heads/main\n");
    bench
}

/// A response that goes on until the gate is there, and its first line.
fn held(url: &str, gate: &Path) -> (Child, BufReader<ChildStdout>, String) {
    let mut stream = Command::new("curl");
    stream.args(["-sSN", "--max-time", "60", &format!("{url}hold?{}", gate.display())]);
    let mut stream = stream.stdout(Stdio::piped()).spawn().unwrap();
    let mut body = BufReader::new(stream.stdout.take().unwrap());
    let mut first = String::new();
    body.read_line(&mut first).unwrap();
    (stream, body, first)
}

/// The body of a response, read to its end.
fn get(url: &str) -> String {
    let output = Command::new("curl").args(["-sS", "--max-time", "60", url]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn process(answer: &str) -> Pid {
    let number = answer.trim().rsplit(' ').next().unwrap().parse().unwrap();
    Pid::from_raw(number).unwrap()
}

#[test]
fn every_edit_is_served_behind_the_same_url_and_nothing_that_fails_is() {
    let bench = site();
    let mut dev = Dev::start(&bench, &[]);
    let url = dev.url();
    assert!(get(&url).starts_with("one small is well"));
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"two\""));
    let lines = dev.until("waiting for changes").join("\n");
    assert!(lines.contains("changed: `app/main.py`") && lines.contains("Verified version 2"), "{lines}");
    // The URL has passed before, and only leads to another version. How to try it was said before, too.
    assert!(!lines.contains("Verified the URL") && !lines.contains("try it"), "{lines}");
    assert!(get(&url).starts_with("two small is well"));
    // Files that tools and editors write change nothing.
    bench.write("app/.main.py.swp", "");
    bench.write_all("app/__pycache__/main.pyc", "");
    bench.write(".env", "large");
    let lines = dev.until("waiting for changes").join("\n");
    assert!(lines.contains("changed: `.env`"), "{lines}");
    assert!(get(&url).starts_with("two large is well"));
    // Neither an app that does not start, nor one that fails its check, nor a broken manifest gets requests.
    bench.write("app/main.py", "raise SystemExit('not today')");
    let lines = dev.until("keeps serving").join("\n");
    assert!(lines.contains("error: ") && lines.contains("not today"), "{lines}");
    assert!(get(&url).starts_with("two large is well"));
    bench.write("app/main.py", &MAIN.replace("is well", "is ill"));
    let lines = dev.until("keeps serving").join("\n");
    assert!(lines.contains("does not contain"), "{lines}");
    assert!(get(&url).starts_with("two large is well"));
    bench.write("deploy.toml", "app = \n");
    let lines = dev.until("keeps serving").join("\n");
    assert!(lines.contains("deploy.toml:1:"), "{lines}");
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"three\""));
    bench.write("deploy.toml", &MANIFEST.replace("contains = 'well'", "contains = 'three'"));
    let lines = dev.until("waiting for changes; Ctrl-C").join("\n");
    assert!(lines.contains("Verified the URL"), "its checks are others: {lines}");
    let answer = get(&url);
    assert!(answer.starts_with("three large is well"), "{answer}");
    // Releases of `dev` are like others.
    let back = bench.run(&["rollback", "--local", "--no-verify"]);
    assert!(back.status.success(), "{}", said(&back));
    assert!(get(&url).starts_with("two large is well"));
    let forward = bench.run(&["rollback", "--local", "--to", "6", "--no-verify"]);
    assert!(forward.status.success(), "{}", said(&forward));
    let answer = get(&url);
    assert!(answer.starts_with("three large is well"), "{answer}");
    dev.signal(Signal::INT);
    let signalled = Instant::now();
    dev.end();
    assert_eq!(dev.child.wait().unwrap().code(), Some(0));
    assert!(signalled.elapsed() < Duration::from_secs(2), "{:?}", signalled.elapsed());
    assert!(test_kill_process(process(&answer)).is_err(), "the app has ended");
    assert!(bench.run(&["local", "status"]).stdout.starts_with(b"not running"));
}

#[test]
fn a_stream_that_is_open_during_an_edit_ends_whole() {
    let bench = site();
    let dev = Dev::start(&bench, &[]);
    let url = dev.url();
    let gate = bench.path("gate");
    let (mut stream, mut body, first) = held(&url, &gate);
    assert!(first.starts_with("one"), "{first}");
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"two\""));
    dev.until("waiting for changes");
    assert!(get(&url).starts_with("two"));
    std::fs::write(gate, "").unwrap();
    let mut rest = String::new();
    body.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), stream.wait().unwrap().code()), ("and ends whole\n", Some(0)));
}

/// An app that has started on another port before is not started a second time because of its port.
#[test]
fn a_broken_edit_of_an_app_whose_port_is_held_is_started_as_often_as_any_other() {
    let bench = site();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bench.write("deploy.toml", &MANIFEST.replace("url =", &format!("port = {port}\nurl =")));
    let dev = Dev::start(&bench, &[]);
    let url = dev.url();
    let broken = |name: &str| {
        let starts = bench.path(name);
        let main = format!("open({:?}, 'a').write('x')\nraise SystemExit('not today')\n", starts.display().to_string());
        bench.write("app/main.py", &main);
        let lines = dev.until("keeps serving").join("\n");
        assert!(lines.contains("not today"), "{lines}");
        std::fs::read_to_string(starts).unwrap()
    };
    let gate = bench.path("gate");
    let (mut stream, mut body, _) = held(&url, &gate);
    // The port is held by the stream's instance, so this one starts elsewhere.
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"two\""));
    dev.until("waiting for changes");
    assert!(get(&url).starts_with("two"));
    let starts = broken("while-held");
    assert_eq!(starts, "x", "an app that moves is started once");
    std::fs::write(gate, "").unwrap();
    body.read_to_string(&mut String::new()).unwrap();
    stream.wait().unwrap();
}

/// As an installer or a build does it: with a new file in the place of the old one.
#[test]
fn a_replaced_executable_ends_nothing() {
    let bench = site();
    let program = bench.path("lamstream");
    if std::fs::hard_link(LAMSTREAM, &program).is_err() {
        std::fs::copy(LAMSTREAM, &program).unwrap();
    }
    let usual = bench.command(&["dev"]);
    let mut command = Command::new(&program);
    command.arg("dev").current_dir(bench.path("")).env_clear().stdin(Stdio::null());
    command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let dev = Dev::run(&mut command);
    let url = dev.url();
    bench.write("lamstream.new", "#!/bin/sh\nexit 1\n");
    std::fs::rename(bench.path("lamstream.new"), &program).unwrap();
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"two\""));
    let lines = dev.until("waiting for changes; Ctrl-C").join("\n");
    assert!(lines.contains("Verified version 2"), "{lines}");
    assert!(get(&url).starts_with("two small is well"));
}

/// What a release answers does not matter any more once it is replaced.
#[test]
fn an_edit_does_not_wait_for_the_checks_of_a_release_that_it_replaces() {
    let bench = site();
    let dev = Dev::start(&bench, &[]);
    let url = dev.url();
    let reached = bench.path("reached");
    let stuck = format!(
        "def answer(_):\n    open({:?}, 'w').close()\n    time.sleep(1000)\ndef unused(_):",
        reached.display().to_string()
    );
    bench.write("app/main.py", &MAIN.replace("def answer(_):", &stuck));
    let begun = Instant::now();
    while !reached.exists() {
        assert!(begun.elapsed() < LINE, "the check does not begin");
        std::thread::yield_now();
    }
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"three\""));
    let lines = dev.until("waiting for changes").join("\n");
    assert!(lines.contains("the checks end early") && lines.contains("Verified version 3"), "{lines}");
    assert!(!lines.contains("error"), "{lines}");
    assert!(get(&url).starts_with("three small is well"));
}

#[test]
fn a_kill_leaves_no_process() {
    let bench = site();
    let mut dev = Dev::start(&bench, &[]);
    let url = dev.url();
    let app = process(&get(&url));
    dev.signal(Signal::KILL);
    dev.end();
    let begun = Instant::now();
    while test_kill_process(app).is_ok() {
        assert!(begun.elapsed() < LINE, "the app goes on");
        std::thread::yield_now();
    }
    assert!(bench.run(&["local", "status"]).stdout.starts_with(b"not running"));
}

#[test]
fn a_port_of_your_choice_streams_what_the_url_does() {
    let bench = site();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let dev = Dev::start(&bench, &["site", "--port", &port]);
    dev.url();
    let mut client = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let gate = bench.path("gate");
    write!(client, "GET /hold?{} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n", gate.display())
        .unwrap();
    let mut answer = BufReader::new(client);
    let mut line = String::new();
    while !line.starts_with("one small is well") {
        line.clear();
        assert!(answer.read_line(&mut line).unwrap() > 0, "the stream ended early");
    }
    std::fs::write(gate, "").unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("and ends whole"), "{rest}");
    // A taken port is refused before anything is done.
    let taken = bench.run(&["dev", "--port", &port]);
    assert_eq!(taken.status.code(), Some(2), "{}", said(&taken));
    assert!(said(&taken).contains(&format!("cannot listen on port {port} of 127.0.0.1")), "{}", said(&taken));
}

#[test]
fn what_dev_cannot_do_is_said_at_once() {
    let bench = Bench::new("app = 'shop'\n[functions.a]\ncrate = 'unused'\n[functions.b]\ncrate = 'unused'\n");
    for (arguments, words) in [
        (&["dev", "--output", "json"][..], "`dev` prints no JSON document"),
        (&["dev", "--profile", "x"], "`dev` uses the local cloud"),
        (&["dev", "nope"], "nope"),
        (&["dev", "--stage", "pord"], "no stage `pord`: the manifest has no stages"),
        (&["dev", "--port", "18431"], "the manifest has several functions: `a` and `b`"),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
}
