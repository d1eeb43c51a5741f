//! What the page shows without being asked: the state of `dev`, the output of builds, and the logs.

use crate::apply::{Checked, Event, Verified};
use crate::failure::Failure;
use crate::report::{Line, failure_lines, told};
use crate::stack::{Published, Share};
use crate::text;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// How many lines are kept for a page that is opened later.
const LINES: usize = 1000;

/// Collects what happens, and wakes every page that shows it.
#[derive(Default)]
pub(super) struct Feed {
    collected: Mutex<Collected>,
    latest: watch::Sender<u64>,
}

#[derive(Default)]
struct Collected {
    state: State,
    /// The number of the state's latest change.
    state_number: u64,
    lines: VecDeque<Numbered>,
    latest: u64,
}

struct Numbered {
    number: u64,
    kind: &'static str,
    line: Value,
}

/// One event for the page.
pub(super) struct News {
    pub kind: &'static str,
    pub content: Value,
}

#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "lowercase")]
enum Phase {
    #[default]
    Building,
    Good,
    Broken,
}

#[derive(Default, Serialize)]
struct State {
    app: String,
    phase: Phase,
    /// Since when, in milliseconds since 1970.
    since: u64,
    /// From 1.
    round: u64,
    /// Which files have changed before the round.
    why: String,
    /// Whether any function has a URL.
    serves: bool,
    /// Each failure's lines.
    failures: Vec<Vec<String>>,
    functions: Vec<FunctionState>,
}

/// A function, as the page shows it.
#[derive(Default, Serialize)]
pub(super) struct FunctionState {
    pub name: String,
    pub url: Option<String>,
    /// Whether requests to it are signed.
    pub signed: bool,
    pub requests: Vec<ReadyRequest>,
    pub releases: Vec<Value>,
    /// The last result of its checks.
    pub check: Option<Value>,
}

/// A request that the manifest describes.
#[derive(Serialize)]
pub(super) struct ReadyRequest {
    pub label: String,
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Feed {
    /// The news after this number, and the number of the latest.
    pub(super) fn news(&self, after: u64) -> (Vec<News>, u64) {
        let collected = self.locked();
        let state = (collected.state_number > after).then(|| News { kind: "state", content: json!(collected.state) });
        let lines = collected.lines.iter().filter(|line| line.number > after);
        let lines = lines.map(|line| News { kind: line.kind, content: line.line.clone() });
        (state.into_iter().chain(lines).collect(), collected.latest)
    }

    /// Receives the number of the latest news whenever there are some.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    pub(super) fn begin_round(&self, why: &str) {
        self.change(|state| {
            (state.phase, state.since) = (Phase::Building, now());
            state.round += 1;
            why.clone_into(&mut state.why);
            state.failures.clear();
        });
    }

    pub(super) fn end_round(&self, is_good: bool) {
        self.change(|state| (state.phase, state.since) = (if is_good { Phase::Good } else { Phase::Broken }, now()));
    }

    /// The functions of the manifest. The results of their checks stay, and those of their releases if none are given.
    pub(super) fn show_functions(&self, app: &str, functions: Vec<FunctionState>) {
        self.change(|state| {
            let before = std::mem::take(&mut state.functions);
            state.functions = functions;
            for function in &mut state.functions {
                let Some(known) = before.iter().find(|known| known.name == function.name) else { continue };
                function.check = known.check.clone();
                if function.releases.is_empty() {
                    function.releases.clone_from(&known.releases);
                }
            }
            app.clone_into(&mut state.app);
            state.serves = state.functions.iter().any(|function| function.url.is_some());
        });
    }

    /// An event of a deploy.
    pub(super) fn tell(&self, event: &Event) {
        if let Some(line) = told(event) {
            self.add("build", json!({ "text": plain(&line) }));
        }
        let (function, check) = match event {
            Event::Verified { function, what, verified } => (function, verdict(what, Some(verified))),
            Event::NotVerified { function, what } => (function, verdict(what, None)),
            _ => return,
        };
        self.change(|state| {
            let known = state.functions.iter_mut().find(|known| known.name == *function);
            known.into_iter().for_each(|known| known.check = Some(check.clone()));
        });
    }

    /// Failures whose secrets are hidden.
    pub(super) fn fail(&self, failures: &[Failure]) {
        let lines = failures.iter().map(|failure| failure_lines(failure).iter().map(plain).collect());
        self.change(|state| state.failures = lines.collect());
    }

    /// An event of a function's log, at a time in milliseconds since 1970.
    pub(super) fn log(&self, function: &str, at: i64, message: &str) {
        for line in message.trim_end().lines() {
            let line = json!({ "function": function, "at": at, "text": plain(&Line::coloured(line)) });
            self.add("log", line);
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut collected = self.locked();
        change(&mut collected.state);
        collected.latest += 1;
        collected.state_number = collected.latest;
        self.latest.send_replace(collected.latest);
    }

    fn add(&self, kind: &'static str, mut line: Value) {
        let mut collected = self.locked();
        collected.latest += 1;
        line["round"] = json!(collected.state.round);
        let number = collected.latest;
        collected.lines.push_back(Numbered { number, kind, line });
        if collected.lines.len() > LINES {
            collected.lines.pop_front();
        }
        self.latest.send_replace(number);
    }

    fn locked(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of the checks of a version or the URL.
fn verdict(what: &Checked, verified: Option<&Verified>) -> Value {
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    json!({
        "what": what.to_string(),
        "passed": verified.is_some(),
        "at": now(),
        "status": verified.map(|verified| verified.status),
        "first_byte": verified.map(|verified| milliseconds(verified.first_byte)),
        "chunks": verified.map(|verified| verified.chunks),
        "duration": verified.map(|verified| milliseconds(verified.duration)),
        "streamed": verified.and_then(|verified| verified.streamed),
    })
}

/// A release, as the page shows it.
pub(super) fn release(published: &Published) -> Value {
    let share = match published.share {
        Share::None if published.is_previous => "previous",
        Share::None => "",
        Share::Whole | Share::Rest(_) => "live",
        Share::Part(_) => "shift",
    };
    json!({
        "version": published.version,
        "at": published.at,
        "code": published.origin.code,
        "verdict": published.verdict.as_str(),
        "share": share,
    })
}

fn plain(line: &Line) -> String {
    text::uncoloured(&line.to_string())
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> FunctionState {
        FunctionState { name: name.to_owned(), url: Some("http://127.0.0.1:1/".to_owned()), ..FunctionState::default() }
    }

    #[test]
    fn a_page_gets_everything_once_and_then_only_what_is_new() {
        let feed = Feed::default();
        feed.begin_round("");
        feed.log("chat", 7, "one\ntwo\x1b]0;x\x07\n");
        let (news, number) = feed.news(0);
        let kinds: Vec<&str> = news.iter().map(|news| news.kind).collect();
        assert_eq!(kinds, ["state", "log", "log"]);
        assert_eq!(news[2].content["text"], "two\\x1b]0;x\\x07");
        assert!(feed.news(number).0.is_empty());
        feed.log("chat", 8, "three");
        let (news, _) = feed.news(number);
        assert_eq!((news.len(), news[0].content["at"].as_i64()), (1, Some(8)));
    }

    #[test]
    fn what_was_found_out_before_a_broken_round_stays() {
        let feed = Feed::default();
        feed.begin_round("");
        let released = FunctionState { releases: vec![json!({ "version": "1" })], ..function("chat") };
        feed.show_functions("shop", vec![released]);
        feed.tell(&Event::NotVerified { function: "chat".into(), what: Checked::Version("2".into()) });
        feed.end_round(false);
        feed.begin_round("changed: `main.py`");
        feed.show_functions("shop", vec![function("chat"), function("new")]);
        let state = &feed.news(0).0[0].content;
        assert_eq!((state["phase"].as_str(), state["round"].as_u64()), (Some("building"), Some(2)));
        let known = &state["functions"][0];
        assert_eq!((known["check"]["passed"].as_bool(), &known["releases"][0]["version"]), (Some(false), &json!("1")));
        assert_eq!(state["functions"][1]["check"], Value::Null);
    }

    #[test]
    fn old_lines_are_forgotten() {
        let feed = Feed::default();
        (0..LINES + 5).for_each(|_| feed.log("chat", 0, "line"));
        assert_eq!(feed.news(0).0.len(), LINES);
    }
}
