//! What several tests share. Each test uses a part of it.
#![expect(dead_code, reason = "every test binary compiles all of it and uses some of it")]
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on says so and ends")]

pub(crate) mod aws;
pub(crate) mod bench;
pub(crate) mod fault;
pub(crate) mod memory;
pub(crate) mod node;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod recorder;
pub(crate) mod relay;
