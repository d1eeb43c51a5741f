//! The time, in the one unit that is stored.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

/// The present moment.
pub(crate) fn now() -> Millis {
    at(SystemTime::now())
}

/// The moment of a system time.
pub(crate) fn at(time: SystemTime) -> Millis {
    time.duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// The moment that is `duration` from now.
pub(crate) fn after(duration: Duration) -> Millis {
    now() + millis(duration)
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> Millis {
    // Far less than the largest number, so that adding it to a moment cannot overflow.
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}
