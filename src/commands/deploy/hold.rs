//! Holds a step of a shift for its time, and looks at the new version again and again meanwhile: its checks, its requests by
//! its log, and whether `live` is as this run left it.

use crate::apply::{Event, Observed, Reason};
use crate::aws::{LogReader, Split, Spread};
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::commands::verification::{Scope, Verification};
use crate::failure::{Failure, FailureKind};
use crate::logs::{Counted, Since, Traffic};
use crate::manifest::ShiftRule;
use crate::report::{StepAnswer, StepVerdict};
use crate::stack::{Stack, Steps, Weight, spelled_time};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How many looks a step has, unless they would be further apart than `FURTHEST` or closer than `CLOSEST`.
const LOOKS: u32 = 10;
const FURTHEST: Duration = Duration::from_secs(30);
const CLOSEST: Duration = Duration::from_secs(1);
/// How many requests a verdict by traffic needs. With fewer, as many may fail or be late as with this many.
const ENOUGH: usize = 100;
/// Of 100 requests, so many may have their first byte later than `max_first_byte`.
const LATE: usize = 5;

/// The time between two looks at a step.
pub(super) fn interval(steps: &Steps) -> Duration {
    (steps.each / LOOKS).clamp(CLOSEST, FURTHEST)
}

/// When the next look is due, counted from the beginning of the step. Looks that are missed are left out, and the last one
/// is due at the end.
fn next_look(elapsed: Duration, steps: &Steps) -> Duration {
    let interval = interval(steps);
    let nth = elapsed.as_nanos() / interval.as_nanos() + 1;
    let next = interval.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX));
    next.min(steps.each)
}

/// The looks at a new version during its shift.
pub(super) struct Watch<'a> {
    session: &'a Session,
    job: &'a Job<'a>,
    rule: &'a ShiftRule,
    checks: Verification<'a>,
    log: LogReader<'a>,
    traffic: Traffic,
    /// What was noted already, so that it is said once.
    noted: Vec<&'static str>,
}

/// What was seen of one step.
#[derive(Default)]
struct Seen {
    checks: usize,
    /// Whether the log was read.
    has_log: bool,
}

impl<'a> Watch<'a> {
    /// `target` and `observed` are those of the step. `version` is the one that is judged.
    pub(super) fn new(
        session: &'a Session,
        job: &'a Job<'a>,
        rule: &'a ShiftRule,
        (target, observed): (&'a Stack, &'a Observed),
        version: &str,
    ) -> Watch<'a> {
        let names = job.names();
        let (group, own) = (names.log_group(), names.own_log_group());
        let function = (group != own).then(|| names.function_name());
        let checks = Verification::of(session, job, target, observed, Scope::All);
        Watch {
            session,
            job,
            rule,
            checks: checks.with_first_byte_within(rule.limits.max_first_byte),
            log: LogReader::new(job.place.account, group, function, Since::Ago(Duration::ZERO)),
            traffic: Traffic::of(version),
            noted: Vec::new(),
        }
    }

    /// Starts to read the log here: what is in it already is not judged.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        self.read_log().await.map(drop)
    }

    /// Holds this split of the traffic until the time of a step is over.
    ///
    /// # Errors
    /// With the first reason to end the shift; of the kind `Verify` if the version is at fault, `Conflict` if another process
    /// moved the traffic, `Interrupted` after a signal.
    pub(super) async fn hold(&mut self, split: &Split) -> (StepAnswer, Result<(), Failure>) {
        let (function, what) = (self.job.function.name.clone(), words(split));
        self.session.console.tell(&Event::Holding { function: function.clone(), what: what.clone() });
        self.traffic.restart();
        let (began, mut seen) = (Instant::now(), Seen::default());
        let result = self.look_until_the_end(split, began, &mut seen).await;
        let took = began.elapsed();
        let step = self.step(split.weight, took, &seen, &result);
        self.session.console.tell(&match &result {
            Ok(()) => Event::Held { function, what, took, seen: self.summed_up(&seen) },
            Err(_) => Event::NotHeld { function, what },
        });
        if result.is_ok() && !step.is_enough && !self.noted.contains(&FEW) {
            self.note(FEW, &format!("fewer than {ENOUGH} requests in a step: its checks decide alone"));
        }
        (step, result)
    }

    async fn look_until_the_end(&mut self, split: &Split, began: Instant, seen: &mut Seen) -> Result<(), Failure> {
        let steps = &self.rule.steps;
        loop {
            let due = next_look(began.elapsed(), steps);
            self.session.until_stopped(sleep_until(began + due)).await?;
            self.look(split, seen).await?;
            if due >= steps.each {
                return Ok(());
            }
        }
    }

    async fn look(&mut self, split: &Split, seen: &mut Seen) -> Result<(), Failure> {
        let checked = self.session.until_stopped(self.checks.look_at(&split.shifted)).await?;
        let mut verdict = match checked {
            Ok(passed) => passed,
            // Its requests use up the function's concurrency, which says nothing against the version.
            Err(error) if error.reason == Reason::Throttled => {
                self.note(BUSY, "no concurrency is left for its checks: its requests decide alone meanwhile");
                Ok(())
            }
            Err(error) => Err(error.into()),
        };
        seen.checks += usize::from(verdict.is_ok());
        if verdict.is_ok() {
            seen.has_log |= self.read_log().await?;
            verdict = self.judge_traffic();
        }
        // What was seen may be another process's doing.
        match self.session.until_stopped(self.job.place.spread()).await? {
            Ok(Spread::Split(now)) if now == *split => verdict,
            Ok(now) => Err(Failure::moved_meanwhile(&self.job.function.name, &described(&now))),
            Err(error) => verdict.and(Err(error.into())),
        }
    }

    /// Reads what is new in the log. Returns false if it cannot be read, which is not the version's fault.
    async fn read_log(&mut self) -> Result<bool, Failure> {
        self.job.place.take_invoked().into_iter().for_each(|request| self.traffic.leave_out(request));
        loop {
            match self.session.until_stopped(self.log.page()).await? {
                Ok(None) => return Ok(true),
                Ok(Some(page)) => {
                    page.events.iter().for_each(|event| self.traffic.read(&event.stream, &event.message));
                    if !page.more {
                        return Ok(true);
                    }
                }
                Err(error) => {
                    self.note(UNREAD, &format!("{error}; without the log, its checks decide alone"));
                    return Ok(false);
                }
            }
        }
    }

    fn judge_traffic(&mut self) -> Result<(), Failure> {
        let (name, limits, counted) = (&self.job.function.name, &self.rule.limits, self.traffic.counted());
        let Counted { requests, errors, timed, .. } = counted;
        let version = self.traffic.version();
        if errors > limits.max_errors.of(requests.max(ENOUGH)) {
            return Err(Failure::requests_failed(name, version, [errors, requests], limits.max_errors));
        }
        let Some(limit) = limits.max_first_byte else { return Ok(()) };
        let late = self.traffic.later_than(limit);
        if late > timed.max(ENOUGH) * LATE / 100 {
            return Err(Failure::requests_late(name, version, [late, timed], limit));
        }
        if requests > 0 && timed == 0 {
            self.note(
                UNTIMED,
                "its log has no first bytes, so `max_first_byte` applies to its checks alone; `log = { format = \"json\", \
                 system_level = \"debug\" }` adds them",
            );
        }
        Ok(())
    }

    fn step(&self, weight: Weight, held: Duration, seen: &Seen, result: &Result<(), Failure>) -> StepAnswer {
        let counted = seen.has_log.then(|| self.traffic.counted());
        StepAnswer {
            weight,
            held,
            checks: seen.checks,
            requests: counted.map(|counted| counted.requests),
            errors: counted.map(|counted| counted.errors),
            first_byte: counted.and_then(|counted| counted.first_byte),
            is_enough: counted.is_some_and(|counted| counted.requests >= ENOUGH),
            verdict: match result {
                Ok(()) => StepVerdict::Passed,
                Err(failure) if failure.kind == FailureKind::Verify => StepVerdict::Failed,
                Err(_) => StepVerdict::Unknown,
            },
        }
    }

    /// Such as "20 checks passed, 1204 requests, 3 errors".
    fn summed_up(&self, seen: &Seen) -> String {
        let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let checks = format!("its checks passed {}", plural(seen.checks, "time"));
        if !seen.has_log {
            return checks;
        }
        let counted = self.traffic.counted();
        let first_byte = counted.first_byte.map(|time| format!(", first byte within {} ms", time.as_millis()));
        let (requests, errors) = (plural(counted.requests, "request"), plural(counted.errors, "error"));
        format!("{checks}, {requests}, {errors}{}", first_byte.unwrap_or_default())
    }

    /// Says something of the function once.
    fn note(&mut self, what: &'static str, words: &str) {
        if !self.noted.contains(&what) {
            self.noted.push(what);
            self.session.console.note(&format!("`{}`: {words}", self.job.function.name));
        }
    }
}

const FEW: &str = "few";
const BUSY: &str = "busy";
const UNREAD: &str = "unread";
const UNTIMED: &str = "untimed";

/// Such as "10% of the traffic on version 3".
fn words(split: &Split) -> String {
    format!("{} of the traffic on version {}", split.weight, split.shifted)
}

/// Says who gets the traffic.
pub(super) fn described(spread: &Spread) -> String {
    match spread {
        Spread::Split(Split { shifted, weight, .. }) => format!("version {shifted} gets {weight} of the traffic now"),
        Spread::Whole(version) => format!("version {version} gets all of the traffic now"),
        Spread::Nothing => "nothing is live now".to_owned(),
    }
}

/// Says how the shift goes on, before it begins.
pub(super) fn tell_steps(session: &Session, name: &str, rule: &ShiftRule) {
    let percents: Vec<String> = rule.steps.percents().iter().map(|percent| format!("{percent}%")).collect();
    let (each, every) = (spelled_time(rule.steps.each), interval(&rule.steps).min(rule.steps.each));
    session.console.note(&format!(
        "`{name}`: the new release gets {} of the traffic, {each} each, then all of it; its checks are asked every {}",
        percents.join(", then "),
        spelled_time(every)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(each: &str, took: Duration) -> Vec<u128> {
        let steps = Steps::parse(&format!("10/{each}")).unwrap();
        let (mut looks, mut now) = (Vec::new(), Duration::ZERO);
        loop {
            let due = next_look(now, &steps);
            looks.push(due.as_millis());
            if due >= steps.each {
                return looks;
            }
            now = due + took;
        }
    }

    /// They neither drift nor pile up, and the last one is at the end.
    #[test]
    fn looks_are_at_fixed_times() {
        let (quick, slow) = (Duration::from_millis(7), Duration::from_millis(2500));
        assert_eq!(looks("300", quick), [300]);
        assert_eq!(looks("2500", quick), [1000, 2000, 2500]);
        assert_eq!(looks("20000", quick), [2000, 4000, 6000, 8000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000]);
        assert_eq!(looks("20000", slow), [2000, 6000, 10_000, 14_000, 18_000, 20_000]);
        assert_eq!(looks("600000", quick).len(), 20);
    }
}
