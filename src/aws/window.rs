//! Which log events are new: none comes twice, and none is missed that became readable late.

use std::collections::BTreeSet;

/// How late an event may become readable, in milliseconds, and still be shown.
///
/// CloudWatch shows an event some seconds after its timestamp, and later ones may be readable before it: every instance
/// writes for itself. So a round of reading begins this much before the newest event that is known, and what was there
/// already is known by its id. A longer window would find later stragglers and read a busy group's events more often:
/// one page holds 10,000 of them, and an account may ask five to ten times a second.
pub(super) const OVERLAP: i64 = 60_000;

/// What has been read. Times are milliseconds since 1970.
pub(super) struct Window {
    start: i64,
    newest: Option<i64>,
    seen: BTreeSet<(i64, String)>,
}

impl Window {
    /// Everything from `start` on.
    pub fn from(start: i64) -> Window {
        Window { start, newest: None, seen: BTreeSet::new() }
    }

    /// Where this round begins, on each of its pages.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// Takes an event in; false if it was here before.
    pub fn is_new(&mut self, timestamp: i64, id: String) -> bool {
        self.newest = self.newest.max(Some(timestamp));
        timestamp >= self.start && self.seen.insert((timestamp, id))
    }

    /// All pages of a round have been read, the first of them at `began` by this machine's clock.
    ///
    /// The next round begins before both that moment and the newest event: what became readable behind a page that was
    /// read already is found then, a clock that is wrong here does no harm, and neither does an event from the future.
    /// When nothing new comes, it stays where it is, and a straggler may be as late as it likes.
    pub fn end_round(&mut self, began: i64) {
        if let Some(newest) = self.newest {
            self.start = self.start.max(newest.min(began) - OVERLAP);
            self.seen = self.seen.split_off(&(self.start, String::new()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    /// An event: its timestamp, and when it becomes readable.
    fn events() -> impl Strategy<Value = Vec<(i64, i64)>> {
        // Few different timestamps, so that many are equal.
        let event = (0..200i64, prop_oneof![0..50i64, 0..=OVERLAP]);
        prop::collection::vec(event.prop_map(|(at, late)| (HOUR + at * 997, HOUR + at * 997 + late)), 0..120)
    }

    /// What CloudWatch gives after `position`: at most `limit` events in their order, of those readable now.
    fn page(events: &[(i64, i64)], now: i64, start: i64, position: (i64, usize), limit: usize) -> Vec<(i64, usize)> {
        let readable = events.iter().enumerate().filter(|(_, (at, readable))| *at >= start && *readable <= now);
        let mut found: Vec<(i64, usize)> = readable.map(|(id, (at, _))| (*at, id)).collect();
        found.sort_unstable();
        found.into_iter().filter(|event| *event > position).take(limit).collect()
    }

    proptest! {
        /// Whatever becomes readable when, while pages are read or between rounds, and wherever the clock stands.
        #[test]
        fn every_event_is_shown_exactly_once(
            events in events(),
            steps in prop::collection::vec(0..3000i64, 400),
            limit in 1..7usize,
            ahead in prop_oneof![Just(0i64), 0..HOUR, -HOUR..0],
        ) {
            let mut window = Window::from(HOUR + 20_000);
            let mut shown: Vec<usize> = Vec::new();
            let mut now = HOUR;
            let mut steps = steps.into_iter();
            loop {
                let began = now;
                let mut position = (i64::MIN, 0);
                loop {
                    let page = page(&events, now, window.start(), position, limit);
                    let fresh = page.iter().filter(|(at, id)| window.is_new(*at, id.to_string()));
                    shown.extend(fresh.map(|(_, id)| *id));
                    let Some(last) = page.last() else { break };
                    position = *last;
                    // A clock that is ahead cannot tell when a round began: only short rounds are sure then.
                    now += steps.next().filter(|_| ahead <= 0).unwrap_or(0);
                }
                window.end_round(began + ahead);
                match steps.next() {
                    Some(step) => now += step,
                    None if now > 2 * HOUR => break,
                    // At the end everything is readable.
                    None => now = 2 * HOUR + 1,
                }
            }
            shown.sort_unstable();
            let wanted: Vec<usize> = (0..events.len()).filter(|id| events[*id].0 >= HOUR + 20_000).collect();
            prop_assert_eq!(shown, wanted);
        }
    }

    #[test]
    fn ids_are_forgotten_once_they_cannot_come_again() {
        let mut window = Window::from(0);
        for second in 0..1000 {
            assert!(window.is_new(second * 1000, "a".into()));
            window.end_round(second * 1000);
        }
        assert_eq!(window.start(), 999_000 - OVERLAP);
        assert_eq!(window.seen.len(), 61);
    }

    #[test]
    fn an_event_from_the_future_hides_none_of_the_present() {
        let mut window = Window::from(0);
        assert!(window.is_new(2 * HOUR, "future".into()));
        window.end_round(HOUR);
        assert!(window.is_new(HOUR + 1, "present".into()));
        assert!(!window.is_new(2 * HOUR, "future".into()));
    }
}
