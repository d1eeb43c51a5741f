//! Which packages of others an app needs, and who installs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::interpreter::{Interpreter, minor};
use super::list::List;
use super::tool::{self, Tell};
use super::{App, local, node, python};
use crate::error::BuildError;
use crate::{Family, Platform};

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
const OTHERS_OF_NODE: [&str; 4] = ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

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
            _ => Err(not_installable(&file, app)),
        }
    }

    /// Whether there is a list with something on it, and what installs it. Installs nothing.
    pub(super) async fn check(&self, app: &App) -> Result<bool, BuildError> {
        let family = app.platform.runtime.family();
        let Some(file) = self.file(&app.directory, family)? else { return Ok(false) };
        match family {
            Family::Python => {
                let listed = List::read(&file, &app.directory).await?.is_some();
                if listed {
                    refuse_without_pip(&app.platform)?;
                }
                Ok(listed)
            }
            Family::Node => {
                let listed = lists_of_node(&file)?;
                if listed {
                    refuse_without_npm(&file)?;
                }
                Ok(listed)
            }
            _ => Err(not_installable(&file, app)),
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
                Err(error.at(&["dependencies"]).hint("`dependencies` is relative to the manifest"))
            }
        }
    }
}

fn not_installable(file: &Path, app: &App) -> BuildError {
    let (file, runtime) = (file.display(), &app.platform.runtime);
    BuildError::new(format!("cannot install what `{file}` lists for `{runtime}`"))
        .at(&["dependencies"])
        .hint("only packages of Python and Node are installed; bring others along in the directory")
}

/// Without uv a Python with pip installs, if there is one.
fn refuse_without_pip(platform: &Platform) -> Result<(), BuildError> {
    if tool::find("uv").is_some() {
        return Ok(());
    }
    let runtime = &platform.runtime;
    let why = match Interpreter::nearest(minor(runtime.version()).unwrap_or_default()) {
        Some(python) if has_pip(&python.program) => return Ok(()),
        Some(python) => format!("there is no uv here, and `{}` has no pip", python.program.display()),
        None => "there is neither uv nor python3 here".to_owned(),
    };
    let error = BuildError::new(format!("cannot install packages for `{runtime}`: {why}"));
    Err(error.hint("install uv: https://docs.astral.sh/uv/"))
}

fn has_pip(python: &Path) -> bool {
    const QUESTION: &str = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)";
    let mut command = std::process::Command::new(python);
    command.args(["-c", QUESTION]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What another tool has locked is that tool's to install.
fn refuse_without_npm(list: &Path) -> Result<(), BuildError> {
    let locked_by_others = OTHERS_OF_NODE.iter().any(|lock| list.with_file_name(lock).is_file());
    if locked_by_others || tool::find("npm").is_some() {
        return Ok(());
    }
    let error = BuildError::new(format!("cannot install what `{}` lists: there is no npm here", list.display()));
    Err(error.hint("install Node.js, or bring `node_modules` along with `dependencies = \"none\"`"))
}

/// Whether a `package.json` needs anything to run that a registry can have.
fn lists_of_node(list: &Path) -> Result<bool, BuildError> {
    let unreadable = |error| BuildError::new(format!("cannot read `{}`", list.display())).because(error);
    let package: Value = serde_json::from_str(&tool::text(list)?).map_err(unreadable)?;
    let needs = |key: &str| package[key].as_object().is_some_and(|all| !all.is_empty());
    if !needs("dependencies") && !needs("optionalDependencies") {
        return Ok(false);
    }
    local::Around::of(list, &package).refuse(list, &package)?;
    Ok(true)
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
