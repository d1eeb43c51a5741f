//! `lamstream man`.

use super::session::Session;
use crate::cli::{self, Man};
use crate::failure::Failure;
use crate::report::{Answer, Extra};
use clap::Command;
use std::path::Path;

pub(super) fn man(session: &Session, arguments: &Man) -> Result<Answer, Failure> {
    let directory = &arguments.directory;
    std::fs::create_dir_all(directory).map_err(|error| Failure::unwritable(directory, &error))?;
    let mut root = cli::command().disable_help_subcommand(true);
    root.build();
    let mut written = Vec::new();
    write(&root, directory, &mut written)?;
    session.console.note(&format!("wrote {} pages to `{}`", written.len(), directory.display()));
    Ok(Extra::Files(Some(written)).into())
}

/// Writes the page of a command, then those of the commands below it.
fn write(command: &Command, directory: &Path, written: &mut Vec<String>) -> Result<(), Failure> {
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    let path = directory.join(page.get_filename());
    let failed = |error| Failure::unwritable(&path, &error);
    page.render(&mut text).map_err(failed)?;
    // What follows the options is the examples, under a heading that says nothing.
    let text = String::from_utf8_lossy(&text).replacen(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n", 1);
    std::fs::write(&path, text).map_err(failed)?;
    written.push(path.display().to_string());
    command.get_subcommands().try_for_each(|inner| write(inner, directory, written))
}
