//! The steps that are going on, function by function, and how long each has taken.

use super::story::{Turn, WAITING, turn};
use super::style::Line;
use crate::apply::Event;
use crate::text::palette::CYAN;
use std::time::{Duration, Instant};

/// Outside a terminal, a step reports when it has taken this long, and then every minute.
const REPORTS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
const MINUTE: Duration = Duration::from_secs(60);

/// A step that has begun and not ended.
struct Going {
    function: String,
    verb: &'static str,
    about: String,
    began: Instant,
    /// How often it has reported.
    reports: u32,
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
                // A function waits for one thing at a time.
                if verb == WAITING {
                    self.stop(function, WAITING);
                }
                self.begin(function, verb, about, now);
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
        self.going.push(Going { function: function.to_owned(), verb, about, began: now, reports: 0 });
    }

    fn stop(&mut self, function: &str, verb: &str) {
        self.going.retain(|going| going.function != function || going.verb != verb);
    }

    pub fn end_all(&mut self) {
        self.going.clear();
    }

    /// A line for each step; for functions that wait for the same thing, only one.
    pub fn lines(&self, now: Instant) -> Vec<Line> {
        let same = |one: &Going, other: &Going| one.verb == other.verb && one.about == other.about;
        let seen = |nth: usize, going: &Going| self.going[..nth].iter().any(|before| same(before, going));
        let lines = self.going.iter().enumerate().filter(|(nth, going)| !seen(*nth, going));
        lines.map(|(_, going)| going.line(now)).collect()
    }

    /// A line for each step whose next report is due.
    pub fn due(&mut self, now: Instant) -> Vec<Line> {
        self.going.iter_mut().filter_map(|going| going.is_due(now).then(|| going.line(now))).collect()
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
