//! AWS's formats: errors, XML, dates, the prelude of streams, event-stream frames.

pub(crate) mod date;
pub(crate) mod error;
pub(crate) mod eventstream;
pub(crate) mod partition;
pub(crate) mod prelude;
pub(crate) mod xml;
