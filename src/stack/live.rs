//! What the alias `live` sends traffic to.

use super::release::Release;
use std::fmt;

/// One release; while a shift is in progress, two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Where the traffic goes, except the part of a shift.
    pub release: Release,
    /// Boxed, since it is rarely there and as large as all the rest.
    pub shift: Option<Box<Shift>>,
}

/// A release that is given a part of the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    pub release: Release,
    pub weight: Weight,
}

impl Live {
    /// The release that the traffic was, or will be, turned to last: the shift's release where there is one.
    pub fn newest(&self) -> &Release {
        self.shift.as_ref().map_or(&self.release, |shift| &shift.release)
    }

    /// The part of the traffic that a shift gives to its release.
    pub fn weight(&self) -> Option<Weight> {
        self.shift.as_ref().map(|shift| shift.weight)
    }
}

impl From<Release> for Live {
    fn from(release: Release) -> Live {
        Live { release, shift: None }
    }
}

/// A part of the traffic, in hundredths of a percent: above none of it and below all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    const WHOLE: f64 = 10_000.0;

    /// A whole number of percent, 1–99.
    pub fn percent(percent: u8) -> Option<Weight> {
        (1..=99).contains(&percent).then(|| Weight(u16::from(percent) * 100))
    }

    /// As AWS has it, between 0 and 1; `None` for no traffic at all.
    pub fn of_fraction(fraction: f64) -> Option<Weight> {
        (fraction > 0.0).then(|| Weight((fraction * Weight::WHOLE).round().clamp(1.0, 9999.0) as u16))
    }

    pub fn fraction(self) -> f64 {
        f64::from(self.0) / Weight::WHOLE
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", f64::from(self.0) / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_as_they_are_written() {
        for percent in 1..=99 {
            let weight = Weight::percent(percent).unwrap();
            assert_eq!(
                (Weight::of_fraction(weight.fraction()), weight.to_string()),
                (Some(weight), format!("{percent}%"))
            );
        }
        assert_eq!((Weight::percent(0), Weight::percent(100), Weight::of_fraction(0.0)), (None, None, None));
        assert_eq!(Weight::of_fraction(0.005).unwrap().to_string(), "0.5%");
    }
}
