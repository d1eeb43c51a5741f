//! How many calls of the control plane are answered per second.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::lock;
use crate::wire::error::Fault;

/// GetFunction has a rate of its own.
const GET_FUNCTION: u32 = 100;

/// The account's token buckets, one for GetFunction and one for all other calls; `None` if there is no limit.
pub(crate) struct ApiRate(Option<[Mutex<Bucket>; 2]>);

/// A token bucket that holds the tokens of one second.
struct Bucket {
    rate: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: u32, now: Instant) -> Mutex<Self> {
        let rate = f64::from(rate.max(1));
        Mutex::new(Self { rate, tokens: rate, at: now })
    }

    /// Takes one token, or returns how long it takes until there is one.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + since * self.rate).min(self.rate);
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / self.rate));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

impl ApiRate {
    pub(crate) fn new(others: Option<u32>) -> Self {
        let now = Instant::now();
        Self(others.map(|others| [Bucket::new(GET_FUNCTION, now), Bucket::new(others, now)]))
    }

    /// Counts a call.
    ///
    /// # Errors
    /// 429 if there were too many.
    pub(crate) fn admit(&self, is_get_function: bool) -> Result<(), Fault> {
        let Some([get_function, others]) = &self.0 else { return Ok(()) };
        let bucket = if is_get_function { get_function } else { others };
        lock(bucket)
            .take(Instant::now())
            .map_err(|wait| Fault { retry_after: wait.as_secs() + 1, ..Fault::throttled("CallerRateLimitExceeded") })
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;
    use std::time::{Duration, Instant};

    #[test]
    fn a_bucket_holds_a_second_and_fills_by_its_rate() {
        let start = Instant::now();
        let bucket = Bucket::new(15, start);
        let mut bucket = bucket.lock().expect("not poisoned");
        let taken = |bucket: &mut Bucket, at| (0..100).filter(|_| bucket.take(at).is_ok()).count();
        assert_eq!(taken(&mut bucket, start), 15);
        assert_eq!(bucket.take(start), Err(Duration::from_secs_f64(1.0 / 15.0)));
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(201)), 3);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(60)), 15);
    }
}
