//! `lamstream rollback`.

use super::help::{Group, Help};
use super::value::whole;
use clap::Args;

pub(super) const GROUP: Group = Group::GoBack;

const HELP: Help = Help {
    page: "docs/cli.md#rollback",
    examples: &[
        ("Go back to the previous release", "lamstream rollback chat"),
        ("Go back to version 3 without asking", "lamstream rollback chat --to 3 --yes"),
    ],
};

/// Go back to the previous release, or to another version
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Rollback {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
    /// The version to go back to [default: the previous release]
    #[arg(long, value_name = "VERSION", value_parser = whole(1..=u64::MAX, "the number of a version, such as `--to 3`"))]
    pub to: Option<u64>,
    /// Skip the confirmation prompt, which `--local` never shows
    #[arg(short, long)]
    pub yes: bool,
    /// Skip verification of the version and the URL
    #[arg(long)]
    pub no_verify: bool,
}
