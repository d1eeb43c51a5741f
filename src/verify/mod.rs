//! Whether a deployed URL answers as its check demands, and really streams.
//!
//! - [`verify`] asks over HTTP, waits out what a new URL needs to settle, and says what it saw.
//! - [`try_version`] asks a version that has no URL, through Lambda's own streaming call.
//! - [`Exchange`] asks once, whatever a user wants to ask, and hands the answer on piece by piece.
//! - [`judge`] decides. It is pure: a [`Check`](crate::manifest::Check) and an [`Observation`] in, a verdict out, so
//!   that an answer that came another way than over HTTP is judged by the same rules.

mod ask;

mod probe;

mod exchange;

mod observation;

mod judge;

mod fault;
mod signs;
mod words;

mod event;

mod prelude;

mod version;

pub use ask::{Sign, Target, verify};
pub use event::{Caller, event};
pub use exchange::{Exchange, Question};
pub use fault::{Cause, Fault, Obstacle, Refusal};
pub use judge::judge;
pub use observation::{Ending, Observation, Seen};
pub use version::{Frame, Invocation, try_version};
