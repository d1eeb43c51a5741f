//! What `deploy.toml` may say, what it may not, and what it becomes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod manifest {
    pub(crate) mod bad;
    pub(crate) mod fixtures;
    pub(crate) mod good;
    pub(crate) mod keys;
    pub(crate) mod models;
    #[path = "../support/python.rs"]
    #[expect(
        dead_code,
        clippy::print_stderr,
        reason = "shared with other tests, which use all of it and say what they lack"
    )]
    pub(crate) mod python;
    pub(crate) mod sample;
    pub(crate) mod schema;
    pub(crate) mod secrets;
    pub(crate) mod stages;
    pub(crate) mod target;
}
