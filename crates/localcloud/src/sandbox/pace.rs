//! How fast a stream may be, and how long.

use tokio::time::{Duration, Instant};

use crate::Options;

/// What every stream gets at full speed.
const BURST: u64 = 6 * 1024 * 1024;

/// Counts what one stream has carried.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Bytes a second after the burst.
    rate: Option<u64>,
    size: Option<u64>,
    sent: u64,
    /// When the burst was used up.
    slow_since: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(options: &Options) -> Self {
        Self { rate: options.stream_rate, size: options.stream_size, sent: 0, slow_since: None }
    }

    /// How many of the bytes that are there now may go, and when.
    pub(super) fn admit(&mut self, now: Instant, bytes: usize) -> (usize, Instant) {
        let left = self.size.map_or(u64::MAX, |size| size.saturating_sub(self.sent));
        let fits = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        let over = self.sent.saturating_sub(BURST);
        self.sent += fits as u64;
        let Some(rate) = self.rate.filter(|_| self.sent > BURST) else { return (fits, now) };
        let since = *self.slow_since.get_or_insert(now);
        (fits, since + Duration::from_secs_f64(over as f64 / rate.max(1) as f64))
    }

    /// The most that a stream may carry.
    pub(super) fn size(&self) -> u64 {
        self.size.unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, Pace};
    use tokio::time::{Duration, Instant};

    const MB: usize = 1024 * 1024;

    fn pace(rate: Option<u64>, size: Option<u64>) -> Pace {
        Pace { rate, size, sent: 0, slow_since: None }
    }

    #[test]
    fn after_six_megabytes_two_go_a_second() {
        let start = Instant::now();
        let mut pace = pace(Some(2 * MB as u64), None);
        let mut now = start;
        for _ in 0..BURST as usize / MB {
            assert_eq!(pace.admit(now, MB), (MB, now));
        }
        for second_halves in 0..20 {
            let (fits, at) = pace.admit(now, MB);
            assert_eq!((fits, at - start), (MB, Duration::from_millis(500) * second_halves));
            now = at;
        }
        // A client that was slow for a while has its due at once.
        let late = now + Duration::from_secs(60);
        assert!(pace.admit(late, MB).1 < late);
    }

    #[test]
    fn a_stream_ends_at_its_greatest_length() {
        let now = Instant::now();
        let mut pace = pace(None, Some(100));
        assert_eq!(pace.admit(now, 60), (60, now));
        assert_eq!(pace.admit(now, 60).0, 40);
        assert_eq!(pace.admit(now, 60).0, 0);
    }
}
