//! The command of a function's `build`: what it is, and what follows it.

use super::built_elsewhere::zip;
use super::prepared::{Buildable, Code, Commanded, Then};
use super::project::Project;
use crate::local;
use crate::manifest::{CodeSource, Function};
use crate::stack::{OperatingSystem, Platform};
use packaging::{BuildCommand, BuildError};
use std::path::{Path, PathBuf};

/// Code that can be packaged once the command has run.
pub(super) fn commanded(command: BuildCommand, then: Then) -> Result<Buildable, Vec<BuildError>> {
    command.check().map_err(|error| vec![error])?;
    Ok(Buildable::Commanded(Box::new(Commanded { command, then })))
}

/// Checks what a command has made.
pub(super) async fn made(then: Then, function: &Function, platform: &Platform) -> Result<Code, Vec<BuildError>> {
    match then {
        Then::Compile { build, beside } => Ok(Code::Crate { build, beside }),
        Then::Gather(app) => Ok(Code::App(Box::new(app.check().await?))),
        Then::Read(path, files) => zip(&path, &files, function, platform),
    }
}

/// Whether the function's package is a zip. One that a command makes may be missing: then its name tells.
pub(super) fn is_zip(project: &Project, function: &Function) -> bool {
    let path = project.path(function.source.path());
    let is_named = path.extension().is_some_and(|extension| extension == "zip" || extension == "jar");
    let is_file = !path.is_dir() && (is_named || function.build.command.is_none());
    is_file && matches!(function.source, CodeSource::Package { .. })
}

/// The command of the function's `build`.
pub(super) fn command(project: &Project, function: &Function, platform: &Platform) -> Option<BuildCommand> {
    let command = function.build.command.as_ref()?;
    let makes = project.path(function.source.path());
    let directory = match &command.directory {
        Some(directory) => project.path(Path::new(directory)),
        None if is_zip(project, function) => makes.parent().map(Path::to_owned).unwrap_or_default(),
        None => makes.clone(),
    };
    let is_other = |other: &&Function| other.name != function.name && other.build.command.is_some();
    let others = project.manifest.functions.iter().filter(is_other).map(|other| other.source.path());
    let others = others
        .map(|path| project.path(path))
        .filter(|other| !makes.starts_with(other) && !directory.starts_with(other));
    let stage = project.manifest.stage.clone().unwrap_or_default();
    // As Go, Node.js and others name it.
    let system = match platform.system {
        OperatingSystem::Linux => "linux",
        OperatingSystem::Macos => "darwin",
    };
    Some(BuildCommand {
        text: command.text.clone(),
        ignored: project.own.iter().cloned().chain(others).collect(),
        directory: if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory },
        makes,
        project: project.directory.clone(),
        variables: vec![
            ("LAMSTREAM_ARCHITECTURE", platform.architecture.to_string()),
            ("LAMSTREAM_SYSTEM", system.to_owned()),
            ("LAMSTREAM_STAGE", stage),
        ],
        cache: local::cache().map(|cache| cache.join("commands")),
    })
}
