//! The command line: its commands and options, and their help.

mod help;
mod typed;
mod value;

mod packages;

mod abort;
mod build;
mod completions;
mod deploy;
mod destroy;
mod dev;
mod doctor;
mod import;
mod init;
mod invoke;
mod local;
mod logs;
mod man;
mod plan;
mod policy;
mod promote;
mod releases;
mod rollback;
mod schema;
mod secret;
mod stages;
mod stats;
mod status;
mod url;
mod verify;

pub use completions::Shell;
pub use help::command;
pub use import::{ImportCargoLambda, ImportCommand, ImportFunction, ImportSam};
pub use local::{AdapterCommand, Bodyless, LayerCommand, Limits, LocalCommand, UrlRegions};
pub use secret::SecretCommand;
pub use typed::TypedCommand;
pub use value::Percents;

use crate::report::Output;
use crate::text;
use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Id, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The default of `--manifest`.
pub const MANIFEST: &str = "deploy.toml";

/// Deploy streaming HTTP functions to AWS Lambda Function URLs
#[derive(Debug, Parser)]
#[command(name = "lamstream", version, max_term_width = help::WIDTH, styles = help::STYLES)]
#[command(after_help = help::HELP.text())]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Path to the manifest [default: deploy.toml, in this directory or the nearest one above it]
    #[arg(long, global = true, value_name = "PATH", default_value = MANIFEST, hide_default_value = true)]
    pub manifest: PathBuf,
    /// Whether the path was typed; otherwise the manifest is searched for.
    #[arg(skip)]
    pub is_manifest_typed: bool,
    /// Change to this directory before doing anything
    #[arg(id = "change_to", short = 'C', global = true, value_name = "DIR")]
    pub change_to: Option<PathBuf>,
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
    /// Do not write groups, errors, the summary and outputs for GitHub Actions
    #[arg(long, global = true)]
    pub no_github: bool,
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
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// Declares [`Command`], from the file of each command and the arguments that it declares.
macro_rules! commands {
    ($($file:ident::$arguments:ident,)*) => {
        $(pub use $file::$arguments;)*

        #[derive(Debug, Subcommand)]
        pub enum Command {
            $($arguments($arguments),)*
        }

        /// The name of each command and its group, in the order of `lamstream --help`.
        const GROUPS: &[(&str, help::Group)] = &[$((stringify!($file), $file::GROUP),)*];
    };
}

commands! {
    init::Init,
    plan::Plan,
    deploy::Deploy,
    promote::Promote,
    status::Status,
    stats::Stats,
    verify::Verify,
    releases::Releases,
    stages::Stages,
    url::Url,
    logs::Logs,
    invoke::Invoke,
    rollback::Rollback,
    abort::Abort,
    destroy::Destroy,
    dev::Dev,
    local::Local,
    build::Build,
    import::Import,
    doctor::Doctor,
    policy::Policy,
    secret::Secret,
    completions::Completions,
    man::Man,
    schema::Schema,
}

/// Parses the command line.
///
/// # Errors
/// The text to print instead: the help, the version, or the error in the arguments, with control characters escaped.
pub fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<(Arguments, TypedCommand), clap::Error> {
    let typed: Vec<OsString> = typed.into_iter().collect();
    parsed(help::command(), &typed).or_else(|error| {
        if error.kind() == ErrorKind::InvalidUtf8
            && let Some((option, name)) = unreadable_variable()
        {
            return without_variable(option, &name, &typed);
        }
        // The escaped arguments cause the same error, with a message that quotes them in this form.
        let harmless: Vec<OsString> = typed.iter().map(|word| text::line(&word.to_string_lossy()).into()).collect();
        Err(parsed(help::command(), &harmless).err().unwrap_or(error))
    })
}

fn parsed(command: clap::Command, typed: &[OsString]) -> Result<(Arguments, TypedCommand), clap::Error> {
    let matches = command.color(help::colour(typed)).try_get_matches_from(typed)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    // A script whose variable is unset types one. As a variable, an empty stage is an unset one.
    if arguments.global.stage.as_deref() == Some("") && matches.value_source("stage") == Some(ValueSource::CommandLine)
    {
        let message =
            "a value is required for '--stage <NAME>', but it is empty; for the app without a stage, leave it out\n";
        return Err(clap::Error::raw(ErrorKind::InvalidValue, message).format(&mut Arguments::command()));
    }
    arguments.global.local |= matches!(arguments.command, Command::Dev(_));
    arguments.global.is_manifest_typed = matches.value_source("manifest") == Some(ValueSource::CommandLine);
    let again = TypedCommand::of(&matches, &arguments);
    Ok((arguments, again))
}

/// The same if the option was typed, so that its variable does not count.
///
/// # Errors
/// Otherwise, with the variable, whose value is not text.
fn without_variable(option: Id, variable: &str, typed: &[OsString]) -> Result<(Arguments, TypedCommand), clap::Error> {
    let long = format!("--{option}");
    let is_typed =
        |word: &OsString| word.to_str().is_some_and(|word| word == long || word.starts_with(&format!("{long}=")));
    if typed.iter().any(is_typed) {
        return parsed(help::command().mut_arg(option, |option| option.env(Resettable::Reset)), typed);
    }
    let message = format!("cannot use `{variable}`: its value is not valid UTF-8; set it again, or unset it");
    Err(clap::Error::raw(ErrorKind::InvalidUtf8, message).format(&mut Arguments::command()))
}

/// The option and the variable that is read instead of it, whose value is not text. Paths need not be text.
fn unreadable_variable() -> Option<(Id, String)> {
    let root = Arguments::command();
    let mut options = root.get_arguments().filter_map(|option| Some((option.get_id(), option.get_env()?.to_str()?)));
    let is_unreadable = |name: &str| std::env::var_os(name).is_some_and(|value| value.to_str().is_none());
    let (option, name) = options.find(|(_, name)| is_unreadable(name))?;
    Some((option.clone(), name.to_owned()))
}
