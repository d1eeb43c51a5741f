//! A set of version numbers, written short: `1-4,6`.

use std::collections::BTreeSet;
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers(BTreeSet<u64>);

/// Nobody has more versions, and no description may make us allocate without bound.
const MOST: u64 = 100_000;

impl Numbers {
    /// Ranges and single numbers, separated by commas; what is neither is left out.
    pub fn read(text: &str) -> Numbers {
        let ranges = text.split(',').filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            (last.saturating_sub(first) < MOST).then_some(first..=last)
        });
        Numbers(ranges.flatten().collect())
    }

    /// All from 1 to `last`.
    pub fn up_to(last: u64) -> Numbers {
        Numbers((last.saturating_sub(MOST) + 1..=last).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, number: u64) -> bool {
        self.0.contains(&number)
    }

    pub fn insert(&mut self, number: u64) {
        self.0.insert(number);
    }

    pub fn remove(&mut self, number: u64) {
        self.0.remove(&number);
    }

    pub fn first(&self) -> Option<u64> {
        self.0.first().copied()
    }

    /// Removes the lowest range or number; false where there is none.
    pub fn forget_first(&mut self) -> bool {
        let Some((_, last)) = self.ranges().next() else { return false };
        self.0 = self.0.split_off(&(last + 1));
        true
    }

    /// First and last of each run of numbers without a gap.
    fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for number in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == *number => *last = *number,
                _ => ranges.push((*number, *number)),
            }
        }
        ranges.into_iter()
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part =
            |(first, last): (u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
        formatter.write_str(&self.ranges().map(part).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_ranges() {
        for text in ["", "3", "1-4", "1-4,6,8-9"] {
            assert_eq!(Numbers::read(text).to_string(), text);
        }
        assert_eq!(Numbers::read("x,2,-,5-3,7-8,1-18446744073709551615").to_string(), "2,7-8");
        assert_eq!((Numbers::up_to(3).to_string(), Numbers::up_to(0).to_string()), ("1-3".into(), String::new()));
        let mut numbers = Numbers::read("1-4,6");
        assert!(numbers.forget_first() && numbers.to_string() == "6");
        assert!(numbers.forget_first() && !numbers.forget_first());
    }
}
