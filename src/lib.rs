//! lamstream: from a streaming HTTP function's source to a live `RESPONSE_STREAM` Function URL.
//!
//! The rooms, in reading order: texts of others, made fit to be shown; the nouns, the difference between two of them, and
//! who carries it out; then what feeds them, what tells of them, and the commands. `tests/tidy.rs` knows which room may
//! use which.

pub mod text;

pub mod stack;

pub mod plan;

pub mod apply;

pub mod manifest;

pub mod aws;

pub mod verify;

mod local;

pub mod failure;

pub mod report;

pub mod cli;

pub mod commands;
