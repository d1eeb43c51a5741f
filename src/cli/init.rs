//! `lamstream init`.

use super::MANIFEST;
use super::help::{Group, Help};
use super::value;
use clap::Args;
use std::path::PathBuf;

pub(super) const GROUP: Group = Group::Ship;

const HELP: Help = Help {
    page: "docs/cli.md#init",
    examples: &[
        ("Write deploy.toml for the app in this directory", "lamstream init"),
        ("Start a new app", "lamstream init chat --template fastapi"),
        ("List the templates", "lamstream init --list"),
    ],
};

/// Write deploy.toml for the app in a directory, or start a new app
///
/// Reads the source, and writes the smallest manifest with a check that fits: one that proves that the response streams
/// if the source shows a route that does, a plain request otherwise. Runs nothing, and never overwrites a file.
///
/// In an empty directory, it writes a template: a chat endpoint that streams, with its tests.
///
/// Exit 2 if there is nothing to deploy, if there are several apps and it cannot ask, or if a file exists.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Init {
    /// The directory; it is created if it does not exist
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub directory: PathBuf,
    /// The template to start from
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// The app's name [default: the directory's name]
    #[arg(long, value_name = "APP", value_parser = value::app)]
    pub name: Option<String>,
    /// Also write deploy.schema.json beside the manifest, which editors complete it by
    #[arg(long)]
    pub schema: bool,
    /// List the templates
    #[arg(long, conflicts_with_all = ["template", "name", "schema"])]
    pub list: bool,
}

impl Init {
    /// The manifest that it writes.
    pub fn manifest(&self) -> PathBuf {
        match self.directory.as_os_str() == "." {
            true => PathBuf::from(MANIFEST),
            false => self.directory.join(MANIFEST),
        }
    }
}
