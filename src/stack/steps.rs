//! The steps of a shift that ends itself.

use super::live::Weight;
use std::fmt;
use std::time::Duration;

/// The shares of the traffic that a new release gets one after the other, before it gets all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// From 1 to 99, rising; at least one.
    percents: Vec<u8>,
    /// How long each share is held.
    pub each: Duration,
}

impl Steps {
    /// The most steps that a shift may have.
    pub const MOST: usize = 10;
    /// The longest time for which a step may be held.
    pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// `None` unless the percentages rise, each from 1 to 99, and the time is above 0 and at most a day.
    pub fn new(percents: Vec<u8>, each: Duration) -> Option<Steps> {
        let is_one = Steps::rise(&percents) && !each.is_zero() && each <= Steps::LONGEST;
        is_one.then_some(Steps { percents, each })
    }

    /// Whether these can be the shares of a shift.
    pub fn rise(percents: &[u8]) -> bool {
        (1..=Steps::MOST).contains(&percents.len())
            && percents.iter().all(|percent| (1..=99).contains(percent))
            && percents.windows(2).all(|pair| pair[0] < pair[1])
    }

    pub fn percents(&self) -> &[u8] {
        &self.percents
    }

    /// The share of a step, counted from 0.
    pub fn weight(&self, nth: usize) -> Option<Weight> {
        self.percents.get(nth).and_then(|percent| Weight::percent(*percent))
    }

    /// The step with this share, counted from 0.
    pub fn nth(&self, weight: Weight) -> Option<usize> {
        self.percents.iter().position(|percent| Weight::percent(*percent) == Some(weight))
    }

    /// The step at which a shift with this share of the traffic goes on: the first that is not smaller, or else the last.
    pub fn resumed(&self, weight: Option<Weight>) -> usize {
        let is_reached = |percent: &u8| Weight::percent(*percent) >= weight;
        self.percents.iter().position(is_reached).unwrap_or(self.percents.len() - 1)
    }

    /// Parses what [`Steps`] is displayed as.
    pub fn parse(text: &str) -> Option<Steps> {
        let (percents, each) = text.split_once('/')?;
        let percents = percents.split(',').map(|percent| percent.parse().ok()).collect::<Option<Vec<u8>>>()?;
        Steps::new(percents, Duration::from_millis(each.parse().ok()?))
    }
}

/// Such as `10,50/600000`, with the time in milliseconds.
impl fmt::Display for Steps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percents: Vec<String> = self.percents.iter().map(u8::to_string).collect();
        write!(formatter, "{}/{}", percents.join(","), self.each.as_millis())
    }
}

/// A time as the manifest spells it: `10m`, `90s` or `300ms`.
pub fn spelled_time(time: Duration) -> String {
    match time.as_millis() {
        milliseconds if milliseconds % 60_000 == 0 => format!("{}m", milliseconds / 60_000),
        milliseconds if milliseconds % 1000 == 0 => format!("{}s", milliseconds / 1000),
        milliseconds => format!("{milliseconds}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_are_written() {
        for text in ["10/600000", "1,2,99/300"] {
            assert_eq!(Steps::parse(text).unwrap().to_string(), text);
        }
        let day = Steps::LONGEST.as_millis();
        let wrong = ["", "10", "10/", "0/5", "100/5", "10,10/5", "50,10/5", "a/5", "10/0", "10,/5"];
        for text in wrong.iter().map(|text| (*text).to_owned()).chain([format!("10/{}", day + 1)]) {
            assert_eq!(Steps::parse(&text), None, "{text}");
        }
        assert!(Steps::rise(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) && !Steps::rise(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    }

    #[test]
    fn a_shift_goes_on_where_it_is() {
        let steps = Steps::parse("10,50/1").unwrap();
        let at = |percent| steps.resumed(Weight::percent(percent));
        assert_eq!((at(10), at(11), at(50), at(70), steps.resumed(None)), (0, 1, 1, 1, 0));
        let nth = |percent| steps.nth(Weight::percent(percent).unwrap());
        assert_eq!((nth(50), nth(49)), (Some(1), None));
    }

    #[test]
    fn times_are_spelled_as_in_the_manifest() {
        let spelled = |milliseconds| spelled_time(Duration::from_millis(milliseconds));
        assert_eq!([600_000, 90_000, 300].map(spelled), ["10m", "90s", "300ms"]);
    }
}
