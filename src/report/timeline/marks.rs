//! The chunks of a response, in a bounded number of marks.

use std::time::Duration;

/// How many marks are kept at most. A picture is not wide enough to show more.
const LIMIT: usize = 2000;

/// One chunk, or several that followed each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub first: Duration,
    pub last: Duration,
    pub chunks: usize,
    pub bytes: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    all: Vec<Mark>,
    /// The longest time between two chunks.
    gap: Option<(Duration, Duration)>,
}

impl Marks {
    pub(super) fn add(&mut self, at: Duration, bytes: usize) {
        if let Some(before) = self.all.last().map(|mark| mark.last)
            && self.gap.is_none_or(|(from, to)| at.saturating_sub(before) > to - from)
        {
            self.gap = Some((before, at.max(before)));
        }
        self.all.push(Mark { first: at, last: at, chunks: 1, bytes: bytes as u64 });
        if self.all.len() > LIMIT {
            self.all = self.all.chunks(2).map(joined).collect();
        }
    }

    pub(super) fn all(&self) -> &[Mark] {
        &self.all
    }

    pub(super) fn longest_gap(&self) -> Option<(Duration, Duration)> {
        self.gap
    }
}

fn joined(marks: &[Mark]) -> Mark {
    let mut whole = marks[0];
    for mark in &marks[1..] {
        (whole.last, whole.chunks, whole.bytes) = (mark.last, whole.chunks + mark.chunks, whole.bytes + mark.bytes);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chunk_is_lost_and_the_longest_gap_is_known() {
        let mut marks = Marks::default();
        assert_eq!(marks.longest_gap(), None);
        let pause = Duration::from_secs(9);
        for nth in 0..10_000 {
            let late = if nth > 6000 { pause } else { Duration::ZERO };
            marks.add(Duration::from_millis(nth) + late, 3);
        }
        assert!(marks.all().len() <= LIMIT);
        assert_eq!(marks.all().iter().map(|mark| mark.chunks).sum::<usize>(), 10_000);
        assert_eq!(marks.all().iter().map(|mark| mark.bytes).sum::<u64>(), 30_000);
        let from = Duration::from_millis(6000);
        assert_eq!(marks.longest_gap(), Some((from, from + pause + Duration::from_millis(1))));
        assert!(marks.all().is_sorted_by_key(|mark| mark.first));
    }
}
