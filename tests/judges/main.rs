//! Third-party clients judge the local cloud: boto3, the aws CLI, the Rust SDK, moto, ministack, cargo-lambda, AWS's own
//! emulator, and functions on other runtime clients.
#![expect(clippy::print_stdout, reason = "what was judged is shown, one line each")]

#[path = "../support/mod.rs"]
mod support;

mod cloud;
mod deployed;
mod differential;
mod frames;
mod ministack;
mod operations;
mod strangers;
