//! `lamstream build`: writes packages to disk, for a pipeline to deploy later.

use super::package::{Purpose, package};
use super::preflight::preflight;
use super::prepared::Prepared;
use super::project::Project;
use super::session::Session;
use crate::cli::Build;
use crate::failure::{Failure, FailureKind};
use crate::report::{Answer, Detail, FunctionAnswer, Functions, Zip};
use packaging::UNFINISHED;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(super) async fn build(session: &Session, arguments: &Build) -> Result<Answer, Failure> {
    let mut project = Project::read(&session.global, &arguments.functions)?;
    let zip_of = |name: &str| arguments.out.join(format!("{name}.zip"));
    project.own.extend(project.manifest.functions.iter().map(|function| zip_of(&function.name)));
    let mut functions = Vec::new();
    let prepared = preflight(session, &project, BTreeMap::new(), arguments.arch, false).await?;
    for Prepared { function, platform, code } in prepared {
        let package = package(session, &function, &platform, code, Purpose::Keep, &|| {}).await?;
        let path = zip_of(&function.name);
        write(&arguments.out, &path, &package.zip).map_err(|error| {
            Failure::new(FailureKind::Build, format!("cannot write the package `{}`: {error}", path.display()))
        })?;
        let zip = Zip { path: path.display().to_string(), sha256: package.sha256.clone(), size: package.size() };
        functions.push(FunctionAnswer { name: function.name, detail: Detail::Zip(zip), ..FunctionAnswer::default() });
    }
    let stage = project.manifest.stage.clone();
    Ok(Functions { stage, functions, ..Functions::default() }.into())
}

/// Writes the file completely or not at all: another lamstream may write the same file, and a pipeline may read it.
fn write(out: &Path, path: &Path, zip: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(out)?;
    let everyone = std::fs::Permissions::from_mode(0o666);
    let mut draft = tempfile::Builder::new().prefix(UNFINISHED).permissions(everyone).tempfile_in(out)?;
    draft.write_all(zip)?;
    draft.persist(path)?;
    Ok(())
}
