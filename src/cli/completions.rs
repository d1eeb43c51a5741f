//! `lamstream completions`.

use super::help::{Group, Help};
use clap::{Args, ValueEnum};

pub(super) const GROUP: Group = Group::Tools;

const HELP: Help = Help {
    page: "docs/cli.md#completions",
    examples: &[
        ("For bash, in ~/.bashrc", "source <(lamstream completions bash)"),
        ("For zsh, in ~/.zshrc after compinit", "source <(lamstream completions zsh)"),
        ("For fish", "lamstream completions fish > ~/.config/fish/completions/lamstream.fish"),
    ],
};

/// Print the script that completes commands, options, functions and stages in your shell
///
/// The script asks the `lamstream` in PATH at each completion, which reads the functions and stages in the manifest.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Completions {
    /// The shell that reads the script
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}
