//! A set of version numbers, stored and written as ranges: `1-4,6`.

use std::fmt;

/// The first and last number of each range without a gap, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    /// Parses ranges and single numbers, separated by commas. Anything else is ignored.
    pub(super) fn read(text: &str) -> Numbers {
        let ranges = text.split(',').filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some((first.parse().ok()?, last.parse().ok()?)).filter(|(first, last)| first <= last)
        });
        Numbers::of(ranges.collect())
    }

    /// All numbers from 1 to `last`.
    pub(super) fn up_to(last: u64) -> Numbers {
        Numbers(if last == 0 { Vec::new() } else { vec![(1, last)] })
    }

    fn of(mut ranges: Vec<(u64, u64)>) -> Numbers {
        ranges.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (first, last) in ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        Numbers(merged)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.iter().any(|(first, last)| (first..=last).contains(&&number))
    }

    pub(super) fn insert(&mut self, number: u64) {
        self.0.push((number, number));
        *self = Numbers::of(std::mem::take(&mut self.0));
    }

    pub(super) fn remove(&mut self, number: u64) {
        let around = |(first, last): (u64, u64)| {
            let is_in = (first..=last).contains(&number);
            let below = if is_in { (first < number).then(|| (first, number - 1)) } else { Some((first, last)) };
            let above = (is_in && number < last).then(|| (number + 1, last));
            below.into_iter().chain(above)
        };
        self.0 = std::mem::take(&mut self.0).into_iter().flat_map(around).collect();
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.0.first().map(|(first, _)| *first)
    }

    /// Removes the lowest range or number. Returns false if the set is empty.
    pub(super) fn forget_first(&mut self) -> bool {
        if self.0.is_empty() {
            return false;
        }
        self.0.remove(0);
        true
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |(first, last): &(u64, u64)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        formatter.write_str(&self.0.iter().map(part).collect::<Vec<_>>().join(","))
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
        assert_eq!(Numbers::read("x,2,-,5-3,7-8,3,1-2").to_string(), "1-3,7-8");
        assert_eq!((Numbers::up_to(3).to_string(), Numbers::up_to(0).to_string()), ("1-3".into(), String::new()));
        let mut numbers = Numbers::read("1-4,6");
        assert!(numbers.forget_first() && numbers.to_string() == "6");
        assert!(numbers.forget_first() && !numbers.forget_first());
    }

    #[test]
    fn numbers_come_and_go() {
        let mut numbers = Numbers::read("1-4,6");
        for (number, expected) in [(3, "1-2,4,6"), (1, "2,4,6"), (6, "2,4"), (9, "2,4"), (4, "2")] {
            numbers.remove(number);
            assert_eq!(numbers.to_string(), expected);
        }
        for (number, expected) in [(4, "2,4"), (3, "2-4"), (3, "2-4"), (u64::MAX, "2-4,18446744073709551615")] {
            numbers.insert(number);
            assert!(numbers.contains(number));
            assert_eq!(numbers.to_string(), expected);
        }
        numbers.remove(u64::MAX);
        assert_eq!(numbers.to_string(), "2-4");
    }
}
