//! `lamstream plan`.

use super::help::{Group, Help};
use super::packages::Packages;
use clap::Args;

pub(super) const GROUP: Group = Group::Ship;

const HELP: Help = Help {
    page: "docs/cli.md#plan-lines",
    examples: &[
        ("Show what a deploy would change", "lamstream plan"),
        ("Fail in CI if there are changes", "lamstream plan --stage prod --detailed-exitcode"),
    ],
};

/// Show what `deploy` would change
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Plan {
    /// The functions to plan for [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Exit with 3 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// With `--local`: compile crates as for Lambda, as `deploy --local --release` does
    #[arg(long, requires = "local")]
    pub release: bool,
    #[command(flatten)]
    pub packages: Packages,
}
