//! A deployed function that does what its request says, and processes of lamstream that are looked at while they run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::Bench;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) const TALKER: &str = r#"
app = "shop"
[functions.talker]
crate = "unused"
timeout = 60
environment = { KEY = "planted-secret-value-4711" }
url = { auth = "AUTH" }
"#;

/// A bench with the function deployed behind a URL of this auth.
pub(crate) fn talker(auth: &str) -> Bench {
    let bench = Bench::new(&TALKER.replace("AUTH", auth));
    zip_into(&bench);
    bench.good(&["deploy", "--local", "--yes", "--package", "talker.zip"]);
    bench
}

/// Writes the function's package as `talker.zip`.
pub(crate) fn zip_into(bench: &Bench) {
    let file = std::fs::File::create(bench.path("talker.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(include_bytes!("talker.py")).unwrap();
    zip.finish().unwrap();
}

/// How long a line may take that has to come.
const LINE: Duration = Duration::from_secs(60);

/// A run of lamstream, its lines read while it runs.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(bench: &Bench, arguments: &[&str]) -> Running {
        Running::spawn(&mut bench.command(arguments))
    }

    pub(crate) fn spawn(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line.unwrap())));
        Running { child, lines }
    }

    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(LINE).expect("another line")
    }

    /// Lines up to the first of which this is true, which is the last.
    pub(crate) fn until(&self, mut is_last: impl FnMut(&str) -> bool) -> Vec<String> {
        let mut lines = vec![self.line()];
        while !lines.last().is_some_and(|line| is_last(line)) {
            lines.push(self.line());
        }
        lines
    }

    pub(crate) fn interrupt(&self) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// What is left of stdout, and how it ended.
    pub(crate) fn end(self) -> (Vec<String>, Output) {
        let rest = self.lines.iter().collect();
        (rest, self.child.wait_with_output().unwrap())
    }
}

/// Reads one line and leaves, as `head -1` does; `then` comes after that.
pub(crate) fn leave_after_a_line(command: &mut Command, then: impl FnOnce()) -> (String, Output) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let line = read_until(&mut stdout, "\n");
    drop(stdout);
    then();
    (line, child.wait_with_output().unwrap())
}

/// Reads until `sign` has come.
pub(crate) fn read_until(stream: &mut impl Read, sign: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains(sign) {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "it ended before {sign:?}: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}
