//! `lamstream completions`, and the completions that its script asks for.

use super::session::Session;
use crate::cli::{self, Completions, Shell};
use crate::failure::{Failure, FailureKind};
use crate::manifest;
use crate::report::{Answer, Extra};
use clap::{Arg, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable by which the script asks for completions.
const VARIABLE: &str = "LAMSTREAM_COMPLETE";
const PROGRAM: &str = "lamstream";
/// The arguments that are names of functions.
const FUNCTION_ARGUMENTS: [&str; 2] = ["function", "functions"];

pub(super) fn completions(_: &Session, arguments: &Completions) -> Result<Answer, Failure> {
    let shell: &dyn EnvCompleter = match arguments.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
    };
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
        .map_err(|error| Failure::new(FailureKind::Bug, format!("cannot write the script: {error}")))?;
    Ok(Extra::Script(Some(String::from_utf8_lossy(&script).into_owned())).into())
}

/// Prints the completions of an unfinished command line, if the script of `completions` asks for them. Returns whether it
/// does. Nothing may have been printed before.
///
/// # Errors
/// When the shell is unknown, or the completions cannot be printed.
pub fn complete() -> Result<bool, clap::Error> {
    CompleteEnv::with_factory(|| completing(cli::command()))
        .var(VARIABLE)
        .bin(PROGRAM)
        .try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref())
}

/// The command line, whose functions and stages are those in the manifest.
fn completing(command: Command) -> Command {
    with_functions(command.mut_args(|argument| match argument.get_id() == "stage" {
        true => argument.add(ArgValueCandidates::new(|| candidates(manifest::stage_names))),
        false => argument,
    }))
}

fn with_functions(command: Command) -> Command {
    let is_function =
        |argument: &Arg| argument.is_positional() && FUNCTION_ARGUMENTS.contains(&argument.get_id().as_str());
    let command = command.mut_args(|argument| match is_function(&argument) {
        true => argument.add(ArgValueCandidates::new(|| candidates(manifest::function_names))),
        false => argument,
    });
    let inner: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    // What it imports is a function on AWS, which no manifest names.
    let inner = inner.into_iter().filter(|name| name != "import");
    inner.fold(command, |command, name| command.mut_subcommand(name, with_functions))
}

fn candidates(names: fn(&str) -> Vec<String>) -> Vec<CompletionCandidate> {
    let text = std::fs::read_to_string(manifest_of(&typed())).unwrap_or_default();
    // A shell may run what it completes: only names that a manifest can have are offered.
    let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    names(&text).into_iter().filter(is_name).map(CompletionCandidate::new).collect()
}

/// The words of the unfinished command line, which the script passes after `--`.
fn typed() -> Vec<OsString> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).collect()
}

/// The manifest that the command line is about: the named one, or the nearest one at or above the directory.
fn manifest_of(typed: &[OsString]) -> PathBuf {
    let value = |option: &str| {
        let place = typed.iter().position(|word| word == option);
        let next = place.and_then(|place| typed.get(place + 1)).map(PathBuf::from);
        next.or_else(|| {
            typed.iter().find_map(|word| word.to_str()?.strip_prefix(&format!("{option}=")).map(PathBuf::from))
        })
    };
    let here = value("-C").unwrap_or_else(|| PathBuf::from("."));
    if let Some(named) = value("--manifest") {
        return here.join(named);
    }
    let absolute = std::path::absolute(&here).unwrap_or(here);
    let mut above = absolute.ancestors().map(|directory: &Path| directory.join(cli::MANIFEST));
    above.find(|path| path.is_file()).unwrap_or_else(|| absolute.join(cli::MANIFEST))
}
