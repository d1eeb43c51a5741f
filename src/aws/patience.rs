//! How long one attempt at one call may take, and how the SDK goes on when it fails.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// One attempt at one call. Uploads of code have a longer one of their own.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// 50 MB over a slow line.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// All retries are the SDK's; nothing here retries a call that the SDK has given up.
const ATTEMPTS: u32 = 4;
/// The pause before the second attempt, at most; it doubles from one to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// Seconds that replace both timeouts: tests cannot wait for a minute.
const VARIABLE: &str = "LAMSTREAM_ATTEMPT_TIMEOUT";
/// A day, in seconds.
const LONGEST: f64 = 86_400.0;

/// The variable's value; `None` where it is not set.
///
/// # Errors
/// A value that is not a number of seconds above zero.
pub(super) fn set() -> Result<Option<Duration>, String> {
    let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && *seconds <= LONGEST);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).map(Some).ok_or_else(|| {
        let value = value.display().to_string();
        format!(
            "`{VARIABLE}` is `{}`, and should be a number of seconds, above 0 and at most {LONGEST}",
            value.escape_debug()
        )
    })
}

fn at_most(usual: Duration) -> Duration {
    set().ok().flatten().unwrap_or(usual)
}

/// To pause for longer than an attempt may take would be idle.
pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(PAUSE.min(at_most(PAUSE)))
}

/// How long one attempt at anything may take.
pub(super) fn attempt() -> Duration {
    at_most(ATTEMPT_TIMEOUT)
}

pub(super) fn timeouts() -> TimeoutConfig {
    let attempt = at_most(ATTEMPT_TIMEOUT);
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(attempt).build()
}

/// For a call that carries code.
pub(super) fn uploads() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(at_most(UPLOAD_TIMEOUT)).build()
}
