//! The timeouts of calls, and how the SDK retries them.

use crate::text;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_types::retry::RetrySpec;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The limit for one attempt at a call. Uploads of code have a longer limit.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// Enough for 50 MB over a slow connection.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// All retries are made by the SDK. Nothing here retries a call after the SDK has given up. Throttled attempts do not count.
const ATTEMPTS: u32 = 4;
/// For how many times an attempt's limit AWS may throttle all calls of a kind.
const THROTTLED: u32 = 2;
/// The longest pause before the second attempt. It doubles with each further attempt.
const PAUSE: Duration = Duration::from_secs(1);
/// A number of seconds that replaces both timeouts, because tests cannot wait for a minute.
const VARIABLE: &str = "LAMSTREAM_ATTEMPT_TIMEOUT";
/// The longest timeout that the variable can set: a day, in seconds.
const LONGEST: f64 = 86_400.0;

/// The variable's value; `None` if it is not set.
///
/// # Errors
/// If the value is not a number of seconds above 0 and up to a day.
pub(super) fn set() -> Result<Option<Duration>, String> {
    let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else { return Ok(None) };
    let written = value.to_str().unwrap_or_default();
    let seconds = written.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && *seconds <= LONGEST);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).map(Some).ok_or_else(|| {
        let value = text::line(&value.display().to_string());
        format!("`{VARIABLE}` is `{value}`, and should be a number of seconds, above 0 and at most {LONGEST}")
    })
}

fn at_most(usual: Duration) -> Duration {
    set().ok().flatten().unwrap_or(usual)
}

/// The first pause is not longer than an attempt may take: a longer pause would be idle time.
pub(super) fn retries() -> RetryConfig {
    let pause = PAUSE.min(at_most(PAUSE));
    // Later rules of the SDK would wait longer than a call's turn takes to come.
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(pause).with_retry_spec(RetrySpec::v2_0())
}

/// How long AWS may throttle every call of a kind until lamstream gives up.
pub(super) fn throttled() -> Duration {
    attempt() * THROTTLED
}

/// The limit for one attempt.
pub(super) fn attempt() -> Duration {
    at_most(ATTEMPT_TIMEOUT)
}

pub(super) fn timeouts() -> TimeoutConfig {
    let attempt = at_most(ATTEMPT_TIMEOUT);
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(attempt).build()
}

/// The timeouts of a call that uploads code.
pub(super) fn uploads() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(at_most(UPLOAD_TIMEOUT)).build()
}
