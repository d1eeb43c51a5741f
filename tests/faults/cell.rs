//! One cell of the matrix: one call of one scenario meets one fault. Then the command is rerun without a fault.

use crate::cloud::Cloud;
use crate::found::{Found, plant_strangers};
use crate::scenario::{Scenario, Wanted};
use crate::support::bench::{LAMSTREAM, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use crate::support::proxy::{Call, Proxy};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// The longest that one attempt at one call may take, in seconds.
const ATTEMPT: &str = "1";
const ALIAS: &str = "/2015-03-31/functions/shop-chat/aliases/live";
/// The longest that a run may take: it may wait for as long as the function may run, 60 s, and then moves `live` back.
const LIMIT: Duration = Duration::from_secs(90);
/// How long AWS refuses what it will soon accept.
const MOMENT: Duration = Duration::from_millis(400);

/// A fault, and what a run that meets it must end with.
pub(crate) struct Kind {
    pub name: &'static str,
    fault: Fault,
    lasting: Lasting,
    ends: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// One mishap must not matter.
    Well,
    /// Nothing else can be expected.
    Badly,
    Killed,
}

const fn kind(name: &'static str, fault: Fault, lasting: Lasting, ends: Ending) -> Kind {
    Kind { name, fault, lasting, ends }
}

pub(crate) const KINDS: &[Kind] = &[
    kind("429", Fault::Answer(Answer::Throttled), Lasting::Once, Ending::Well),
    kind("429 ever", Fault::Answer(Answer::Throttled), Lasting::Ever, Ending::Badly),
    kind("500", Fault::Answer(Answer::Broken), Lasting::Once, Ending::Well),
    kind("500 ever", Fault::Answer(Answer::Broken), Lasting::Ever, Ending::Badly),
    kind("503", Fault::Answer(Answer::Unavailable), Lasting::Once, Ending::Well),
    kind("503 ever", Fault::Answer(Answer::Unavailable), Lasting::Ever, Ending::Badly),
    kind("dropped", Fault::DropBefore, Lasting::Once, Ending::Well),
    kind("dropped ever", Fault::DropBefore, Lasting::Ever, Ending::Badly),
    kind("reply lost", Fault::DropReply, Lasting::Once, Ending::Well),
    kind("replies lost ever", Fault::DropReply, Lasting::Ever, Ending::Badly),
    kind("held", Fault::Hold, Lasting::Once, Ending::Well),
    kind("held ever", Fault::Hold, Lasting::Ever, Ending::Badly),
    kind("conflict", Fault::Answer(Answer::Conflict), Lasting::For(MOMENT), Ending::Well),
    kind("precondition", Fault::Answer(Answer::Precondition), Lasting::For(MOMENT), Ending::Well),
    kind("not assumable", Fault::Answer(Answer::NotAssumable), Lasting::For(MOMENT), Ending::Well),
    kind("not visible yet", Fault::Answer(Answer::NotFound), Lasting::For(MOMENT), Ending::Well),
    kind("aborted", Fault::Answer(Answer::Aborted), Lasting::For(MOMENT), Ending::Well),
    kind("concurrent", Fault::Answer(Answer::Concurrent), Lasting::For(MOMENT), Ending::Well),
    kind("inactive", Fault::Answer(Answer::Inactive), Lasting::For(MOMENT), Ending::Well),
    kind("killed before", Fault::KillBefore, Lasting::Once, Ending::Killed),
    kind("killed after", Fault::KillAfter, Lasting::Once, Ending::Killed),
];

/// A call of an undisturbed run.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    call: String,
    /// The first call of this name is 1.
    occurrence: usize,
    carries_revision: bool,
    gives_role: bool,
    /// It only looks for old versions, or deletes one.
    prunes: bool,
    /// It asks a version before that has traffic.
    tries: bool,
    /// It is about something that this run made earlier, and that it cannot do without.
    needs_made: bool,
    /// It reads the function's log.
    reads_log: bool,
    /// It looks for functions that the manifest no longer names, which `destroy` needs and other commands only note.
    looks_for_orphans: bool,
    /// It reads a part of something that does not exist yet, beside the thing itself.
    reads_part_of_nothing: bool,
    /// It only writes down that the live release passed.
    remembers: bool,
}

impl Kind {
    /// Whether AWS could do so at this call.
    fn may_befall(&self, step: &Step) -> bool {
        let write = ["POST /", "PUT /", "DELETE /"].iter().any(|verb| step.call.starts_with(verb));
        let write = write && !step.tries;
        match self.fault {
            Fault::Answer(Answer::Conflict) => write,
            Fault::Answer(Answer::Precondition) => step.carries_revision,
            Fault::Answer(Answer::NotAssumable) => step.gives_role,
            Fault::Answer(Answer::NotFound) => step.needs_made,
            Fault::Answer(Answer::Aborted) => LOG_GROUP_WRITES.contains(&step.call.as_str()),
            Fault::Answer(Answer::Concurrent) => ROLE_WRITES.contains(&step.call.as_str()),
            Fault::Answer(Answer::Inactive) => step.tries,
            _ => true,
        }
    }

    /// How a run must end that meets it at this call.
    pub(crate) fn ends(&self, step: &Step) -> Ending {
        match self.ends {
            Ending::Killed => Ending::Killed,
            // What is live is not touched by it, and the next deploy prunes again.
            _ if step.prunes || step.remembers => Ending::Well,
            // Without the log, the checks decide alone; without the others, nothing is noted.
            _ if step.reads_log || step.looks_for_orphans || step.reads_part_of_nothing => Ending::Well,
            // An attempt may take as long as the function's timeout, so the run hangs if the call is held.
            _ if step.tries && self.fault == Fault::Hold => Ending::Badly,
            ends => ends,
        }
    }
}

impl Step {
    fn of(call: &Call, occurrence: usize, command: &str) -> Step {
        let says = |word: &str| String::from_utf8_lossy(&call.request).contains(word);
        let ends = |end: &str| call.name.ends_with(end);
        Step {
            occurrence,
            carries_revision: says("\"RevisionId\""),
            gives_role: says("\"Role\""),
            prunes: call.name.starts_with("GET ") && (ends("/versions") || ends("/aliases"))
                || call.name.starts_with("DELETE ") && call.name.contains("/shop-chat?Qualifier="),
            tries: call.name.contains("/response-streaming-invocations"),
            needs_made: false,
            reads_log: call.name == "FilterLogEvents",
            looks_for_orphans: ["ListRoles", "ListRoleTags"].contains(&call.name.as_str()) && command != "destroy",
            reads_part_of_nothing: false,
            remembers: call.name == format!("PUT {ALIAS}") && remembers_newest(&call.request),
            call: call.name.clone(),
        }
    }
}

/// Whether a call reads what belongs to a role, a log group or a function. The function's URLs are more: they show whether
/// the region has any.
fn is_read_of_part(call: &str) -> bool {
    let of_role = ["GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "ListTagsForResource"];
    let of_function = ["?Qualifier=live", "/policy", "/aliases/live"];
    let is_of_function = || call.starts_with("GET ") && of_function.iter().any(|part| call.contains(part));
    of_role.contains(&call) || is_of_function() && !call.contains("/url?")
}

/// What AWS refuses during another change of the log group.
const LOG_GROUP_WRITES: [&str; 6] =
    ["CreateLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "DeleteLogGroup", "TagResource", "UntagResource"];
/// What IAM refuses during another change of the role.
const ROLE_WRITES: [&str; 10] = [
    "CreateRole",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "PutRolePermissionsBoundary",
    "DeleteRole",
];
/// What makes something, and the beginnings of the calls that then need it.
const MAKERS: [(&str, &[&str]); 4] = [
    ("CreateLogGroup", &["PutRetentionPolicy"]),
    ("CreateRole", &["PutRolePolicy", "AttachRolePolicy"]),
    (
        "POST /2015-03-31/functions",
        &[
            "GET /2015-03-31/functions/shop-chat",
            "POST /2015-03-31/functions/shop-chat/",
            "PUT /2017-10-31/functions/shop-chat/",
            "POST /2021-10-31/functions/shop-chat/",
            "POST /2021-11-15/functions/shop-chat/",
        ],
    ),
    (
        "POST /2015-03-31/functions/shop-chat/versions",
        &["GET /2015-03-31/functions/shop-chat?Qualifier=", "POST /2021-11-15/functions/shop-chat/"],
    ),
];

/// Whether one of the calls before made what this one needs.
fn needs_made(step: &Step, before: &BTreeSet<String>) -> bool {
    let looks =
        ["/aliases", "/policy", "/url"].iter().any(|word| step.call.contains(word)) && step.call.starts_with("GET ");
    let needs = |(maker, needing): &(&str, &[&str])| {
        before.contains(*maker) && needing.iter().any(|start| step.call.starts_with(start))
    };
    !step.prunes && !step.remembers && !looks && MAKERS.iter().any(needs)
}

/// In a shift that ends itself, `live` moves again after most writes that say "verified": then a fault that lasts keeps it
/// from moving. And what the run made was found before the first move.
fn only_at_the_end(steps: &mut [Step]) {
    let is_move = |step: &Step| step.call == format!("PUT {ALIAS}") && !step.remembers;
    let moves: Vec<usize> = (0..steps.len()).filter(|nth| is_move(&steps[*nth])).collect();
    let (Some(first), Some(last)) = (moves.first(), moves.last()) else { return };
    steps[..*last].iter_mut().for_each(|step| step.remembers = false);
    steps[*first..].iter_mut().for_each(|step| step.needs_made = false);
}

/// Whether a write of the alias says that the version passed that it turns to last.
fn remembers_newest(request: &[u8]) -> bool {
    let body = request.windows(4).position(|end| end == b"\r\n\r\n").map_or(&[][..], |at| &request[at + 4..]);
    let alias: Value = serde_json::from_slice(body).unwrap();
    let weights = alias["RoutingConfig"]["AdditionalVersionWeights"].as_object();
    let newest = weights.and_then(|weights| weights.keys().next()).map(String::as_str);
    let newest = newest.or(alias["FunctionVersion"].as_str()).unwrap();
    alias["Description"].as_str().unwrap().contains(&format!("verified={newest}:"))
}

/// A scenario with all that is known of it undisturbed.
pub(crate) struct Prepared {
    pub scenario: &'static Scenario,
    data: TempDir,
    pub start: Found,
    pub goal: Found,
    pub steps: Vec<Step>,
}

impl Prepared {
    pub(crate) fn new(scenario: &'static Scenario) -> Prepared {
        let mut cloud = Cloud::new();
        for (wanted, command) in scenario.before {
            succeeded(&run(&cloud, &cloud.address, wanted, command, |_| {})).unwrap();
        }
        plant_strangers(&cloud, &std::fs::read(scenario.now.package()).unwrap());
        let start = Found::on(&cloud);
        serves(&cloud, &start, &start.answers).unwrap();
        cloud.stop();
        let data = std::mem::replace(&mut cloud.data, tempfile::tempdir().unwrap());

        let cloud = Cloud::copy_of(data.path());
        let proxy = Proxy::to(&cloud.address);
        scenario.ended_as_undisturbed(&run(&cloud, &proxy.address, &scenario.now, scenario.command, |_| {})).unwrap();
        let mut met = HashMap::new();
        let mut before = BTreeSet::new();
        let mut remembered = false;
        let step = |call: Call| {
            let occurrence = met.entry(call.name.clone()).and_modify(|met| *met += 1).or_insert(1);
            let step = Step::of(&call, *occurrence, scenario.command[0]);
            let reads_part_of_nothing =
                scenario.before.is_empty() && step.occurrence == 1 && is_read_of_part(&step.call);
            // These move `live` to a release that passed earlier. Others read it again if their revision was refused.
            let moves = scenario.bad || scenario.command[0] == "abort";
            let looks = remembered && step.call == format!("GET {ALIAS}");
            remembered = !moves && (step.remembers || looks);
            // If the alias cannot be read later, either, nothing writes down that the release passed.
            let remembers = remembered || reads_part_of_nothing && step.call == format!("GET {ALIAS}");
            let step = Step { remembers, reads_part_of_nothing, ..step };
            let needs_made = needs_made(&step, &before);
            before.insert(step.call.clone());
            Step { needs_made, ..step }
        };
        let mut steps: Vec<Step> = proxy.take_requests().into_iter().map(step).collect();
        // The alias is read again before that write if its revision has changed.
        for next in 1..steps.len() {
            steps[next - 1].remembers |= steps[next].remembers && steps[next - 1].call == format!("GET {ALIAS}");
        }
        if scenario.has_steps() {
            only_at_the_end(&mut steps);
        }
        let goal = Found::on(&cloud);
        serves(&cloud, &goal, &goal.answers).unwrap();
        Prepared { scenario, data, start, goal, steps }
    }
}

pub(crate) struct Cell<'a> {
    pub prepared: &'a Prepared,
    pub step: &'a Step,
    pub kind: &'a Kind,
}

impl<'a> Cell<'a> {
    /// Every call with every fault that may befall it.
    pub(crate) fn all(prepared: &'a Prepared) -> impl Iterator<Item = Cell<'a>> {
        let cells = move |step| KINDS.iter().map(move |kind| Cell { prepared, step, kind });
        prepared.steps.iter().flat_map(cells).filter(|cell| cell.kind.may_befall(cell.step))
    }

    pub(crate) fn name(&self) -> String {
        let Step { call, occurrence, .. } = self.step;
        format!("{}, {call} ({occurrence}), {}", self.prepared.scenario.name, self.kind.name)
    }

    /// # Errors
    /// What is not as it must be.
    pub(crate) fn run(&self) -> Result<(), String> {
        let Prepared { scenario, data, start, goal, .. } = self.prepared;
        let cloud = Cloud::copy_of(data.path());
        let proxy = Proxy::to(&cloud.address);
        let (call, occurrence) = (self.step.call.clone(), self.step.occurrence);
        proxy.set(Trap { call, occurrence, fault: self.kind.fault, lasting: self.kind.lasting });
        let before = Found::on(&cloud);
        let output = run(&cloud, &proxy.address, &scenario.now, scenario.command, |pid| proxy.aim(pid));
        if !proxy.sprung() {
            return Err(format!("the call was never made: {}", said(&output)));
        }
        let between = Found::on(&cloud);
        let told = |wrong: String| format!("{wrong}\n  the disturbed run: {}", said(&output));
        self.judge(&output, &between).map_err(told)?;
        self.serves_between(&cloud, &before, &between).map_err(told)?;
        if between.theirs != start.theirs && between.theirs != goal.theirs {
            return Err(told(format!("something of others' was touched: {}", between.difference(start))));
        }

        let again = run(&cloud, &cloud.address, &scenario.now, scenario.command, |_| {});
        let told = |wrong: String| told(format!("{wrong}\n  the second run: {}", said(&again)));
        scenario.ended_as_undisturbed(&again).map_err(told)?;
        let after = Found::on(&cloud);
        if !after.is(goal) {
            return Err(told(format!("the second run leads elsewhere:\n    {}", after.difference(goal))));
        }
        if after.url.is_some() && between.url.is_some() && after.url != between.url {
            return Err(told(format!("the address changed from {:?} to {:?}", between.url, after.url)));
        }
        serves(&cloud, &after, &goal.answers).map_err(told)
    }

    /// How the run ended, and whether what it said is true.
    fn judge(&self, output: &Output, between: &Found) -> Result<(), String> {
        let Prepared { goal, .. } = self.prepared;
        let ends = self.kind.ends(self.step);
        if ends == Ending::Killed {
            return if output.status.signal() == Some(9) { Ok(()) } else { Err("it was not killed".into()) };
        }
        let document: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("stdout is no document: {error}"))?;
        if self.prepared.scenario.bad {
            return self.judge_bad(&document, output, between);
        }
        if output.status.success() {
            if ends == Ending::Badly {
                return Err("it succeeded although the call never did".into());
            }
            succeeded(output)?;
            let says_not_pruned = String::from_utf8_lossy(&output.stderr)
                .contains("could not delete old versions (will retry on the next deploy): cannot ");
            if says_not_pruned && !self.step.prunes {
                return Err("old versions stay for no reason".into());
            }
            let says_unverified = String::from_utf8_lossy(&output.stderr).contains("counts as unverified, although");
            if says_unverified && !self.step.remembers {
                return Err("it counts as unverified for no reason".into());
            }
            let arrived = between.is(goal)
                || says_not_pruned && between.is_except_for_old_versions(goal)
                || says_unverified && between.is_but_unverified(goal);
            return if arrived {
                Ok(())
            } else {
                Err(format!("it says it arrived:\n    {}", between.difference(goal)))
            };
        }
        let error = &document["error"];
        let words = error["message"].as_str().unwrap_or_default();
        let kind = error["kind"].as_str().unwrap_or_default();
        if ends == Ending::Well {
            return Err("one mishap made it fail".into());
        }
        let is_known = ["cloud", "conflict"].contains(&kind) || kind == "verify" && self.step.tries;
        if output.status.code() != Some(1) || document["ok"] != false || !is_known {
            return Err("it does not fail as such a run should".into());
        }
        if !words.starts_with("cannot ")
            || matches!(self.kind.fault, Fault::Answer(Answer::Throttled | Answer::Broken))
                && !words.contains(Answer::WORDS)
        {
            return Err(format!("its message does not say what happened: {words}"));
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        if !stderr.contains(words) {
            return Err("stderr does not say what went wrong".into());
        }
        self.truth(&document["functions"][0], &stderr, between)
    }

    /// What the run lists as done is done, and what it lists as left was not started. Only the first item left may be half
    /// done, the role and the log group, which are created in parallel, and what AWS deletes with the function.
    fn truth(&self, function: &Value, stderr: &str, between: &Found) -> Result<(), String> {
        let Prepared { start, goal, .. } = self.prepared;
        let kinds = |name: &str| -> Vec<&str> {
            function[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let (done, left) = (kinds("done"), kinds("left"));
        let in_words = |kinds: &[&str]| match kinds {
            [] => "nothing".to_owned(),
            kinds => kinds.join(", ").replace('_', " ").replace("url", "URL"),
        };
        let line = format!("done: {}   left: {}\n", in_words(&done), in_words(&left));
        if !(stderr.contains(&line) || done.is_empty() && left.is_empty()) {
            return Err(format!("stderr does not say what stdout does: {line}"));
        }
        // A role may be widened first and narrowed last, and there are two statements.
        if let Some(kind) = done.iter().find(|kind| left.contains(kind) && !["role", "permission"].contains(kind)) {
            return Err(format!("{kind} is listed as both done and left"));
        }
        for (kind, now) in &between.ours {
            let (is_done, is_left) = (done.contains(kind), left.contains(kind));
            let side_by_side = ["role", "log_group"].contains(kind)
                && left.first().is_some_and(|first| ["role", "log_group"].contains(first));
            // AWS deletes them with the function.
            let with_function = ["permission", "release"].contains(kind)
                && left.first() == Some(&"function")
                && goal.ours["function"].is_null();
            let may_be_half_done = left.first() == Some(kind) || side_by_side || with_function;
            if is_done && !is_left && *now != goal.ours[kind] {
                return Err(format!("{kind} is not done: {now} instead of {}", goal.ours[kind]));
            }
            if is_left && !is_done && !may_be_half_done && *now != start.ours[kind] {
                return Err(format!("{kind} was begun: {now} instead of {}", start.ours[kind]));
            }
            let is_a_kind = !["verified", "latest", "versions", "other"].contains(kind);
            if is_a_kind && !is_done && !is_left && *now != start.ours[kind] {
                return Err(format!("{kind} is neither done nor left, and changed to {now}"));
            }
            if is_a_kind && !left.is_empty() && !is_done && !is_left && start.ours[kind] != goal.ours[kind] {
                return Err(format!("{kind} is neither done nor left, and has to change"));
            }
        }
        if left.is_empty() && done.is_empty() && !between.is(start) {
            return Err(format!("it says that it did nothing:\n    {}", between.difference(start)));
        }
        Ok(())
    }

    /// Who asked before can ask still: one whole release answers, the one before the run or the one after it.
    fn serves_between(&self, cloud: &Cloud, before: &Found, between: &Found) -> Result<(), String> {
        let Prepared { start, goal, .. } = self.prepared;
        let (Some(_), Some(_)) = (&start.url, &goal.url) else { return Ok(()) };
        if between.url != before.url {
            return Err(format!("the address changed from {:?} to {:?}", before.url, between.url));
        }
        if self.prepared.scenario.bad && between.answers != start.answers {
            // The run has said so; the next one moves it back.
            return Ok(());
        }
        let is_between = self.prepared.scenario.has_steps()
            && between.answers == start.answers.union(&goal.answers).cloned().collect();
        if between.answers != start.answers && between.answers != goal.answers && !is_between {
            return Err(format!("neither the old release nor the new one is live, but {:?}", between.answers));
        }
        serves(cloud, between, &between.answers)
    }
}

/// Whether the URL, if there is one, answers one of these.
fn serves(cloud: &Cloud, found: &Found, answers: &BTreeSet<String>) -> Result<(), String> {
    match body(cloud, found)? {
        Some(body) if !answers.contains(&body) => Err(format!("the URL answers {body:?} and not one of {answers:?}")),
        _ => Ok(()),
    }
}

/// What the URL answers; nothing where there is none.
pub(crate) fn body(cloud: &Cloud, found: &Found) -> Result<Option<String>, String> {
    let Some(url) = &found.url else { return Ok(None) };
    match cloud.ask(url) {
        (200, body) => Ok(Some(body)),
        (status, body) => Err(format!("{url} answers {status}: {body}")),
    }
}

pub(crate) fn succeeded(output: &Output) -> Result<(), String> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let well = output.status.code() == Some(0) && document["ok"] == true && document["error"].is_null();
    if well { Ok(()) } else { Err(format!("it did not end well: {}", said(output))) }
}

/// The real binary on `endpoint`, with nothing of this machine's settings.
pub(crate) fn run(
    cloud: &Cloud,
    endpoint: &str,
    wanted: &Wanted,
    command: &[&str],
    started: impl FnOnce(u32),
) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("deploy.toml"), wanted.manifest()).unwrap();
    let mut run = Command::new(LAMSTREAM);
    run.args(command).args(["--output", "json"]).env_clear().current_dir(directory.path());
    if command[0] == "deploy" {
        run.arg(format!("--package={}", Path::new(&wanted.package()).display()));
    }
    run.envs(cloud.variables()).env("AWS_ENDPOINT_URL", endpoint).env("HOME", directory.path());
    run.env("LAMSTREAM_ATTEMPT_TIMEOUT", ATTEMPT);
    let child = run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    started(pid);
    let (ended, end) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let too_late = end.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if let Some(pid) = rustix::process::Pid::from_raw(pid as i32).filter(|_| too_late) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::ABORT);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    watch.join().unwrap();
    output
}
