//! `lamstream build`.

use super::help::{Group, Help};
use super::value::architecture;
use crate::stack::Architecture;
use clap::Args;
use std::path::PathBuf;

pub(super) const GROUP: Group = Group::Tools;

const HELP: Help = Help {
    page: "docs/building.md",
    examples: &[
        ("Build all functions", "lamstream build"),
        ("Build one for arm64", "lamstream build chat --arch arm64 --out packages"),
    ],
};

/// Build the functions' packages without deploying them
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Build {
    /// The functions to build [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// The architecture to build for, instead of the manifest's
    #[arg(long, value_name = "x86_64|arm64", value_parser = architecture)]
    pub arch: Option<Architecture>,
    /// The directory for the zips
    #[arg(long, value_name = "DIR", default_value = "target/lamstream")]
    pub out: PathBuf,
}
