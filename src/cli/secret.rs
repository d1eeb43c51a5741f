//! `lamstream secret`.

use super::help::{Group, Help};
use super::value;
use clap::{Args, Subcommand};

pub(super) const GROUP: Group = Group::Tools;

const PAGE: &str = "docs/cli.md#secret";

const HELP: Help = Help {
    page: PAGE,
    examples: &[
        ("Store a value that functions get as an environment variable", "lamstream secret set TOKEN"),
        ("List what is stored, without values", "lamstream secret list"),
    ],
};

const SET: Help = Help {
    page: PAGE,
    examples: &[
        ("Type the value", "lamstream secret set TOKEN"),
        ("Read it from a file, for one stage", "lamstream secret set TOKEN --stage prod < token.txt"),
    ],
};

const LIST: Help =
    Help { page: PAGE, examples: &[("List the secrets of a stage", "lamstream secret list --stage prod")] };

const DELETE: Help =
    Help { page: PAGE, examples: &[("Delete one without asking", "lamstream secret delete TOKEN --yes")] };

/// Store values for functions as SecureStrings in Parameter Store
///
/// They are below /APP/, or below /APP/STAGE/ with `--stage`. The manifest names them: `environment.TOKEN = { ssm =
/// "/APP/TOKEN" }`.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Secret {
    #[command(subcommand)]
    pub command: SecretCommand,
}

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Store a value, or replace it
    ///
    /// On a terminal, the value is asked for and not shown. Otherwise it is read from stdin, without one line end at its
    /// end. It is never an argument, which other users of this machine could see.
    #[command(after_help = SET.text())]
    Set {
        /// Letters, digits, `_`, `.` and `-`
        #[arg(value_name = "NAME", value_parser = value::secret)]
        name: String,
    },
    /// List the names, with version and time; never a value
    #[command(after_help = LIST.text())]
    List,
    /// Delete a value with all its versions
    #[command(after_help = DELETE.text())]
    Delete {
        #[arg(value_name = "NAME", value_parser = value::secret)]
        name: String,
        /// Skip the confirmation prompt, which `--local` never shows
        #[arg(short, long)]
        yes: bool,
    },
}
