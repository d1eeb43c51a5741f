//! `lamstream logs`.

use super::help::{Group, Help};
use super::value::{since, version, whole};
use crate::logs::{Selection, Since};
use clap::Args;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#logs",
    examples: &[
        ("Print the last ten minutes", "lamstream logs chat"),
        ("Follow from an hour ago", "lamstream logs chat --since 1h --follow"),
        ("Print the errors of version 7", "lamstream logs chat --since 1d --errors --version 7"),
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
    /// The function; may be omitted if the manifest has only one
    pub function: Option<String>,
    /// Keep printing new events until interrupted (exit 130) or until stdout is closed (exit 0)
    #[arg(short, long)]
    pub follow: bool,
    /// Where to start: a number followed by `s`, `m`, `h` or `d`, or a time such as `2026-11-30T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "10m")]
    pub since: Since,
    /// Print only events that contain this text
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print only errors, with their tracebacks: of the function, and of Lambda
    #[arg(long)]
    pub errors: bool,
    /// Print only events of the request with this ID, or with an ID that starts so
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// Print only events of instances of this version
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub version: Option<String>,
    /// Print only the last COUNT of these events, then go on with `--follow`
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = whole(0..=1_000_000usize, "a whole number, such as `-n 50`"))]
    pub lines: Option<usize>,
    /// Start each event with its time in UTC; the default on a terminal
    #[arg(long, overrides_with = "no_timestamps")]
    pub timestamps: bool,
    /// Print events without their time
    #[arg(long, overrides_with = "timestamps")]
    pub no_timestamps: bool,
    /// Leave out the records that Lambda itself writes, such as `START` and `REPORT`
    #[arg(long)]
    pub no_platform: bool,
}

impl Logs {
    /// Whether events are printed with their times; `None` if it depends on where they are printed.
    pub fn times(&self) -> Option<bool> {
        (self.timestamps || self.no_timestamps).then_some(!self.no_timestamps)
    }

    pub fn selection(&self) -> Selection {
        Selection {
            filter: self.filter.clone(),
            errors: self.errors,
            request: self.request.clone(),
            version: self.version.clone(),
            no_platform: self.no_platform,
        }
    }
}
