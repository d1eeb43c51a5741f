//! Builds real crates with the cargo that is installed here, and inspects what comes out.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on may panic, and says why")]

mod bench;
mod compile;
mod package;
