//! Verifies URLs of a small HTTP server that answers byte by byte as each test wants it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod verify {
    pub(crate) mod answers;
    pub(crate) mod server;
}
