//! What several tests share. Each test uses a part of it.
#![expect(dead_code, reason = "every test binary compiles all of it and uses some of it")]
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on says so and ends")]

pub mod aws;
pub mod bench;
pub mod fault;
pub mod memory;
pub mod proxy;
pub mod python;
pub mod recorder;
