//! How many calls of the control plane are answered per second.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::sync::lock;
use crate::wire::error::Fault;

/// GetFunction has a rate of its own.
const GET_FUNCTION: u32 = 100;

/// The operations of CloudWatch Logs that AWS limits to a few calls a second, each on its own.
const LOG_GROUPS: [&str; 3] = ["CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups"];

/// The account's rates, `None` for no limit, and its token buckets, by what is counted and its region.
pub(crate) struct ApiRate {
    lambda: Option<u32>,
    logs: Option<u32>,
    iam: Option<u32>,
    buckets: Mutex<HashMap<(String, String), Bucket>>,
}

/// A token bucket that holds the tokens of one second.
struct Bucket {
    rate: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: u32, now: Instant) -> Self {
        let rate = f64::from(rate.max(1));
        Self { rate, tokens: rate, at: now }
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
    pub(crate) fn new(options: &Options) -> Self {
        let (lambda, logs, iam) = (options.api_rate, options.logs_rate, options.iam_rate);
        Self { lambda, logs, iam, buckets: Mutex::default() }
    }

    /// Counts a call of Lambda's control plane.
    ///
    /// # Errors
    /// 429 if there were too many.
    pub(crate) fn lambda(&self, region: &str, is_get_function: bool) -> Result<(), Fault> {
        let Some(others) = self.lambda else { return Ok(()) };
        let (rate, name) = if is_get_function { (GET_FUNCTION, "lambda GetFunction") } else { (others, "lambda") };
        self.take(rate, name, region)
            .map_err(|wait| Fault { retry_after: wait.as_secs() + 1, ..Fault::throttled("CallerRateLimitExceeded") })
    }

    /// Counts a call of CloudWatch Logs.
    ///
    /// # Errors
    /// Its own if there were too many of this operation.
    pub(crate) fn logs(&self, region: &str, action: &str) -> Result<(), Fault> {
        let Some(rate) = self.logs.filter(|_| LOG_GROUPS.contains(&action)) else { return Ok(()) };
        self.take(rate, action, region).map_err(|_| Fault::new(400, "ThrottlingException", "Rate exceeded"))
    }

    /// Counts a call of IAM, which is the same in all regions.
    ///
    /// # Errors
    /// Its own if there were too many.
    pub(crate) fn iam(&self) -> Result<(), Fault> {
        let Some(rate) = self.iam else { return Ok(()) };
        self.take(rate, "iam", "").map_err(|_| Fault::new(400, "Throttling", "Rate exceeded"))
    }

    fn take(&self, rate: u32, name: &str, region: &str) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = lock(&self.buckets);
        buckets.entry((name.to_owned(), region.to_owned())).or_insert_with(|| Bucket::new(rate, now)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;
    use std::time::{Duration, Instant};

    #[test]
    fn a_bucket_holds_a_second_and_fills_by_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(15, start);
        let taken = |bucket: &mut Bucket, at| (0..100).filter(|_| bucket.take(at).is_ok()).count();
        assert_eq!(taken(&mut bucket, start), 15);
        assert_eq!(bucket.take(start), Err(Duration::from_secs_f64(1.0 / 15.0)));
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(201)), 3);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(60)), 15);
    }
}
