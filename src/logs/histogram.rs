//! Times, counted in buckets that are as wide as 0.1 % of the time, so that any number of them takes little memory.

use hdrhistogram::Histogram;

/// Hundredths of a millisecond, as Lambda prints them.
const PER_MILLISECOND: f64 = 100.0;
/// More than the longest timeout.
const LONGEST: u64 = 100 * 3_600_000;

/// Counted times, in milliseconds. It has no buckets until the first time.
#[derive(Clone, Debug)]
pub(super) struct Times {
    digits: u8,
    counts: Option<Histogram<u32>>,
    longest: f64,
}

/// Percentiles by nearest rank: the smallest time that at least so many per cent of all times do not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub longest: f64,
}

impl Times {
    /// Times with so many significant digits.
    pub(super) fn with_digits(digits: u8) -> Times {
        Times { digits, counts: None, longest: 0.0 }
    }

    pub(super) fn add(&mut self, milliseconds: f64) {
        if self.counts.is_none() {
            self.counts = Histogram::new(self.digits).ok().map(|mut counts| {
                counts.auto(true);
                counts
            });
        }
        let hundredths = (milliseconds * PER_MILLISECOND).round().clamp(0.0, LONGEST as f64) as u64;
        if let Some(counts) = &mut self.counts {
            self.longest = self.longest.max(hundredths as f64 / PER_MILLISECOND);
            // It grows as needed, so this cannot fail.
            let _ = counts.record(hundredths);
        }
    }

    /// `None` without any times.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let counts = self.counts.as_ref().filter(|counts| !counts.is_empty())?;
        let milliseconds = |hundredths: u64| hundredths as f64 / PER_MILLISECOND;
        // A bucket stands for its greatest time, which may exceed the greatest one that was counted.
        let at = |quantile: f64| milliseconds(counts.value_at_quantile(quantile)).min(self.longest);
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(at);
        Some(Percentiles { p50, p95, p99, longest: self.longest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(times: &[f64]) -> Option<Percentiles> {
        let mut all = Times::with_digits(3);
        times.iter().for_each(|time| all.add(*time));
        all.percentiles()
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        assert_eq!(of(&[]), None);
        let one = of(&[7.25]).unwrap();
        assert_eq!((one.p50, one.p95, one.p99, one.longest), (7.25, 7.25, 7.25, 7.25));
        let hundred: Vec<f64> = (1..=100).map(|number| f64::from(number) / 10.0).collect();
        let all = of(&hundred).unwrap();
        assert_eq!((all.p50, all.p95, all.p99, all.longest), (5.0, 9.5, 9.9, 10.0));
        let two = of(&[1.0, 2.0]).unwrap();
        assert_eq!((two.p50, two.p95), (1.0, 2.0));
        assert_eq!(of(&[0.0]).unwrap().longest, 0.0);
    }

    proptest! {
        #[test]
        fn they_are_off_by_a_thousandth_at_most(times in prop::collection::vec(0.0..1_800_000.0f64, 1..200)) {
            let found = of(&times).unwrap();
            let mut sorted: Vec<f64> = times.iter().map(|time| (time * 100.0).round() / 100.0).collect();
            sorted.sort_by(f64::total_cmp);
            for (quantile, found) in [(0.5, found.p50), (0.95, found.p95), (0.99, found.p99), (1.0, found.longest)] {
                let rank = (quantile * sorted.len() as f64).ceil() as usize;
                let exact = sorted[rank.max(1) - 1];
                prop_assert!(found >= exact - 0.006 && found <= exact * 1.001 + 0.011, "{quantile}: {found}, {exact}");
            }
        }
    }
}
