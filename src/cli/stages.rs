//! `lamstream stages`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#stages",
    examples: &[
        ("List what is deployed in the region, by stage", "lamstream stages"),
        ("List the stages that have expired", "lamstream stages --expired"),
    ],
};

/// List the deployed stages of the app, with their functions
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Stages {
    /// Only stages whose `expires` has passed since their last deploy
    #[arg(long)]
    pub expired: bool,
}
