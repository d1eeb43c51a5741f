//! What was found, as Markdown to paste into an issue: without account numbers, addresses, keys and ids.

use crate::facts::Fact;
use crate::place::Place;
use anyhow::Result;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// What a check saw, and whether that is what docs/aws.md says.
pub(crate) struct Seen {
    pub holds: bool,
    pub text: String,
}

/// What a check saw.
pub(crate) fn seen(holds: bool, text: impl Into<String>) -> Result<Seen> {
    Ok(Seen { holds, text: text.into() })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Differs,
    NotAsked,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Differs => "differs",
            Verdict::NotAsked => "not asked",
        }
    }
}

/// What was done, how long it took, and why it failed.
type Step = (String, Duration, Result<(), String>);

pub(crate) struct Report {
    began: Instant,
    head: String,
    /// What must not be shown, and what is shown instead.
    hidden: Vec<(String, &'static str)>,
    facts: RefCell<Vec<(&'static str, Verdict, String)>>,
    steps: RefCell<Vec<Step>>,
    is_live: bool,
}

impl Report {
    pub(crate) fn new(place: &Place) -> Report {
        let where_to = if place.is_live { "an account" } else { "the local cloud" };
        let head = format!(
            "# `cargo test --test live` on {where_to}\n\nlamstream {}, region {}\n",
            env!("CARGO_PKG_VERSION"),
            place.region
        );
        let hidden = vec![(place.account.clone(), "000000000000"), (place.app.clone(), "APP")];
        let (facts, steps) = (RefCell::default(), RefCell::default());
        Report { began: Instant::now(), head, hidden, facts, steps, is_live: place.is_live }
    }

    /// Says what happens now: a run on AWS takes minutes.
    pub(crate) fn progress(&self, text: &str) {
        if self.is_live {
            let _ = writeln_stderr(&format!("[{:4} s] {}", self.began.elapsed().as_secs(), self.harmless(text)));
        }
    }

    pub(crate) fn fact(&self, fact: &Fact, found: Result<Seen>) {
        let (verdict, text) = match found {
            Ok(Seen { holds: true, text }) => (Verdict::Holds, text),
            Ok(Seen { holds: false, text }) => (Verdict::Differs, text),
            Err(error) => (Verdict::NotAsked, format!("{error:#}")),
        };
        self.progress(&format!("{}: {}: {text}", fact.id, verdict.word()));
        self.facts.borrow_mut().push((fact.id, verdict, self.harmless(&text)));
    }

    /// One step of what lamstream does.
    pub(crate) fn step(&self, what: &str, began: Instant, outcome: Result<()>) {
        let outcome = outcome.map_err(|error| self.harmless(&format!("{error:#}")));
        self.progress(&format!("{what}: {}", if outcome.is_ok() { "done" } else { "failed" }));
        self.steps.borrow_mut().push((what.to_owned(), began.elapsed(), outcome));
    }

    pub(crate) fn verdict(&self, id: &str) -> Option<Verdict> {
        self.facts.borrow().iter().find(|(found, ..)| *found == id).map(|(_, verdict, _)| *verdict)
    }

    /// The steps that failed and the facts that differ, one per line.
    pub(crate) fn problems(&self) -> Vec<String> {
        let steps = self.steps.borrow();
        let failed = steps.iter().filter_map(|(what, _, outcome)| Some(format!("{what}: {}", outcome.as_ref().err()?)));
        let facts = self.facts.borrow();
        let differ = facts.iter().filter(|(_, verdict, _)| *verdict == Verdict::Differs);
        failed.chain(differ.map(|(id, _, text)| format!("{id}: differs: {text}"))).collect()
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = self.head.clone();
        let _ = writeln!(text, "took {} s\n\n| Step | Time | Outcome |\n|---|---|---|", self.began.elapsed().as_secs());
        for (what, time, outcome) in &*self.steps.borrow() {
            let outcome = outcome.as_ref().err().map_or("done", String::as_str);
            let _ = writeln!(text, "| {} | {:.1} s | {} |", cell(what), time.as_secs_f64(), cell(outcome));
        }
        text += "\n| Fact | | Seen |\n|---|---|---|\n";
        let facts = self.facts.borrow();
        let by_id = |id: &str| facts.iter().find(|(found, ..)| *found == id);
        for (id, verdict, seen) in crate::facts::all().filter_map(|fact| by_id(fact.id)) {
            let _ = writeln!(text, "| `{id}` | {} | {} |", verdict.word(), cell(seen));
        }
        text
    }

    fn harmless(&self, text: &str) -> String {
        let text = self.hidden.iter().fold(text.to_owned(), |text, (secret, word)| text.replace(secret, word));
        without_ids(&text)
    }
}

fn writeln_stderr(line: &str) -> std::io::Result<()> {
    // The test harness keeps what the macros print until the end.
    std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes())
}

/// Fits into a cell of a table.
fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The text with a word in the place of everything that identifies an account, a request, a key or a URL.
fn without_ids(text: &str) -> String {
    let is_inside = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_inside(first) {
            true => rest.find(|letter| !is_inside(letter)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        shown.push_str(replaced(word).unwrap_or(word));
        rest = after;
    }
    shown
}

fn replaced(word: &str) -> Option<&'static str> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    let is_key = || word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    match word {
        _ if lengths == [8, 4, 4, 4, 12] && word.split('-').all(is_hex) => Some("UUID"),
        _ if word.contains(".lambda-url.") => Some("URL"),
        _ if word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit()) => Some("000000000000"),
        // Access keys, and the ids of roles and users.
        _ if (16..=32).contains(&word.len()) && word.starts_with('A') && is_key() => Some("KEY"),
        _ if word.len() >= 32 && is_hex(word) => Some("DIGEST"),
        _ => None,
    }
}

#[test]
fn a_report_identifies_no_account() {
    let text = "arn:aws:lambda:eu-west-1:123456789012:function:x at https://abc3.lambda-url.eu-west-1.on.aws/ for \
                AKIAIOSFODNN7EXAMPLE (RequestID: 8f507cfc-3d1c-4a1f-8a0b-3e4f0c1d2e3f), 52428800 bytes, \
                e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let shown = "arn:aws:lambda:eu-west-1:000000000000:function:x at https://URL/ for KEY (RequestID: UUID), 52428800 \
                 bytes, DIGEST";
    assert_eq!(without_ids(text), shown);
}
