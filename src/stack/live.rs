//! The releases that the alias `live` routes traffic to.

use super::field::{Fields, optional};
use super::name::Names;
use super::noun::Noun;
use super::release::Release;
use std::fmt;

/// One release, or two while a shift is in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Gets all traffic except the shift's share.
    pub release: Release,
    /// Boxed, because it is rarely set and as large as everything else.
    pub shift: Option<Box<Shift>>,
}

/// A release that gets part of the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    pub release: Release,
    pub weight: Weight,
}

impl Live {
    /// The release that traffic was, or will be, moved to last: the shift's release if there is a shift.
    pub fn newest(&self) -> &Release {
        self.shift.as_ref().map_or(&self.release, |shift| &shift.release)
    }

    /// The share of the traffic that a shift gives to its release.
    pub fn weight(&self) -> Option<Weight> {
        self.shift.as_ref().map(|shift| shift.weight)
    }
}

impl Noun for Live {
    const KIND: &'static str = "release";

    fn name(&self, names: &Names) -> String {
        names.live()
    }

    /// Compares the release with the one that traffic is being moved to, and the shares of the traffic.
    fn compare(&self, to: &Live, fields: &mut Fields) {
        self.release.compare(to.newest(), fields);
        fields.shown("shift", &optional(&self.weight()), &optional(&to.weight()));
    }
}

impl From<Release> for Live {
    fn from(release: Release) -> Live {
        Live { release, shift: None }
    }
}

/// A share of the traffic, in hundredths of a percent: more than none and less than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    const WHOLE: f64 = 10_000.0;

    /// A whole percentage, 1–99.
    pub fn percent(percent: u8) -> Option<Weight> {
        (1..=99).contains(&percent).then(|| Weight(u16::from(percent) * 100))
    }

    /// From AWS's number between 0 and 1; `None` for no traffic at all.
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
