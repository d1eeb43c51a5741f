//! What `deploy.toml` may say, what it may not, and what it becomes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod manifest {
    pub mod bad;
    pub mod fixtures;
    pub mod good;
    pub mod keys;
    #[path = "../support/python.rs"]
    #[expect(dead_code, clippy::print_stderr, reason = "shared with tests that install more and say what they lack")]
    pub mod python;
    pub mod sample;
    pub mod secrets;
    pub mod stages;
    pub mod target;
}
