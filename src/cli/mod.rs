//! The command line: what can be typed, and what `--help` says about it.

mod again;
mod help;
mod local;
mod options;
mod value;

pub use again::Again;
pub use local::{AdapterCommand, LayerCommand, Limits, Local, LocalCommand};
pub use options::{
    Abort, Build, Deploy, Destroy, Import, ImportCommand, ImportSam, Invoke, Logs, Packages, Plan, Promote, Releases,
    Rollback, Status, Url,
};

use crate::text;
use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use value::{size, time};

/// The default of `--manifest`.
const MANIFEST: &str = "deploy.toml";

/// Deploy streaming HTTP functions to AWS Lambda Function URLs
#[derive(Debug, Parser)]
#[command(name = "lamstream", version, max_term_width = help::WIDTH, styles = help::STYLES)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Path to the manifest
    #[arg(long, global = true, value_name = "PATH", default_value = MANIFEST)]
    pub manifest: PathBuf,
    /// The stage of the manifest to use
    #[arg(long, global = true, value_name = "NAME", env = "LAMSTREAM_STAGE")]
    pub stage: Option<String>,
    /// The AWS profile to use
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "local")]
    pub profile: Option<String>,
    /// The AWS region; overrides AWS_REGION, the manifest and the profile
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Use the local cloud instead of AWS, starting it if necessary
    #[arg(long, global = true)]
    pub local: bool,
    /// The format of stdout: plain text, or one JSON document
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more details on stderr
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build functions and put them live, with everything they need
    Deploy(Deploy),
    /// Show what `deploy` would change
    Plan(Plan),
    /// Print a function's URL
    Url(Url),
    /// Show what is deployed, and how it differs from the manifest
    Status(Status),
    /// List published versions, with time, commit and which one is live
    Releases(Releases),
    /// Go back to the previous release, or to another version
    Rollback(Rollback),
    /// Finish a shift: send all traffic to the new release
    Promote(Promote),
    /// Cancel a shift: send all traffic back to the old release
    Abort(Abort),
    /// Delete everything that `deploy` created
    Destroy(Destroy),
    /// Print a function's log
    ///
    /// Each event is printed as the function wrote it, and only once. Control characters and commands for CI systems
    /// are escaped; colours reach a terminal. An event is missed only if it becomes readable more than a minute after
    /// its timestamp, and after a later one.
    ///
    /// `--output json` escapes nothing, and puts the events into the document's `events`. With `--follow`, each event
    /// is a JSON object on its own line instead, and the document, without events, is the last line.
    Logs(Logs),
    /// Send a request to a function's URL and print the response as it arrives
    ///
    /// The request is signed if the URL's auth is `aws-iam`. Exit 0 for a status below 400, otherwise 1; also 1 if the
    /// response is cut off or contains the runtime's error report. The body is on stdout in any case.
    ///
    /// With `-v`, stderr shows the status, the time to the first byte, the number of chunks and the duration.
    /// `--output json` puts these, the headers and the body into the document's `response`.
    Invoke(Invoke),
    /// Build the functions' packages without deploying them
    Build(Build),
    /// Write a manifest from another tool's configuration
    Import(Import),
    /// Run and manage the local cloud
    Local(Local),
}

/// Parses the command line.
///
/// # Errors
/// What to print instead: the help, the version, or what is wrong with the arguments, with control characters escaped.
pub fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<(Arguments, Again), clap::Error> {
    let typed: Vec<OsString> = typed.into_iter().collect();
    let parsed = |typed: &[OsString]| {
        let matches = help::command().color(help::colour(typed)).try_get_matches_from(typed)?;
        let arguments = Arguments::from_arg_matches(&matches)?;
        let again = Again::of(&matches, &arguments);
        Ok((arguments, again))
    };
    parsed(&typed).map_err(|error: clap::Error| {
        // Harmless arguments have the same mistake, and the message quotes them.
        let harmless: Vec<OsString> = typed.iter().map(|word| text::line(&word.to_string_lossy()).into()).collect();
        parsed(&harmless).err().unwrap_or(error)
    })
}
