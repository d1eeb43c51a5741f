//! The forms things take on the wire: errors, XML, dates, the streaming prelude, event-stream frames.

pub(crate) mod date;
pub(crate) mod error;
pub(crate) mod eventstream;
pub(crate) mod prelude;
pub(crate) mod xml;
