//! `lamstream promote`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Ship;

const HELP: Help = Help {
    page: "docs/cli.md#promote-and-abort",
    examples: &[("Finish `lamstream deploy --shift 10`", "lamstream promote chat")],
};

/// Finish a shift: send all traffic to the new release
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Promote {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
    /// Skip verification of the version and the URL
    #[arg(long)]
    pub no_verify: bool,
}
