//! `lamstream logs`.

use super::help::{Group, Help};
use super::value::since;
use clap::Args;
use std::time::Duration;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#logs",
    examples: &[
        ("Print the last ten minutes", "lamstream logs chat"),
        ("Follow from an hour ago", "lamstream logs chat --since 1h --follow"),
    ],
};

/// Print a function's log
///
/// Each event is printed as the function wrote it, and only once. Control characters and commands for CI systems
/// are escaped; colours are kept on a terminal. An event is missed only if it becomes readable more than a minute after
/// its timestamp, and after a later one.
///
/// `--output json` escapes nothing, and puts the events into the document's `events`. With `--follow`, each event
/// is a JSON object on its own line instead, and the document, without events, is the last line.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Logs {
    /// The function
    pub function: String,
    /// Keep printing new events until interrupted (exit 130) or until stdout is closed (exit 0)
    #[arg(short, long)]
    pub follow: bool,
    /// How far back to start: a number followed by `s`, `m`, `h` or `d`
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "10m")]
    pub since: Duration,
}
