//! `lamstream abort`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::GoBack;

const HELP: Help = Help {
    page: "docs/cli.md#promote-and-abort",
    examples: &[("Cancel `lamstream deploy --shift 10`", "lamstream abort chat")],
};

/// Cancel a shift: send all traffic back to the old release
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Abort {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
}
