//! `lamstream destroy`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::GoBack;

const HELP: Help = Help {
    page: "docs/cli.md#destroy",
    examples: &[
        ("Delete everything the app deployed", "lamstream destroy"),
        ("Delete one function, but not its log", "lamstream destroy chat --keep-logs"),
        ("Delete the stages that have expired", "lamstream destroy --expired"),
    ],
};

/// Delete everything that `deploy` created
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Destroy {
    /// The functions to delete [default: all functions that the app and stage ever deployed]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Delete all stages whose `expires` has passed since their last deploy
    #[arg(long, conflicts_with = "functions")]
    pub expired: bool,
    /// Skip the confirmation prompt, which `--local` never shows
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the log groups
    #[arg(long)]
    pub keep_logs: bool,
}
