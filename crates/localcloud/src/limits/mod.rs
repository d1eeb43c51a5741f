//! AWS's limits: calls per second, concurrent invocations, the speed and size of streams.

pub(crate) mod api_rate;
pub(crate) mod concurrency;
pub(crate) mod stream;
