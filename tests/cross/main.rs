//! Builds for another processor or another C library with what is installed here, and runs what came out: it streams.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on says so and ends")]

#[path = "../support/mod.rs"]
mod support;

mod choices;
mod musl;
mod pieces;
mod refusals;
mod streams;
mod workshop;
