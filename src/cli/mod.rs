//! The command line: its commands and options, and their help.

mod help;
mod typed;
mod value;

mod packages;

mod abort;
mod build;
mod deploy;
mod destroy;
mod import;
mod invoke;
mod local;
mod logs;
mod plan;
mod promote;
mod releases;
mod rollback;
mod status;
mod url;
mod verify;

pub use import::{ImportCargoLambda, ImportCommand, ImportFunction, ImportSam};
pub use local::{AdapterCommand, Bodyless, LayerCommand, Limits, LocalCommand, UrlRegions};
pub use typed::TypedCommand;

use crate::report::Output;
use crate::text;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The default of `--manifest`.
const MANIFEST: &str = "deploy.toml";

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
    plan::Plan,
    deploy::Deploy,
    promote::Promote,
    status::Status,
    verify::Verify,
    releases::Releases,
    url::Url,
    logs::Logs,
    invoke::Invoke,
    rollback::Rollback,
    abort::Abort,
    destroy::Destroy,
    local::Local,
    build::Build,
    import::Import,
}

/// Parses the command line.
///
/// # Errors
/// The text to print instead: the help, the version, or the error in the arguments, with control characters escaped.
pub fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<(Arguments, TypedCommand), clap::Error> {
    let typed: Vec<OsString> = typed.into_iter().collect();
    let parsed = |typed: &[OsString]| {
        let matches = help::command().color(help::colour(typed)).try_get_matches_from(typed)?;
        let arguments = Arguments::from_arg_matches(&matches)?;
        let again = TypedCommand::of(&matches, &arguments);
        Ok((arguments, again))
    };
    parsed(&typed).map_err(|error: clap::Error| {
        if let Some(name) = unreadable_variable().filter(|_| error.kind() == ErrorKind::InvalidUtf8) {
            let message = format!("cannot use `{name}`: its value is not valid UTF-8; set it again, or unset it");
            return clap::Error::raw(ErrorKind::InvalidUtf8, message).format(&mut Arguments::command());
        }
        // The escaped arguments cause the same error, with a message that quotes them in this form.
        let harmless: Vec<OsString> = typed.iter().map(|word| text::line(&word.to_string_lossy()).into()).collect();
        parsed(&harmless).err().unwrap_or(error)
    })
}

/// The variable that is read instead of an option and whose value is not text. Paths need not be text.
fn unreadable_variable() -> Option<String> {
    let root = Arguments::command();
    let names = root.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
    names.filter(|name| std::env::var_os(name).is_some_and(|value| value.to_str().is_none())).map(str::to_owned).next()
}
