//! What `deploy.toml` may say, what it may not, and what it becomes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod manifest {
    pub mod bad;
    pub mod fixtures;
    pub mod good;
    pub mod sample;
    pub mod secrets;
    pub mod stages;
    pub mod target;
}
