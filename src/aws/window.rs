//! Determines which log events are new: no event is shown twice, and events that became readable late are not missed.

use std::collections::BTreeSet;

/// How late an event may become readable, in milliseconds, and still be shown.
///
/// CloudWatch shows an event some seconds after its timestamp, and later events may be readable before it, because each
/// instance writes on its own. A round of reading therefore starts this long before the newest known event, and
/// recognises the known events by their ids. A longer window would find events that are even later, but would read a
/// busy group's events more often: one page holds 10,000 of them, and an account may make five to ten calls per second.
pub(super) const OVERLAP: i64 = 60_000;

/// The events that were read. Times are milliseconds since 1970.
pub(super) struct Window {
    start: i64,
    newest: Option<i64>,
    seen: BTreeSet<(i64, String)>,
}

impl Window {
    /// A window of all events from `start` on.
    pub(super) fn from(start: i64) -> Window {
        Window { start, newest: None, seen: BTreeSet::new() }
    }

    /// The start time of this round, for each of its pages.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// Records an event. Returns false if it is not new.
    pub(super) fn is_new(&mut self, timestamp: i64, id: String) -> bool {
        self.newest = self.newest.max(Some(timestamp));
        timestamp >= self.start && self.seen.insert((timestamp, id))
    }

    /// Ends a round after all of its pages were read. `began` is when its first page was read.
    ///
    /// The next round starts before both this moment and the newest event. It therefore finds events that became
    /// readable on a page that was already read, and neither a wrong clock nor an event from the future does any
    /// harm. While nothing new arrives, the start does not move, so an event may be arbitrarily late.
    pub(super) fn end_round(&mut self, began: i64) {
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

    /// Events: the timestamp of each, and when it becomes readable.
    fn events() -> impl Strategy<Value = Vec<(i64, i64)>> {
        // Few different timestamps, so that many are equal.
        let event = (0..200i64, prop_oneof![0..50i64, 0..=OVERLAP]);
        prop::collection::vec(event.prop_map(|(at, late)| (HOUR + at * 997, HOUR + at * 997 + late)), 0..120)
    }

    /// A page of CloudWatch: at most `limit` of the events that are readable now and come after `position`, in order.
    fn page(events: &[(i64, i64)], now: i64, start: i64, position: (i64, usize), limit: usize) -> Vec<(i64, usize)> {
        let readable = events.iter().enumerate().filter(|(_, (at, readable))| *at >= start && *readable <= now);
        let mut found: Vec<(i64, usize)> = readable.map(|(id, (at, _))| (*at, id)).collect();
        found.sort_unstable();
        found.into_iter().filter(|event| *event > position).take(limit).collect()
    }

    proptest! {
        /// Events may become readable at any time, during or between rounds, and the clock may be wrong.
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
                    // With a clock that is ahead, it is unknown when a round began, so only short rounds are reliable.
                    now += steps.next().filter(|_| ahead <= 0).unwrap_or(0);
                }
                window.end_round(began + ahead);
                match steps.next() {
                    Some(step) => now += step,
                    None if now > 2 * HOUR => break,
                    // At the end, all events are readable.
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
