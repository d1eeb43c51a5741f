//! `lamstream stats`.

use super::help::{Group, Help};
use super::value::since;
use crate::logs::Since;
use clap::Args;
use std::path::PathBuf;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#stats",
    examples: &[
        ("Compare the releases of the last hour", "lamstream stats chat"),
        ("Draw the first byte of the last day", "lamstream stats chat --since 1d --svg first-byte.svg"),
        (
            "Read a percentile in a script",
            "lamstream stats chat --output json | jq '.functions[0].stats.releases[0].first_byte_ms.p95'",
        ),
    ],
};

/// Show requests, first byte, duration, cold starts and errors of each release
///
/// The figures come from the records that Lambda itself writes to the log. The first byte and the bytes need
/// `log = { format = "json", system_level = "debug" }` in the manifest.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Stats {
    /// The functions to show [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Where to start: a number followed by `s`, `m`, `h` or `d`, or a time such as `2026-11-30T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "1h")]
    pub since: Since,
    /// Draw the first byte over time, with the releases marked, and write it to FILE
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}
