//! `lamstream url`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#commands",
    examples: &[
        ("Print the URL", "lamstream url chat"),
        ("Send a request with curl", "curl -N \"$(lamstream url chat --local)\""),
    ],
};

/// Print a function's URL
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Url {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
}
