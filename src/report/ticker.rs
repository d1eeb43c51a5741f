//! The steps that are going on, function by function, and how long each has taken.

use super::story::{Turn, WAITING, turn};
use super::style::Line;
use crate::apply::Event;
use crate::text::palette::CYAN;
use std::time::{Duration, Instant};

/// Outside a terminal, a step reports when it has taken this long, and then every minute.
const REPORTS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
const MINUTE: Duration = Duration::from_secs(60);
/// A wait that has not been heard of for this long is over.
const SILENCE: Duration = Duration::from_secs(3);

/// A step that has begun and not ended.
struct Going {
    function: String,
    verb: &'static str,
    about: String,
    began: Instant,
    /// How often it has reported.
    reports: u32,
    /// A wait says so at least once a second, but not that it ends: when it counts as over.
    over: Option<Instant>,
}

impl Going {
    fn line(&self, now: Instant) -> Line {
        Line::verb(CYAN, self.verb, &self.about).took(now.saturating_duration_since(self.began))
    }

    /// Whether a report is due. Reports that were missed are skipped.
    fn is_due(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.began);
        let minutes = (elapsed.as_secs() / MINUTE.as_secs()) as u32;
        let due = REPORTS.iter().filter(|report| elapsed >= **report).count() as u32 + minutes;
        let is_due = due > self.reports;
        self.reports = due;
        is_due
    }
}

/// All steps that are going on.
#[derive(Default)]
pub(super) struct Ticker {
    going: Vec<Going>,
}

impl Ticker {
    pub fn on(&mut self, event: &Event, now: Instant) {
        match turn(event) {
            Turn::Begins { function, verb, about } => {
                if self.going.iter().any(|going| going.function == function && going.about == about) {
                    return;
                }
                self.begin(function, verb, about, now);
            }
            Turn::Waits { function, about, elapsed } => self.wait(function, about, elapsed, now),
            Turn::Verifies { function, about } => {
                self.stop(function, WAITING);
                self.begin(function, "Verifying", about, now);
            }
            Turn::Goes { function, verb, about } => {
                match self.going.iter_mut().find(|going| going.function == function && going.verb == verb) {
                    Some(going) => going.about = about,
                    None => self.begin(function, verb, about, now),
                }
            }
            Turn::Stops { function, verb } => self.stop(function, verb),
            Turn::Ends { function, about } => {
                self.going.retain(|going| going.function != function || going.about != about);
            }
            Turn::EndsAll { function } => self.going.retain(|going| going.function != function),
            Turn::Nothing => {}
        }
    }

    fn begin(&mut self, function: &str, verb: &'static str, about: String, now: Instant) {
        let function = function.to_owned();
        self.going.push(Going { function, verb, about, began: now, reports: 0, over: None });
    }

    /// A function waits for one thing at a time.
    fn wait(&mut self, function: &str, about: String, elapsed: Duration, now: Instant) {
        let same = |going: &&mut Going| going.function == function && going.verb == WAITING && going.about == about;
        if self.going.iter_mut().find(same).is_none() {
            self.stop(function, WAITING);
            self.begin(function, WAITING, about, now.checked_sub(elapsed).unwrap_or(now));
        }
        let waits = self.going.iter_mut().filter(|going| going.function == function && going.verb == WAITING);
        waits.for_each(|going| going.over = Some(now + SILENCE));
    }

    fn stop(&mut self, function: &str, verb: &str) {
        self.going.retain(|going| going.function != function || going.verb != verb);
    }

    pub fn end_all(&mut self) {
        self.going.clear();
    }

    fn end_waits(&mut self, now: Instant) {
        self.going.retain(|going| going.over.is_none_or(|over| now < over));
    }

    /// A line for each step; for functions that wait for the same thing, only one.
    pub fn lines(&mut self, now: Instant) -> Vec<Line> {
        self.end_waits(now);
        let same = |one: &Going, other: &Going| one.verb == other.verb && one.about == other.about;
        let seen = |nth: usize, going: &Going| self.going[..nth].iter().any(|before| same(before, going));
        let lines = self.going.iter().enumerate().filter(|(nth, going)| !seen(*nth, going));
        lines.map(|(_, going)| going.line(now)).collect()
    }

    /// A line for each function whose latest step is due to report: a step may be part of an earlier one.
    pub fn due(&mut self, now: Instant) -> Vec<Line> {
        self.end_waits(now);
        let due: Vec<bool> = self.going.iter_mut().map(|going| going.is_due(now)).collect();
        let is_latest =
            |nth: usize, going: &Going| self.going[nth + 1..].iter().all(|later| later.function != going.function);
        let latest = self.going.iter().enumerate().filter(|(nth, going)| due[*nth] && is_latest(*nth, going));
        latest.map(|(_, going)| going.line(now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // Nothing more is heard of it.
        assert_eq!(ticker.lines(at(145)).len(), 1);
        // What is verified is no longer waited for.
        ticker.on(&wait(150), at(150));
        ticker.on(&Event::Verifying { function: "ant".to_owned(), what: "version 2".to_owned() }, at(151));
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
