//! `lamstream releases`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#verified-failed-unverified",
    examples: &[("List the versions to roll back to", "lamstream releases chat")],
};

/// List published versions, with time, commit, publisher and which one is live
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Releases {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
}
