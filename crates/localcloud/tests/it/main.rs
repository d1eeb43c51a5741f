//! The local cloud from outside: real sockets, real processes.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on has failed, or says so")]

mod code;
mod control;
mod delays;
// Only Linux lets a process limit another one's files.
#[cfg(target_os = "linux")]
mod disk;
mod guards;
mod identity;
mod limits;
mod logs;
mod ports;
mod processes;
mod recorded;
mod running;
mod s3;
mod strangers;
mod streaming;
mod support;
mod web;
