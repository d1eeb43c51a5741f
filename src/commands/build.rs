//! `lamstream build`: packages on disk, for a pipeline to deploy later.

use super::package::package;
use super::preflight::preflight;
use super::project::{Project, platform};
use super::session::Session;
use crate::cli::Build;
use crate::failure::{Failure, Kind};
use crate::report::{Answer, Detail, FunctionAnswer, Functions, Zip};
use packaging::UNFINISHED;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub async fn build(session: &Session, arguments: &Build) -> Result<Answer, Failure> {
    let mut project = Project::read(&session.global, &arguments.functions)?;
    let zip_of = |name: &str| arguments.out.join(format!("{name}.zip"));
    project.own.extend(project.manifest.functions.iter().map(|function| zip_of(&function.name)));
    let mut functions = Vec::new();
    let none = project.functions.iter().map(|_| None).collect();
    let codes = preflight(session, &project, none, arguments.arch, false).await?;
    for (function, code) in project.functions.iter().zip(codes) {
        let mut platform = platform(function, session.global.local);
        platform.architecture = arguments.arch.unwrap_or(platform.architecture);
        let package = package(session, function, &platform, code).await?;
        let path = zip_of(&function.name);
        write(&arguments.out, &path, &package.zip).map_err(|error| {
            Failure::new(Kind::Build, format!("cannot write the package `{}`: {error}", path.display()))
        })?;
        let zip = Zip { path: path.display().to_string(), sha256: package.sha256.clone(), size: package.size() };
        functions.push(FunctionAnswer {
            name: function.name.clone(),
            detail: Detail::Zip(zip),
            ..FunctionAnswer::default()
        });
    }
    let stage = project.manifest.stage.clone();
    Ok(Answer::Build(Functions { stage, functions, ..Functions::default() }))
}

/// Whole or not at all: another lamstream may write the same file, and a pipeline may read it.
fn write(out: &Path, path: &Path, zip: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(out)?;
    let everyone = std::fs::Permissions::from_mode(0o666);
    let mut draft = tempfile::Builder::new().prefix(UNFINISHED).permissions(everyone).tempfile_in(out)?;
    draft.write_all(zip)?;
    draft.persist(path)?;
    Ok(())
}
