//! lamstream: from a streaming HTTP function's source to a live `RESPONSE_STREAM` Function URL.
//!
//! The modules are in reading order. `text` makes text from other sources safe to show. `stack` has the nouns, `plan` the
//! difference between two stacks, and `apply` carries it out. Then come the modules that provide their input, those that
//! report, and the commands. `tests/tidy.rs` lists which module may use which.

pub mod text;

pub mod stack;

pub mod plan;

pub mod apply;

pub mod manifest;

pub mod policy;

pub mod logs;

pub mod aws;

pub mod verify;

pub mod init;

mod local;

pub mod failure;

pub mod report;

pub mod cli;

pub mod commands;
