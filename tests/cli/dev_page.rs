//! `dev --open`: the page, by itself and in a browser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::dev::Dev;
use crate::support::bench::{Bench, said};
use crate::support::{node, python};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The package that drives the browser.
const DRIVER: &str = "playwright-core@1.65.1";

/// Together, in bytes.
const LARGEST: usize = 60_000;

const MANIFEST: &str = "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'python3.13'\nrun = 'python main.py'\n\
     build = { command = 'sh check.sh' }\nurl = { auth = 'none' }\n[[functions.site.check]]\npath = '/'\ncontains = 'well'\n\
     [[functions.site.check]]\npath = '/events'\nsse = true\n";

/// A server with an answer of each kind.
const MAIN: &str = concat!(
    r#"SAYS = "one"
EVENTS = [f'event: tick\nid: {n}\ndata: {{"n": {n}}}\n\n' for n in range(3)] + ["data: [DONE]\n\n"]
MESSAGE = 'data: {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}\n\n'
OTHERS = {
    "/events": ("text/event-stream", EVENTS),
    "/mcp": ("text/event-stream", [MESSAGE]),
    "/html": ("text/html", ["<img src=x onerror=alert(1)>"]),
    "/bytes": ("image/png", [b"\0\xff\xfe\x80\1\2\3\4"]),
}
def answer(request):
    said = f"{SAYS} is well at {request.path} with {request.headers['x-key']}\n"
    return OTHERS.get(request.path, ("text/plain", [said]))
"#,
    include_str!("dev_server.py")
);

fn site(manifest: &str) -> Bench {
    let bench = Bench::new(manifest);
    bench.write_all("app/main.py", MAIN);
    bench.write("app/check.sh", "echo checked\n");
    bench
}

/// The page's address, which ends with a slash, once everything is served.
fn served(dev: &Dev) -> String {
    let lines = dev.until("waiting for changes");
    address(&lines)
}

fn address(lines: &[String]) -> String {
    let address = lines.iter().find_map(|line| line.strip_prefix("page: ")).unwrap();
    assert!(address.starts_with("http://127.0.0.1:") && address.ends_with('/'), "{address}");
    address.to_owned()
}

fn curl(arguments: &[&str]) -> Output {
    let output = Command::new("curl").args(["-sS", "--max-time", "60"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    output
}

fn text(arguments: &[&str]) -> String {
    String::from_utf8(curl(arguments).stdout).unwrap()
}

fn status(arguments: &[&str]) -> String {
    text(&[&["-o", "/dev/null", "-w", "%{http_code}"], arguments].concat())
}

/// An answer that is read while it arrives.
struct Reading {
    child: Child,
    lines: BufReader<ChildStdout>,
    /// The lines that were read.
    seen: Vec<String>,
}

impl Reading {
    fn start(arguments: &[&str]) -> Reading {
        let mut child = Command::new("curl");
        child.args(["-sN", "--max-time", "60"]).args(arguments).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Reading { child, lines, seen: Vec::new() }
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let has_more = self.lines.read_line(&mut line).unwrap() > 0;
        self.seen.push(line.trim_end().to_owned());
        has_more.then(|| line.trim_end().to_owned())
    }

    /// The next line, as JSON.
    fn json(&mut self) -> Value {
        let line = self.line().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The state of the next event that has one in this phase.
    fn phase(&mut self, phase: &str) -> Value {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("the feed ends before `{phase}`"));
            let state = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
            if let Some(state) = state.filter(|state| state["phase"] == phase) {
                return state;
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wish(path: &str, headers: &Value) -> String {
    json!({ "function": "site", "method": "GET", "path": path, "headers": headers, "body": null }).to_string()
}

/// The lines of an answer that the page gets.
fn sent(page: &str, wish: &str) -> Vec<Value> {
    let answer = text(&["-d", wish, &format!("{page}send")]);
    answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The text of an answer's chunks.
fn body(lines: &[Value]) -> String {
    use base64::Engine;
    let decode = |data: &str| base64::prelude::BASE64_STANDARD.decode(data).unwrap();
    let chunks = lines.iter().filter_map(|line| line["data"].as_str());
    String::from_utf8(chunks.flat_map(decode).collect()).unwrap()
}

#[test]
fn only_the_page_itself_is_answered_and_only_functions_are_asked() {
    let manifest = "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'python3.13'\nrun = 'python main.py'\n\
         url = { auth = 'aws-iam' }\ncheck = { path = '/', headers = { x-key = { file = '.key' } }, contains = 'hunter2' }\n";
    let bench = site(manifest);
    bench.write(".key", "hunter2");
    let dev = Dev::start(&bench, &["--open"]);
    let page = served(&dev);
    let (origin, token) = page.trim_end_matches('/').rsplit_once('/').unwrap();
    assert!(token.len() == 32, "{token}");
    // The files, which are small and load nothing from elsewhere.
    let head = text(&["-D", "-", "-o", "/dev/null", &page]).to_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self';"), "{head}");
    assert!(head.contains("referrer-policy: no-referrer") && head.contains("cache-control: no-store"), "{head}");
    let files = ["", "page.css", "page.js", "icon.svg"].map(|file| curl(&[&format!("{page}{file}")]).stdout.len());
    assert!(files.iter().all(|size| *size > 100) && files.iter().sum::<usize>() < LARGEST, "{files:?}");
    // Others.
    let wish_of_all = wish("/", &json!([]));
    for (expected, header) in [
        ("200", "Sec-Fetch-Site: none"),
        ("403", "Host: rebound.example"),
        ("403", "Origin: https://other.example"),
        ("403", "Sec-Fetch-Site: cross-site"),
    ] {
        assert_eq!(status(&["-H", header, &page]), expected, "{header}");
    }
    assert_eq!(status(&[&format!("{origin}/")]), "404");
    let wrong = format!("{origin}/{}/send", "0".repeat(token.len()));
    assert_eq!(status(&["-d", &wish_of_all, &wrong]), "404");
    assert_eq!(status(&["-d", &wish_of_all, "-H", "Origin: null", &format!("{page}send")]), "403");
    // Only the functions' URLs are asked, whatever the path is; requests are signed if necessary.
    let lines = sent(&page, &wish("//other.example/@x", &json!([])));
    assert_eq!(lines[0]["head"]["status"], 200, "{lines:?}");
    assert!(body(&lines).starts_with("one is well at /other.example/@x"), "{}", body(&lines));
    let lines = sent(&page, &wish("/", &json!([["Host", "other.example"]])));
    assert_eq!(lines[0]["failed"][0], "the header `Host` is set by the connection; remove it");
    let lines = sent(&page, &wish_of_all.replace("site", "https://other.example"));
    assert_eq!(lines[0]["failed"][0], "`https://other.example` has no URL yet");
    // A value that comes from outside the manifest is sent, and not shown.
    let state = Reading::start(&[&format!("{page}feed")]).phase("good");
    assert!(!state.to_string().contains("hunter2"), "{state}");
    let ready = &state["functions"][0]["requests"][0];
    let lines = sent(&page, &wish("/", &ready["headers"]));
    assert!(body(&lines).contains("with hunter2"), "{}", body(&lines));
}

#[test]
fn chunks_are_timed_where_they_arrive_and_the_feed_follows_every_round() {
    let bench = site(MANIFEST);
    let mut dev = Dev::start(&bench, &["--open"]);
    let page = served(&dev);
    let mut feed = Reading::start(&[&format!("{page}feed")]);
    let state = feed.phase("good");
    let site = &state["functions"][0];
    assert_eq!((&site["releases"][0]["share"], &site["check"]["passed"]), (&json!("live"), &json!(true)), "{state}");
    let gate = bench.path("gate");
    let begun = Instant::now();
    let held = wish(&format!("/hold?{}", gate.display()), &json!([]));
    let mut answer = Reading::start(&["-d", &held, &format!("{page}send")]);
    assert_eq!(answer.json()["head"]["status"], 200);
    let first = answer.json();
    assert!(body(std::slice::from_ref(&first)).starts_with("one is well"));
    let received = Instant::now();
    // The stream stays open during a broken round and a good one.
    bench.write("app/check.sh", "echo 'error: not today'; exit 1\n");
    let (state, words) = (feed.phase("broken"), feed.seen.join("\n"));
    assert!(state["failures"][0].to_string().contains("exited with status 1") && state["serves"] == true, "{state}");
    assert_eq!(state["why"], "changed: `app/check.sh`");
    assert!(words.contains("error: not today"), "{words}");
    bench.write("app/check.sh", "echo checked\n");
    bench.write("app/main.py", &MAIN.replace("\"one\"", "\"two\""));
    let state = feed.phase("good");
    assert!(state["failures"] == json!([]), "{state}");
    assert!(body(&sent(&page, &wish("/", &json!([])))).starts_with("two is well"));
    let held = received.elapsed();
    std::fs::write(&gate, "").unwrap();
    let second = answer.json();
    assert_eq!(body(std::slice::from_ref(&second)), "and ends whole\n");
    let gap = second["at"].as_f64().unwrap() - first["at"].as_f64().unwrap();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    assert!((milliseconds(held)..milliseconds(begun.elapsed())).contains(&gap), "{gap} ms, held for {held:?}");
    assert_eq!(answer.json()["end"]["fault"], Value::Null);
    // Ctrl-C does not wait for a stream.
    let mut endless = Reading::start(&["-d", &wish("/hold?/nowhere/at/all", &json!([])), &format!("{page}send")]);
    assert_eq!(endless.json()["head"]["status"], 200);
    dev.signal(Signal::INT);
    let signalled = Instant::now();
    dev.end();
    assert!(signalled.elapsed() < Duration::from_secs(2), "{:?}", signalled.elapsed());
}

#[test]
fn a_browser_is_opened_only_where_there_is_a_screen() {
    // A Mac always has one, and `/proc` shows whether a browser runs.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = Bench::new("app = 'shop'\n[functions.a]\ncrate = 'unused'\n");
    let opener = bench.path("bin/xdg-open");
    bench.write_all("bin/xdg-open", "#!/bin/sh\necho \"$1\" > \"$OPENED\"\n");
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pipe = bench.path("opened");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap());
    let start = |screen: &str| {
        let mut command = bench.command(&["dev", "--open", "--quiet"]);
        Dev::run(command.env("PATH", &path).env("OPENED", &pipe).env("DISPLAY", screen))
    };
    let dev = start(":7");
    let page = address(&dev.until("page: "));
    let mut opened = String::new();
    std::fs::File::open(&pipe).unwrap().read_to_string(&mut opened).unwrap();
    assert_eq!(opened.trim(), page);
    drop(dev);
    // Opening the pipe would wait, so that this one would be among the processes that are left.
    let mut dev = start("");
    dev.until("page: ");
    dev.signal(Signal::INT);
    dev.end();
    assert_eq!(
        std::fs::read_dir("/proc").unwrap().filter(|entry| opens(entry.as_ref().unwrap().path(), &opener)).count(),
        0
    );
}

fn opens(process: PathBuf, opener: &Path) -> bool {
    let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains(&opener.display().to_string())
}

/// The browser, which `.ci/browser` installs; a test without it ends, except in CI.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path)
        .flat_map(|directory| ["chromium", "google-chrome"].map(|name| directory.join(name)));
    python::found(found.find(|path| path.is_file()).ok_or_else(|| "found no `chromium` in PATH".to_owned()))
}

#[test]
fn a_person_sends_requests_and_sees_what_happens() {
    let (Some(chromium), Some(programs)) = (chromium(), node::tool(DRIVER)) else { return };
    let bench = site(MANIFEST);
    let dev = Dev::start(&bench, &["--open"]);
    let page = served(&dev);
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&pictures).unwrap();
    let what = json!({
        "address": page,
        "chromium": chromium,
        "driver": programs,
        "app": bench.path("app"),
        "gate": bench.path("gate"),
        "pictures": pictures,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/dev_page.mjs");
    let output = Command::new("node").arg(script).arg(what.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}
