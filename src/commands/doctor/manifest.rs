//! The manifest: whether it can be read, whether its values are there, and whether its functions can be built here.

use super::diagnose::{Found, failed, limited, ok, skipped};
use crate::commands::preflight::preflight;
use crate::commands::prepared::{Buildable, Code, Prepared, Then};
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::commands::site::Site;
use crate::commands::values;
use crate::failure::{Failure, FailureKind};
use crate::report::Diagnosis;
use futures_util::future::join_all;
use std::collections::BTreeMap;

const NAME: &str = "manifest";

/// The manifest, if there is one.
pub(super) fn read(session: &Session) -> (Option<Project>, Diagnosis) {
    let global = &session.global;
    if !global.is_manifest_typed && !global.manifest.is_file() {
        let why = "found no `deploy.toml` here or above; only what every project needs is checked";
        let hints = vec!["run `lamstream init` to write one".to_owned()];
        return (None, Diagnosis { hints, ..skipped(NAME, why) });
    }
    match Project::to_deploy(global, &[], false) {
        Ok(project) => {
            let count = project.functions.len();
            let noun = if count == 1 { "function" } else { "functions" };
            let app = project.app();
            let message = format!("`{}`: {} with {count} {noun}", global.manifest.display(), app.trim_end_matches(','));
            (Some(project), ok(NAME, message))
        }
        Err(failure) => (None, failed(NAME, &failure)),
    }
}

/// Whether the values from outside are there. Values on AWS are looked up if the account is known.
pub(super) async fn values(
    session: &Session,
    project: Option<&Project>,
    site: Option<&Site>,
) -> Result<Found, Failure> {
    const NAME: &str = "values";
    let Some(project) = project else { return Ok(Vec::new()) };
    let count = project.functions.iter().flat_map(|function| function.outside()).count();
    if count == 0 {
        return Ok(Vec::new());
    }
    let (wrong, unknown) = session.until_stopped(values::wrong(session, project, site)).await?;
    if !wrong.is_empty() {
        return Ok(vec![failed(NAME, &Failure::of_problems(FailureKind::Manifest, wrong))]);
    }
    if unknown > 0 {
        let place = if session.global.local {
            "in the local cloud, which is not running"
        } else {
            "on AWS, which could not be asked"
        };
        return Ok(vec![skipped(NAME, format!("{unknown} of {count} are {place}"))]);
    }
    Ok(vec![ok(NAME, format!("all {count} that come from outside are there"))])
}

/// Whether each function can be built here: with which compiler, or why not.
pub(super) async fn buildable(session: &Session, project: Option<&Project>) -> Found {
    let Some(project) = project else { return Vec::new() };
    join_all(project.functions.iter().map(|function| async move {
        let name = format!("build {}", function.name);
        let one = project.with_one(function);
        limited(&name, async {
            match preflight(session, &one, BTreeMap::new(), None, false).await {
                Ok(prepared) => ok(&name, prepared.first().map(described).unwrap_or_default()),
                Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => skipped(&name, "interrupted"),
                Err(failure) => failed(&name, &failure),
            }
        })
        .await
    }))
    .await
}

fn described(prepared: &Prepared) -> String {
    let platform = format!("{} on {}", prepared.platform.runtime.as_str(), prepared.platform.architecture);
    match &prepared.code {
        Buildable::Now(Code::Crate { build, .. }) => format!("a crate {}", build.toolset),
        Buildable::Now(Code::App(_)) => format!("a directory for {platform}, with what installs its packages"),
        Buildable::Now(Code::Zip(_)) => format!("a package that is built already, for {platform}"),
        Buildable::Commanded(commanded) => match &commanded.then {
            Then::Compile { build, .. } => format!("a command, then a crate {}", build.toolset),
            Then::Gather(_) | Then::Read(..) => {
                format!("a command for {platform}; what it makes was not looked at")
            }
        },
    }
}
