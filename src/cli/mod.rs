//! What may be typed, and nothing else.

mod again;
mod local;

pub use again::Again;
pub use local::{AdapterCommand, LayerCommand, Limits, Local, LocalCommand};

use crate::stack::Architecture;
use crate::text;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Where the manifest is unless another is named.
const MANIFEST: &str = "deploy.toml";

/// Deploys streaming HTTP functions to AWS Lambda Function URLs: build, role, function, release and URL in one command.
#[derive(Debug, Parser)]
#[command(name = "lamstream", version, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The manifest
    #[arg(long, global = true, value_name = "PATH", default_value = MANIFEST)]
    pub manifest: PathBuf,
    /// The stage of the manifest to use
    #[arg(long, global = true, value_name = "NAME", env = "LAMSTREAM_STAGE")]
    pub stage: Option<String>,
    /// The AWS profile to use
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "local")]
    pub profile: Option<String>,
    /// The AWS region; before AWS_REGION, the manifest and the profile
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Use the local cloud instead of AWS, and start it if need be
    #[arg(long, global = true)]
    pub local: bool,
    /// What stdout gets: plain text, or one JSON document
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr
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
    /// Build the functions and bring them live, with all they need
    Deploy(Deploy),
    /// Show what deploy would change
    Plan(Plan),
    /// Print the address of a function
    Url(Url),
    /// Show what is deployed, and where it differs from the manifest
    Status(Status),
    /// Show the versions that are there: when, from which commit, and which is live
    Releases(Releases),
    /// Go back to the release that was live before, or to another
    Rollback(Rollback),
    /// End a shift: all the traffic to the new release
    Promote(Promote),
    /// End a shift: all the traffic back to the old release
    Abort(Abort),
    /// Delete what deploy made
    Destroy(Destroy),
    /// Print what a function wrote to its log
    ///
    /// Each event is a line, as the function wrote it. Control characters and commands for CI systems are shown
    /// instead of obeyed; colours reach a terminal. `--output json` has every character. No line comes twice; one is missed only if it becomes readable more than a
    /// minute after its timestamp, and behind a later one.
    ///
    /// With `--output json` the document has the events in `events`. With `--follow` besides, each event is a JSON
    /// object on a line of its own, as it comes, and the document is the last line, without them.
    Logs(Logs),
    /// Send a request to a function's URL and print the answer as it comes
    ///
    /// The request is signed where the URL's auth is `aws-iam`. Exit 0 for a status below 400, else 1; also 1 when the
    /// answer is cut off or holds the runtime's report of an error. What came of the body is on stdout in any case.
    ///
    /// With `-v` stderr gets the status, the time to the first byte, the number of chunks and the duration. With
    /// `--output json` all that, the headers and the body are in the document's `response`.
    Invoke(Invoke),
    /// Build the functions' packages
    Build(Build),
    /// Write a manifest from what another tool deploys
    Import(Import),
    /// Run and manage the local cloud
    Local(Local),
}

#[derive(Debug, Args)]
pub struct Deploy {
    /// The functions to deploy; all of the manifest's if none is named
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Do not ask; with `--local` nothing is asked anyway
    #[arg(short, long)]
    pub yes: bool,
    /// Ask neither the new version nor the URL whether it works
    #[arg(long)]
    pub no_verify: bool,
    /// Give the new release this part of the traffic, in percent; end it with promote or abort
    #[arg(long, value_name = "PCT", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub shift: Option<u8>,
    /// Take over resources of the same name that lamstream did not make
    #[arg(long)]
    pub adopt: bool,
    #[command(flatten)]
    pub packages: Packages,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// The functions to plan for; all of the manifest's if none is named
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
    /// Deploy this zip instead of building; with several functions, once for each
    #[arg(long = "package", value_name = "[FUNCTION=]ZIP")]
    pub packages: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Url {
    /// The function; may be left out if the manifest has one only
    pub function: Option<String>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// The functions to show; all of the manifest's if none is named
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Releases {
    /// The function; may be left out if the manifest has one only
    pub function: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// The function; may be left out if the manifest has one only
    pub function: Option<String>,
    /// The version to go to [default: the one that was live before]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    pub to: Option<u64>,
    /// Do not ask; with `--local` nothing is asked anyway
    #[arg(short, long)]
    pub yes: bool,
    /// Ask neither the version nor the URL whether it works
    #[arg(long)]
    pub no_verify: bool,
}

#[derive(Debug, Args)]
pub struct Promote {
    /// The function; may be left out if the manifest has one only
    pub function: Option<String>,
    /// Ask neither the version nor the URL whether it works
    #[arg(long)]
    pub no_verify: bool,
}

#[derive(Debug, Args)]
pub struct Abort {
    /// The function; may be left out if the manifest has one only
    pub function: Option<String>,
}

#[derive(Debug, Args)]
pub struct Destroy {
    /// The functions to delete; all that the app and stage ever deployed if none is named
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Do not ask; with `--local` nothing is asked anyway
    #[arg(short, long)]
    pub yes: bool,
    /// Leave the log groups
    #[arg(long)]
    pub keep_logs: bool,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// The function
    pub function: String,
    /// Go on with what comes, until interrupted (exit 130) or nobody reads any more (exit 0)
    #[arg(short, long)]
    pub follow: bool,
    /// How far back to begin: a number and `s`, `m`, `h` or `d`
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "10m")]
    pub since: Duration,
}

#[derive(Debug, Args)]
pub struct Invoke {
    /// The function
    pub function: String,
    /// Path and query
    #[arg(default_value = "/")]
    pub path: String,
    /// The method [default: GET, or POST with a body]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub request: Option<String>,
    /// The body, byte for byte: BODY itself, the contents of @FILE, or stdin for - or @-
    #[arg(short, long, value_name = "BODY", allow_hyphen_values = true)]
    pub data: Option<OsString>,
    /// A header, as `NAME: VALUE`; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Build {
    /// The functions to build; all of the manifest's if none is named
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// The processor to build for, instead of the manifest's
    #[arg(long, value_name = "x86_64|arm64", value_parser = architecture)]
    pub arch: Option<Architecture>,
    /// Where the zips go
    #[arg(long, value_name = "DIR", default_value = "target/lamstream")]
    pub out: PathBuf,
}

/// Reads what was typed.
///
/// # Errors
/// What is to be printed instead: help, the version, or what is wrong with the arguments, which are harmless in it.
pub fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<(Arguments, Again), clap::Error> {
    let typed: Vec<OsString> = typed.into_iter().collect();
    let parsed = |typed: Vec<OsString>| {
        let matches = Arguments::command().try_get_matches_from(typed)?;
        let arguments = Arguments::from_arg_matches(&matches)?;
        let again = Again::of(&matches, &arguments);
        Ok((arguments, again))
    };
    parsed(typed.clone()).map_err(|error: clap::Error| {
        // The same mistake is found in arguments that are harmless, and its words quote those.
        let harmless = typed.iter().map(|word| text::line(&word.to_string_lossy()).into()).collect();
        parsed(harmless).err().unwrap_or(error)
    })
}

fn architecture(text: &str) -> Result<Architecture, String> {
    Architecture::parse(text).ok_or_else(|| "it is `x86_64` or `arm64`".to_owned())
}

#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    pub command: ImportCommand,
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// From an AWS SAM template and the samconfig.toml beside it
    ///
    /// Functions are taken over with all that the manifest has a word for. Everything else is listed on stderr with its
    /// line and what to do about it, and as comments in the manifest. Exit 0 if all was taken over, 3 if something was
    /// left over, 2 if there is no template that could be read. With `--output json` the left-overs are the document's
    /// `left_over`. `--region` is the template's `AWS::Region` and comes before samconfig.toml's.
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

/// A number and its unit, which has to be one of those known.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn time(text: &str) -> Result<Duration, String> {
    let milliseconds = measured(text, &[("ms", 1), ("s", 1000), ("m", 60_000)]);
    milliseconds.map(Duration::from_millis).ok_or_else(|| "it is a number and `ms`, `s` or `m`".to_owned())
}

fn since(text: &str) -> Result<Duration, String> {
    let seconds = measured(text, &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]);
    seconds.map(Duration::from_secs).ok_or_else(|| "it is a number and `s`, `m`, `h` or `d`".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    let bytes = measured(text, &[("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)]);
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "it is a number above 0 and `B`, `KB`, `MB` or `GB`".to_owned())
}
