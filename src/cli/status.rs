//! `lamstream status`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#status",
    examples: &[
        ("Show all functions", "lamstream status"),
        (
            "Read the live version in a script",
            "lamstream status chat --output json | jq -r '.functions[0].release.version'",
        ),
    ],
};

/// Show what is deployed, and how it differs from the manifest
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Status {
    /// The functions to show [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
}
