//! `lamstream verify`.

use super::help::{Group, Help};
use super::value::whole;
use clap::Args;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/verification.md",
    examples: &[
        ("Check the live URLs of all functions", "lamstream verify"),
        ("Check version 3 of chat, whether it gets traffic or not", "lamstream verify chat --version 3"),
    ],
};

/// Run the checks of the manifest on what is live, or on a version
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Verify {
    /// The functions to check [default: all functions of the manifest that have a URL]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Check this version instead of the URL, through Lambda's streaming invocation
    #[arg(long, value_name = "VERSION", value_parser = whole(1..=u64::MAX, "the number of a version, such as `--version 3`"))]
    pub version: Option<u64>,
}
