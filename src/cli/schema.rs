//! `lamstream schema`.

use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Tools;

const HELP: Help =
    Help { page: "docs/manifest.md", examples: &[("For your editor", "lamstream schema > deploy.schema.json")] };

/// Print the JSON schema of deploy.toml, for editors
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Schema {}
