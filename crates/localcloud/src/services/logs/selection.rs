//! Selects one page of any number of events: the first or the last ones by time. Memory does not grow beyond the page.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::disk::log_store::Event;

/// The most bytes in a response, where each event counts as its message and an overhead.
const LARGEST: usize = 1024 * 1024;
const OVERHEAD: usize = 26;

/// The position of an event: its time, the position of its stream among those that are searched, its number in the
/// stream.
pub(super) type Key = (Millis, usize, u64);

/// Which end of all events a page is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// The page, as far as the events have been searched.
pub(super) struct Selection {
    pub(super) end: End,
    most: usize,
    /// The page begins here at the earliest.
    from: Key,
    /// The page ends before this position at the latest.
    to: Key,
    found: BTreeMap<Key, Event>,
    size: usize,
    /// Whether there are more events than fit on the page.
    pub(super) more: bool,
}

impl Selection {
    pub(super) fn new(end: End, most: usize, (from, to): (Key, Key)) -> Self {
        Self { end, most, from, to, found: BTreeMap::new(), size: 0, more: false }
    }

    /// Whether events between two times, both included, may be on the page.
    pub(super) fn reaches(&self, first: Millis, last: Millis) -> bool {
        first <= self.to.0 && last >= self.from.0
    }

    /// Whether an event at this position may be on the page.
    pub(super) fn admits(&self, key: Key) -> bool {
        self.from <= key && key < self.to
    }

    /// Puts an event on the page. If the page is full, this removes others, and with them everything beyond.
    pub(super) fn add(&mut self, key: Key, event: Event) {
        self.size += event.message.len() + OVERHEAD;
        self.found.insert(key, event);
        while self.found.len() > self.most || self.size > LARGEST && self.found.len() > 1 {
            let left = match self.end {
                End::First => self.found.pop_last(),
                End::Last => self.found.pop_first(),
            };
            let Some((key, event)) = left else { return };
            self.size -= event.message.len() + OVERHEAD;
            self.more = true;
            match self.end {
                End::First => self.to = key,
                End::Last => self.from = (key.0, key.1, key.2 + 1),
            }
        }
    }

    /// The page, in order.
    pub(super) fn page(self) -> Vec<(Key, Event)> {
        self.found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: (Key, Key) = ((Millis::MIN, 0, 0), (Millis::MAX, usize::MAX, u64::MAX));

    fn page(end: End, most: usize, bytes: usize) -> (Vec<Millis>, bool) {
        let mut selection = Selection::new(end, most, ALL);
        // In no particular order.
        for place in 0..100_i64 {
            let at = place * 37 % 100;
            if selection.admits((at, 0, 0)) {
                selection.add((at, 0, 0), Event { at, message: "x".repeat(bytes), put: None });
            }
        }
        let more = selection.more;
        (selection.page().into_iter().map(|((at, ..), _)| at).collect(), more)
    }

    #[test]
    fn a_page_has_one_end_of_all_and_no_gap() {
        assert_eq!(page(End::First, 3, 1), (vec![0, 1, 2], true));
        assert_eq!(page(End::Last, 3, 1), (vec![97, 98, 99], true));
        assert!(!page(End::First, 100, 1).1);
        assert_eq!(page(End::First, 100, LARGEST / 3), (vec![0, 1], true));
        assert_eq!(page(End::Last, 100, 2 * LARGEST), (vec![99], true));
    }
}
