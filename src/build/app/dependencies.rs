//! Which packages of others an app needs, and who installs them.

use std::path::{Path, PathBuf};

use super::list::List;
use super::tool::Tell;
use super::{App, node, python};
use crate::build::error::BuildError;
use crate::stack::Family;

/// Where it is said which packages an app needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// In the app's directory, if anywhere.
    Auto,
    /// Nowhere: what is there is there.
    None,
    File(PathBuf),
}

/// In this order: what `requirements.txt` says is what other tools for Lambda install.
const OF_PYTHON: [&str; 4] = ["requirements.txt", "uv.lock", "poetry.lock", "pyproject.toml"];
const OF_NODE: &str = "package.json";

impl Dependencies {
    /// Installs them into the cache, where they are not there yet; gives the directory that goes into the package.
    pub(super) async fn install(
        &self,
        app: &App,
        tell: Tell<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Option<PathBuf>, BuildError> {
        let family = app.platform.runtime.family();
        let Some(file) = self.file(&app.directory, family)? else { return Ok(None) };
        match family {
            Family::Python => match List::read(&file, &app.directory).await? {
                Some(list) => python::install(&list, &app.platform, &app.cache, tell, notes).await.map(Some),
                None => Ok(None),
            },
            Family::Node => node::install(&file, &app.platform, &app.cache, tell, notes).await,
            _ => {
                let (file, runtime) = (file.display(), &app.platform.runtime);
                let error = BuildError::new(format!("cannot install what `{file}` lists for `{runtime}`"));
                Err(error.hint("only packages of Python and Node are installed; bring others along in the directory"))
            }
        }
    }

    /// The directory that lamstream fills, if there is a list of what belongs into it: what a developer has there was
    /// installed for another machine, and with what development needs.
    pub(super) fn fills(&self, app: &App) -> Option<&'static str> {
        let family = app.platform.runtime.family();
        let lists = self.file(&app.directory, family).is_ok_and(|file| file.is_some());
        (family == Family::Node && lists).then_some("node_modules")
    }

    fn file(&self, directory: &Path, family: Family) -> Result<Option<PathBuf>, BuildError> {
        let known: &[&str] = match family {
            Family::Python => &OF_PYTHON,
            Family::Node => &[OF_NODE],
            _ => &[],
        };
        match self {
            Dependencies::None => Ok(None),
            Dependencies::Auto => Ok(known.iter().map(|name| directory.join(name)).find(|file| file.is_file())),
            Dependencies::File(file) if file.is_file() => Ok(Some(locked(file))),
            Dependencies::File(file) => {
                let error = BuildError::new(format!(
                    "cannot read the dependencies `{}`: there is no such file",
                    file.display()
                ));
                Err(error.hint("`dependencies` is relative to the manifest"))
            }
        }
    }
}

/// A lock file beside a list is what is meant by it.
fn locked(file: &Path) -> PathBuf {
    let beside = |name: &str| Some(file.with_file_name(name)).filter(|lock| lock.is_file());
    match file.file_name().and_then(|name| name.to_str()) {
        Some("pyproject.toml") => {
            beside("uv.lock").or_else(|| beside("poetry.lock")).unwrap_or_else(|| file.to_owned())
        }
        Some("package-lock.json") => beside(OF_NODE).unwrap_or_else(|| file.to_owned()),
        _ => file.to_owned(),
    }
}
