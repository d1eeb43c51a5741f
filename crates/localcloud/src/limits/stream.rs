//! How fast and how long a stream may be.

use tokio::time::{Duration, Instant};

use crate::options::Options;

/// How many bytes of a stream are sent at full speed.
const BURST: u64 = 6 * 1024 * 1024;

/// Counts the bytes of one stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamLimit {
    /// Bytes a second after those at full speed.
    rate: Option<u64>,
    size: Option<u64>,
    sent: u64,
    /// When the full-speed bytes were used up.
    slow_since: Option<Instant>,
}

impl StreamLimit {
    pub(crate) fn new(options: &Options) -> Self {
        Self { rate: options.stream_rate, size: options.stream_size, sent: 0, slow_since: None }
    }

    /// How many of these bytes may be sent, and when.
    pub(crate) fn admit(&mut self, now: Instant, bytes: usize) -> (usize, Instant) {
        let left = self.size.map_or(u64::MAX, |size| size.saturating_sub(self.sent));
        let fits = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        let over = self.sent.saturating_sub(BURST);
        self.sent += fits as u64;
        let Some(rate) = self.rate.filter(|_| self.sent > BURST) else { return (fits, now) };
        let since = *self.slow_since.get_or_insert(now);
        (fits, since + Duration::from_secs_f64(over as f64 / rate.max(1) as f64))
    }

    /// How many bytes a stream may have.
    pub(crate) fn size(&self) -> u64 {
        self.size.unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, StreamLimit};
    use tokio::time::{Duration, Instant};

    const MB: usize = 1024 * 1024;

    fn pace(rate: Option<u64>, size: Option<u64>) -> StreamLimit {
        StreamLimit { rate, size, sent: 0, slow_since: None }
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
        // A client that was slow for a while catches up at full speed.
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
