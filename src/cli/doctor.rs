//! `lamstream doctor`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Tools;

const HELP: Help = Help {
    page: "docs/cli.md#doctor",
    examples: &[
        ("Check everything that deploys need", "lamstream doctor"),
        ("Check what the local cloud needs", "lamstream doctor --local"),
        (
            "List the problems in a script",
            "lamstream doctor --output json | jq '.checks[] | select(.result == \"problem\")'",
        ),
    ],
};

/// Check credentials, account, region, tools and the manifest, with what to do about each problem
///
/// Prints a line for each check: `ok`, `warning`, `problem` or `skipped`. It changes nothing, and builds nothing. Exit 1 if
/// there is a problem.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Doctor {}
