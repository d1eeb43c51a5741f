//! `lamstream policy`.

use super::help::{Group, Help};
use super::value;
use crate::policy::COMMANDS;
use clap::Args;
use clap::builder::PossibleValuesParser;

pub(super) const GROUP: Group = Group::Tools;

const HELP: Help = Help {
    page: "docs/permissions.md",
    examples: &[
        ("Print what a deployer of this manifest needs", "lamstream policy > policy.json"),
        (
            "Print what `plan` and `status` need in production",
            "lamstream policy --command plan --command status --stage prod",
        ),
        (
            "Print one for all stages, without credentials",
            "lamstream policy --all-stages --account 123456789012 --region eu-central-1",
        ),
    ],
};

/// Print the smallest IAM policy that commands need for this manifest
///
/// The policy names the functions, roles, log groups, parameters and layers of the manifest, and allows nothing that the
/// manifest does not use. It is printed as it can be attached to a user or a role.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Policy {
    /// A command to allow; repeat it for more [default: all that a deployer runs, which are all commands except `destroy`,
    /// `secret` and `doctor`]
    #[arg(long = "command", value_name = "COMMAND", value_parser = PossibleValuesParser::new(COMMANDS), hide_possible_values = true)]
    pub commands: Vec<String>,
    /// The account's number; without it, the manifest's `account`, or the account of the credentials
    #[arg(long, value_name = "NUMBER", value_parser = value::account, conflicts_with = "local")]
    pub account: Option<String>,
    /// Name functions, roles and log groups by patterns that fit every stage of the app
    #[arg(long)]
    pub all_stages: bool,
    /// Allow what packages over 50 MB need, which go through S3
    #[arg(long)]
    pub large_packages: bool,
}
