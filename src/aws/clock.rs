//! AWS's time, for signing requests to a Function URL. AWS refuses a signature that is more than five minutes early or
//! late, and this machine's clock may be off by more. The SDK does the same for its own calls.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// Differences of up to this many seconds are ignored: a response takes time to arrive, and `Date` has no fractions.
const TOLERANCE: i64 = 60;

/// This machine's clock, corrected by the `Date` of AWS's latest response. Clones share one correction.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// Seconds by which AWS's clock is ahead of this machine's.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// AWS's time, as far as it is known.
    pub(super) fn time(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let (now, by) = (SystemTime::now(), Duration::from_secs(ahead.unsigned_abs()));
        let corrected = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        corrected.unwrap_or(now)
    }

    /// How far this machine's clock is off, phrased to follow "this machine's clock is"; `None` if it is right.
    pub(super) fn wrong(&self) -> Option<String> {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = match ahead.unsigned_abs() {
            0 => return None,
            seconds @ ..120 => format!("{seconds} s"),
            seconds @ ..7200 => format!("{} min", seconds / 60),
            seconds => format!("{} h", seconds / 3600),
        };
        Some(format!("{by} {}", if ahead > 0 { "behind" } else { "ahead" }))
    }

    /// Corrects the clock by a response's `Date` header. A value that is not a date is ignored.
    pub(super) fn hear(&self, date: &str) {
        let Ok(said) = DateTime::from_str(date, Format::HttpDate) else { return };
        let here = DateTime::from(SystemTime::now());
        let ahead = said.secs().saturating_sub(here.secs());
        let ahead = if ahead.abs() > TOLERANCE { ahead } else { 0 };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.hear(date);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(ahead: i64) -> String {
        let now = DateTime::from(SystemTime::now());
        DateTime::from_secs(now.secs() + ahead).fmt(Format::HttpDate).unwrap()
    }

    #[test]
    fn it_is_as_far_ahead_as_what_was_heard() {
        let clock = Clock::default();
        assert_eq!(clock.wrong(), None);
        for (heard, words) in [
            (date(-20 * 60), Some("20 min ahead")),
            (date(0), None),
            (date(90), Some("90 s behind")),
            ("yesterday".to_owned(), Some("90 s behind")),
            (date(40), None),
            (date(3 * 3600), Some("3 h behind")),
        ] {
            clock.hear(&heard);
            // A new second may start between the two readings.
            let found = clock.wrong().map(|found| found.replace("89 s", "90 s").replace("19 min", "20 min"));
            assert_eq!(found.as_deref(), words, "{heard}");
        }
        let ahead = clock.time().duration_since(SystemTime::now()).unwrap();
        assert!(ahead.as_secs().abs_diff(3 * 3600) < 5, "{ahead:?}");
    }
}
