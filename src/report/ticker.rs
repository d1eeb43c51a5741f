//! The running steps of each function, and how long each has taken.

use super::story::{Turn, WAITING, turn};
use super::style::Line;
use crate::apply::Event;
use crate::text::palette::CYAN;
use std::time::{Duration, Instant};

/// Outside a terminal, a running step is reported after these times, and then every minute.
const REPORTS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
const MINUTE: Duration = Duration::from_secs(60);
/// A wait that was not reported for this long is over.
const SILENCE: Duration = Duration::from_secs(3);

/// With more running steps than this, only rate limits are reported outside a terminal while there are any.
const MANY: usize = 8;

/// A running step.
struct Activity {
    function: String,
    verb: &'static str,
    about: String,
    began: Instant,
    /// How many times it was reported.
    reports: u32,
    /// When a wait counts as over: waits are reported at least once a second, but their end is not.
    over: Option<Instant>,
    /// Whether calls of any function wait for a service's rate limit.
    is_rate_limit: bool,
}

impl Activity {
    fn line(&self, now: Instant) -> Line {
        Line::verb(CYAN, self.verb, &self.about).took(now.saturating_duration_since(self.began))
    }

    /// Whether a report is due. Missed reports are skipped.
    fn is_due(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.began);
        let minutes = (elapsed.as_secs() / MINUTE.as_secs()) as u32;
        let due = REPORTS.iter().filter(|report| elapsed >= **report).count() as u32 + minutes;
        let is_due = due > self.reports;
        self.reports = due;
        is_due
    }
}

/// All running steps.
#[derive(Default)]
pub(super) struct Ticker {
    running: Vec<Activity>,
}

impl Ticker {
    pub(super) fn on(&mut self, event: &Event, now: Instant) {
        match turn(event) {
            Turn::Begins { function, verb, about } => {
                if self.running.iter().any(|running| running.function == function && running.about == about) {
                    return;
                }
                self.begin(function, verb, about, now);
            }
            Turn::Waits { function, about, elapsed } => self.wait(function, about, elapsed, now),
            Turn::Throttled { service, about, wait } => self.throttle(service, about, now + wait, now),
            Turn::Verifies { function, about } => {
                self.stop(function, WAITING);
                self.begin(function, "Verifying", about, now);
            }
            Turn::Goes { function, verb, about } => {
                match self.running.iter_mut().find(|running| running.function == function && running.verb == verb) {
                    Some(running) => running.about = about,
                    None => self.begin(function, verb, about, now),
                }
            }
            Turn::Stops { function, verb } => self.stop(function, verb),
            Turn::Ends { function, about } => {
                self.running.retain(|running| running.function != function || running.about != about);
            }
            Turn::EndsAll { function } => {
                self.running.retain(|running| running.is_rate_limit || running.function != function)
            }
            Turn::Nothing => {}
        }
    }

    fn begin(&mut self, function: &str, verb: &'static str, about: String, now: Instant) {
        let function = function.to_owned();
        self.running.push(Activity { function, verb, about, began: now, reports: 0, over: None, is_rate_limit: false });
    }

    /// A function has one wait at a time.
    fn wait(&mut self, function: &str, about: String, elapsed: Duration, now: Instant) {
        let same =
            |running: &&mut Activity| running.function == function && running.verb == WAITING && running.about == about;
        if self.running.iter_mut().find(same).is_none() {
            self.stop(function, WAITING);
            self.begin(function, WAITING, about, now.checked_sub(elapsed).unwrap_or(now));
        }
        let waits = self.running.iter_mut().filter(|running| !running.is_rate_limit && running.function == function);
        let waits = waits.filter(|running| running.verb == WAITING);
        waits.for_each(|running| running.over = Some(now + SILENCE));
    }

    /// A service's calls wait beside the steps that make them.
    fn throttle(&mut self, service: &'static str, about: String, until: Instant, now: Instant) {
        self.end_waits(now);
        let known = self.running.iter_mut().find(|running| running.is_rate_limit && running.function == service);
        if let Some(known) = known {
            known.over = known.over.max(Some(until));
            return;
        }
        self.begin(service, WAITING, about, now);
        if let Some(begun) = self.running.last_mut() {
            (begun.over, begun.is_rate_limit) = (Some(until), true);
        }
    }

    fn stop(&mut self, function: &str, verb: &str) {
        self.running.retain(|running| running.is_rate_limit || running.function != function || running.verb != verb);
    }

    pub(super) fn end_all(&mut self) {
        self.running.clear();
    }

    fn end_waits(&mut self, now: Instant) {
        self.running.retain(|running| running.over.is_none_or(|over| now < over));
    }

    /// A line for each step. Functions that wait for the same thing share a line.
    pub(super) fn lines(&mut self, now: Instant) -> Vec<Line> {
        self.end_waits(now);
        let same = |one: &Activity, other: &Activity| one.verb == other.verb && one.about == other.about;
        let seen = |nth: usize, running: &Activity| self.running[..nth].iter().any(|before| same(before, running));
        let lines = self.running.iter().enumerate().filter(|(nth, running)| !seen(*nth, running));
        lines.map(|(_, running)| running.line(now)).collect()
    }

    /// A line for each function whose latest step is due for a report. Earlier steps may contain the latest one.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        self.end_waits(now);
        let due: Vec<bool> = self.running.iter_mut().map(|running| running.is_due(now)).collect();
        let is_latest = |nth: usize, running: &Activity| {
            self.running[nth + 1..].iter().all(|later| later.function != running.function)
        };
        // The steps of many functions that wait for the same would be hundreds of lines.
        let is_about_limits = self.running.len() > MANY && self.running.iter().any(|running| running.is_rate_limit);
        let latest = self.running.iter().enumerate().filter(|(nth, running)| due[*nth] && is_latest(*nth, running));
        latest
            .filter(|(_, running)| running.is_rate_limit || !is_about_limits)
            .map(|(_, running)| running.line(now))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Checked;

    #[test]
    fn a_long_step_reports_after_10_30_and_60_seconds_and_then_every_minute() {
        let (mut ticker, began) = (Ticker::default(), Instant::now());
        ticker.on(&Event::Reading { what: "the account" }, began);
        let mut reported = Vec::new();
        for tenth in 0..2000 {
            let now = began + Duration::from_millis(tenth * 100);
            let due = ticker.due(now);
            assert!(due.len() <= 1, "{due:?}");
            reported.extend(due.iter().map(|_| tenth / 10));
        }
        assert_eq!(reported, [10, 30, 60, 120, 180]);
        ticker.on(&Event::Read { what: "the account" }, began);
        assert_eq!(ticker.due(began + MINUTE * 10), []);
    }

    #[test]
    fn a_function_waits_for_one_thing_and_several_may_wait_for_the_same() {
        let (mut ticker, now) = (Ticker::default(), Instant::now());
        for (function, for_what) in [("ant", "the role"), ("ant", "an update"), ("zebra", "an update")] {
            let (function, for_what) = (function.to_owned(), for_what.to_owned());
            ticker.on(&Event::Waiting { function, for_what, elapsed: Duration::ZERO }, now);
        }
        assert_eq!(ticker.lines(now), [Line::verb(CYAN, WAITING, "for an update").took(Duration::ZERO)]);
    }

    #[test]
    fn rate_limits_have_a_line_for_each_service_while_calls_wait() {
        let (mut ticker, began) = (Ticker::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        for (service, second) in [("IAM", 0), ("Lambda", 1), ("IAM", 2)] {
            ticker.on(&Event::RateLimited { service, wait: Duration::from_secs(5) }, at(second));
        }
        let said = |lines: Vec<Line>| lines.iter().map(Line::to_string).collect::<Vec<_>>().join("\n");
        let lines = said(ticker.lines(at(4)));
        assert!(
            lines.contains("for AWS's rate limit of IAM") && lines.contains("for AWS's rate limit of Lambda"),
            "{lines}"
        );
        // IAM's calls wait until the seventh second, Lambda's until the sixth.
        assert!(!said(ticker.lines(at(6))).contains("Lambda"));
        assert_eq!(ticker.lines(at(7)), []);
    }

    #[test]
    fn many_functions_that_wait_for_a_rate_limit_are_one_line() {
        let (mut ticker, began) = (Ticker::default(), Instant::now());
        for nth in 0..100 {
            ticker.on(&Event::Building { function: format!("f{nth}") }, began);
        }
        ticker.on(&Event::RateLimited { service: "IAM", wait: Duration::from_secs(60) }, began);
        let due = ticker.due(began + Duration::from_secs(11));
        assert_eq!(due, [Line::verb(CYAN, WAITING, "for AWS's rate limit of IAM").took(Duration::from_secs(11))]);
    }

    #[test]
    fn a_wait_has_taken_what_is_said_of_it() {
        let (mut ticker, now) = (Ticker::default(), Instant::now());
        let elapsed = Duration::from_secs(12);
        let event = Event::Waiting { function: "ant".to_owned(), for_what: "an update".to_owned(), elapsed };
        ticker.on(&event, now);
        assert_eq!(ticker.due(now), [Line::verb(CYAN, WAITING, "for an update").took(elapsed)]);
    }

    #[test]
    fn a_wait_that_is_not_heard_of_is_over_and_only_the_latest_step_reports() {
        let (mut ticker, began) = (Ticker::default(), Instant::now());
        let at = |tenths| began + Duration::from_millis(tenths * 100);
        let wait = |tenths: u64| Event::Waiting {
            function: "ant".to_owned(),
            for_what: "an update".to_owned(),
            elapsed: Duration::from_millis(tenths * 100),
        };
        ticker.on(&Event::Building { function: "ant".to_owned() }, began);
        for tenths in (0..120).step_by(10) {
            ticker.on(&wait(tenths), at(tenths));
        }
        assert_eq!(
            ticker.due(at(115)),
            [Line::verb(CYAN, WAITING, "for an update").took(Duration::from_millis(11_500))]
        );
        // Not reported any more.
        assert_eq!(ticker.lines(at(145)).len(), 1);
        // Once verification starts, the wait is over.
        ticker.on(&wait(150), at(150));
        ticker.on(&Event::Verifying { function: "ant".to_owned(), what: Checked::Version("2".to_owned()) }, at(151));
        let said: Vec<String> = ticker.lines(at(152)).iter().map(Line::to_string).collect();
        assert!(said.len() == 2 && said.iter().all(|line| !line.contains(WAITING)), "{said:?}");
    }

    #[test]
    fn each_step_has_its_own_time() {
        let (mut ticker, began) = (Ticker::default(), Instant::now());
        for (function, seconds) in [("ant", 0), ("zebra", 5)] {
            let event = Event::Building { function: function.to_owned() };
            ticker.on(&event, began + Duration::from_secs(seconds));
        }
        let at = |seconds| began + Duration::from_secs(seconds);
        let said = |lines: Vec<Line>| lines.iter().map(Line::to_string).collect::<Vec<_>>().join("\n");
        assert!(said(ticker.due(at(11))).contains("ant"));
        let second = said(ticker.due(at(16)));
        assert!(second.contains("zebra") && second.ends_with(" 11.0s"), "{second}");
        assert_eq!(ticker.due(at(17)), []);
    }
}
