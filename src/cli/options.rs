//! The arguments and options of each command except `local`.

use super::MANIFEST;
use super::value::{architecture, since};
use crate::stack::Architecture;
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct Deploy {
    /// The functions to deploy [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Skip the confirmation prompt, which `--local` never shows
    #[arg(short, long)]
    pub yes: bool,
    /// Skip verification of the new version and the URL
    #[arg(long)]
    pub no_verify: bool,
    /// Send this percentage of the traffic to the new release; `promote` or `abort` ends the shift
    #[arg(long, value_name = "PCT", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub shift: Option<u8>,
    /// Take over resources of the same name that lamstream did not create
    #[arg(long)]
    pub adopt: bool,
    #[command(flatten)]
    pub packages: Packages,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// The functions to plan for [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Exit with 3 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub packages: Packages,
}

#[derive(Debug, Args)]
pub struct Packages {
    /// Use this zip instead of building; `FUNCTION=ZIP` for one of several functions
    #[arg(long = "package", value_name = "ZIP")]
    pub packages: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Url {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// The functions to show [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Releases {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
    /// The version to go back to [default: the previous release]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    pub to: Option<u64>,
    /// Skip the confirmation prompt, which `--local` never shows
    #[arg(short, long)]
    pub yes: bool,
    /// Skip verification of the version and the URL
    #[arg(long)]
    pub no_verify: bool,
}

#[derive(Debug, Args)]
pub struct Promote {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
    /// Skip verification of the version and the URL
    #[arg(long)]
    pub no_verify: bool,
}

#[derive(Debug, Args)]
pub struct Abort {
    /// The function; optional if the manifest has only one
    pub function: Option<String>,
}

#[derive(Debug, Args)]
pub struct Destroy {
    /// The functions to delete [default: all functions that the app and stage ever deployed]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Skip the confirmation prompt, which `--local` never shows
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the log groups
    #[arg(long)]
    pub keep_logs: bool,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// The function
    pub function: String,
    /// Keep printing new events until interrupted (exit 130) or until stdout is closed (exit 0)
    #[arg(short, long)]
    pub follow: bool,
    /// How far back to start: a number followed by `s`, `m`, `h` or `d`
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "10m")]
    pub since: Duration,
}

#[derive(Debug, Args)]
pub struct Invoke {
    /// The function
    pub function: String,
    /// The path, with an optional query
    #[arg(default_value = "/")]
    pub path: String,
    /// The HTTP method [default: GET, or POST with a body]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub request: Option<String>,
    /// The body, byte for byte: BODY itself, the contents of @FILE, or stdin for - or @-
    #[arg(short, long, value_name = "BODY", allow_hyphen_values = true)]
    pub data: Option<OsString>,
    /// A header as `NAME: VALUE`; repeatable
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
}

#[derive(Debug, Args)]
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

#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    pub command: ImportCommand,
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Import an AWS SAM template and the samconfig.toml beside it
    ///
    /// Everything that the manifest supports is imported. The rest is listed on stderr, with its line and what to do
    /// about it, and in comments of the manifest. Exit 0 if everything was imported, 3 if something was left over, 2 if
    /// the template cannot be read. `--output json` lists the rest in `left_over`. `--region` sets `AWS::Region`, and
    /// takes precedence over samconfig.toml.
    Sam(ImportSam),
}

#[derive(Debug, Args)]
pub struct ImportSam {
    /// The template [default: template.yaml, template.yml or template.json]
    #[arg(value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The manifest to write, which must not exist; - for stdout
    #[arg(long, value_name = "PATH", default_value = MANIFEST, allow_hyphen_values = true)]
    pub out: PathBuf,
}
