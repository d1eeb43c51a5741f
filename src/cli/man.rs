//! `lamstream man`.

use super::help::{Group, Help};
use clap::Args;
use std::path::PathBuf;

pub(super) const GROUP: Group = Group::Tools;

const HELP: Help = Help {
    page: "docs/cli.md#man",
    examples: &[("Install the pages for yourself", "lamstream man ~/.local/share/man/man1")],
};

/// Write a manual page for each command
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Man {
    /// The directory for the pages; it is created if it does not exist
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}
